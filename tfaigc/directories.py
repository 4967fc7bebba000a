"""Directories of files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


def what_is_there(directory: Path) -> str:
    """Says what would be in the way of a new directory.

    Args:
        directory: Where it is to be.

    Returns:
        What it does, for a message: "holds a, b" or "is a file"; empty where it is new or empty.
    """
    if directory.is_dir():
        names = sorted(path.name for path in directory.iterdir())
        return f"holds {', '.join(names[:5])}" if names else ""
    return "is a file" if os.path.lexists(directory) else ""


@contextlib.contextmanager
def whole_directory(directory: Path) -> Iterator[Path]:
    """Has a directory written under a temporary name, and gives it its own when it is whole.

    After a failure nothing is left, of missing parents neither.

    Args:
        directory: Where it is to be; new or empty.

    Yields:
        The directory to write to.
    """
    missing = [path for path in directory.parents if not path.exists()]
    temporary = directory.with_name(f".{directory.name}-{uuid.uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        os.rename(temporary, directory)
    finally:
        # After the rename the temporary name is gone and the directories are not empty.
        shutil.rmtree(temporary, ignore_errors=True)
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
