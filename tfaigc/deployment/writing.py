"""A directory of files that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from tfaigc.errors import ConfigError


def refuse_what_is_there(directory: Path) -> None:
    """Makes sure that a directory is new or empty.

    Args:
        directory: Where files are to go.

    Raises:
        ConfigError: There is something.
    """
    if directory.is_dir():
        names = sorted(path.name for path in directory.iterdir())
        found = f"holds {', '.join(names[:5])}" if names else ""
    else:
        found = "is a file" if os.path.lexists(directory) else ""
    if found:
        raise ConfigError(
            "The directory of a deployment must be new or empty, so that nothing of yours is "
            f"replaced. Received: {directory}, which {found}. Pass another --out."
        )


def write_files(directory: Path, files: Mapping[str, str]) -> None:
    """Writes files under a temporary name, and gives the directory its own when it is whole.

    Args:
        directory: Where they go; new or empty.
        files: Their contents by path.

    Raises:
        ConfigError: There is something.
    """
    refuse_what_is_there(directory)
    missing = [path for path in directory.parents if not path.exists()]
    temporary = directory.with_name(f".{directory.name}-{uuid.uuid4().hex}")
    try:
        for name, text in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        os.rename(temporary, directory)
    finally:
        # After the rename the temporary name is gone and the directories are not empty.
        shutil.rmtree(temporary, ignore_errors=True)
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
