"""Version directories, which appear whole or not at all.

TensorFlow Serving watches a model's directory and loads the highest number in it. A version is
therefore written under a name that is no number, and renamed when it is complete.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from tfaigc.errors import ExportError

_TEMPORARY_PREFIX = ".export-"


def version_numbers(directory: Path) -> list[int]:
    """Lists the versions in a model's directory.

    Args:
        directory: The model's directory; it need not exist.

    Returns:
        The numbers of its version directories, in rising order.
    """
    if not directory.is_dir():
        return []
    return sorted(int(path.name) for path in directory.iterdir() if _is_version(path))


def latest_version(directory: str | Path) -> Path:
    """Finds the newest version of an export.

    Args:
        directory: A model's directory, or one version of it.

    Returns:
        The directory that holds `saved_model.pb`.

    Raises:
        ExportError: There is no SavedModel.
    """
    directory = Path(directory)
    if (directory / "saved_model.pb").is_file():
        return directory
    versions = [path for path in _entries(directory) if _is_version(path)]
    whole = [path for path in versions if (path / "saved_model.pb").is_file()]
    if not whole:
        raise ExportError(
            "An export must be a directory with numbered versions, each with a saved_model.pb. "
            f"Received: {directory}, which {_content(directory)}. "
            "Pass the directory that an export was written to."
        )
    return max(whole, key=lambda path: int(path.name))


def refuse_foreign_files(directory: Path) -> None:
    """Makes sure that a directory is free for versions.

    Args:
        directory: The model's directory; it need not exist.

    Raises:
        ExportError: It is a file, or holds something that is neither a version nor hidden.
    """
    foreign = [
        path.name
        for path in _entries(directory)
        if not _is_version(path) and not path.name.startswith(".")
    ]
    if foreign or (directory.exists() and not directory.is_dir()):
        raise ExportError(
            "An export's directory must be new, empty, or hold nothing but numbered versions. "
            f"Received: {directory}, which {_content(directory)}. Pass another directory."
        )


@contextlib.contextmanager
def staging(directory: Path) -> Iterator[Path]:
    """Lends a directory under a temporary name, and clears away what is left of it.

    Args:
        directory: The model's directory, made when it is missing.

    Yields:
        An empty directory inside it, whose name TensorFlow Serving ignores.

    Raises:
        ExportError: The directory is a file, or holds something that is not a version.
    """
    refuse_foreign_files(directory)
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    temporary = directory / f"{_TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        temporary.mkdir(parents=True)
        yield temporary
    finally:
        # After a publication the temporary name is gone and the directories are not empty.
        shutil.rmtree(temporary, ignore_errors=True)
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def publish(temporary: Path, directory: Path) -> Path:
    """Gives a complete version the next free number.

    Args:
        temporary: The complete version, on the same file system.
        directory: The model's directory.

    Returns:
        The version's path.
    """
    while True:
        version = directory / str(max(version_numbers(directory), default=0) + 1)
        try:
            os.rename(temporary, version)
        except OSError as error:
            # Another export took this number between the look and the rename.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            if version.exists() and not version.is_dir():
                refuse_foreign_files(directory)
        else:
            return version


def prune(directory: Path, *, keep: int) -> list[Path]:
    """Removes the oldest versions.

    Args:
        directory: The model's directory.
        keep: How many of the newest stay; at least 1.

    Returns:
        The versions that were removed. Each is first renamed out of a server's sight.

    Raises:
        ExportError: `keep` is less than 1.
    """
    if keep < 1:
        raise ExportError(f"keep must be at least 1. Received: {keep}. Pass keep=3, say.")
    versions = [path for path in _entries(directory) if _is_version(path)]
    removed = sorted(versions, key=lambda path: int(path.name))[:-keep]
    for version in removed:
        hidden = directory / f"{_TEMPORARY_PREFIX}{uuid.uuid4().hex}"
        os.rename(version, hidden)
        shutil.rmtree(hidden)
    return removed


def _is_version(path: Path) -> bool:
    return re.fullmatch("[0-9]+", path.name) is not None and path.is_dir()


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _content(directory: Path) -> str:
    """Says what a path is, or what a directory holds."""
    if not directory.exists():
        return "does not exist"
    if not directory.is_dir():
        return "is a file"
    names = [path.name for path in _entries(directory)]
    if not names:
        return "is empty"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"holds {', '.join(names[:5])}{more}"
