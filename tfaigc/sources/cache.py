"""Where fetched files are kept, and how they get there whole or not at all."""

from __future__ import annotations

import errno
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from tfaigc.errors import SourceError

_STALE_SECONDS = 24 * 3600
_FULL = {errno.ENOSPC, errno.EDQUOT}
# Left free for everything else on the disk.
_RESERVE_BYTES = 1 << 20
_MAKE_ROOM = "Free disk space, or set XDG_CACHE_HOME to a directory on another disk."


def cache_directory() -> Path:
    """Returns the directory of everything that tfaigc fetches or derives; it may not exist yet."""
    return platformdirs.user_cache_path("tfaigc")


@contextmanager
def temporary_path(directory: Path) -> Iterator[Path]:
    """Gives a path to write to, from where the block moves the whole file to its place.

    Args:
        directory: On the disk of the final place; it is made.

    Yields:
        The path. What is still there when the block ends is removed.

    Raises:
        SourceError: The disk is full, or the directory cannot be written.
    """
    temporary = directory / f".{uuid.uuid4().hex}.part"
    with _disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        _remove_stale(directory)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def require_space(directory: Path, size: int) -> None:
    """Checks that a disk has room.

    Args:
        directory: On the disk; must exist.
        size: Bytes to be written.

    Raises:
        SourceError: There is less.
    """
    free = shutil.disk_usage(directory).free
    if free < size + _RESERVE_BYTES:
        raise SourceError(
            f"{directory} must have room for {_megabytes(size)}. Received: {_megabytes(free)} "
            f"free. {_MAKE_ROOM}"
        )


@contextmanager
def _disk_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise SourceError(
                f"{directory} must have room for what is fetched. Received: {error.strerror}. "
                f"{_MAKE_ROOM}"
            ) from error
        raise SourceError(
            f"{directory} must be a directory that can be written. Received: {error}. Change its "
            "permissions, or set XDG_CACHE_HOME to another directory."
        ) from error


def _remove_stale(directory: Path) -> None:
    """Removes what runs that were killed have left."""
    for leftover in directory.glob(".*.part"):
        try:
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                leftover.unlink()
        except FileNotFoundError:
            pass  # Another process was faster.


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
