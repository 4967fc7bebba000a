"""Sources that are files and directories of this machine."""

from __future__ import annotations

import os
from pathlib import Path

from tfaigc.errors import SourceError, suggestion


def local_directory(source: str | Path) -> Path:
    """Checks a path that must be a directory.

    Args:
        source: The path; `~` is the home directory.

    Returns:
        The directory.

    Raises:
        SourceError: It is none.
    """
    path = _expanded(source)
    if os.path.isdir(path):
        return path
    if os.path.exists(path):
        raise SourceError(
            f"A model source must be a directory. Received: the file {path}. Pass {path.parent}."
        )
    raise SourceError(
        f"A model source must exist. Received: {path}.{_near(path)} Check the path; a hub id looks "
        "like org/name, a package's files like pypi://NAME==VERSION/PATH."
    )


def local_file(source: str | Path) -> Path:
    """Checks a path that must be a file.

    Args:
        source: The path; `~` is the home directory.

    Returns:
        The file.

    Raises:
        SourceError: It is none.
    """
    path = _expanded(source)
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        raise SourceError(f"A file is needed. Received: the directory {path}. Pass a file in it.")
    raise SourceError(f"A file must exist. Received: {path}.{_near(path)} Check the path.")


def _expanded(source: str | Path) -> Path:
    # os.path, unlike Path, never raises here, whatever the length and characters of the text.
    return Path(os.path.expanduser(source))


def _near(path: Path) -> str:
    """Suggests a sibling whose name is near."""
    try:
        siblings = [sibling.name for sibling in path.parent.iterdir()]
    except (OSError, ValueError):
        return f" There is no directory {path.parent} either."
    return suggestion(path.name, siblings)
