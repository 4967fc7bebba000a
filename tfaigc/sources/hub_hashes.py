"""Compares what came from the hub with the hashes that the hub states."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from tfaigc.errors import SourceError
from tfaigc.sources.cache import cache_directory

_CHUNK_BYTES = 1 << 20
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


def check_hashes(directory: Path) -> None:
    """Checks the files of a snapshot in the hub's cache, each of them once.

    In the cache a file is a link to one that has the hash as its name: the sha256 of large files,
    and of others what git calls them. The hub's own client compares sizes only. A file that does
    not match is removed.

    Args:
        directory: The snapshot.

    Raises:
        SourceError: A file is not what the hub stated.
    """
    for path in sorted(directory.rglob("*")):
        if not path.is_symlink() or not path.is_file():
            continue
        stored = path.parent / os.readlink(path)
        if _is_checked(stored):
            continue
        if not _matches(stored):
            # What is stored may itself be a link, to a store that repositories share.
            for broken in (path.resolve(), stored, path):
                broken.unlink(missing_ok=True)
            raise SourceError(
                f"A file from the hub must have the hash that the hub states. Received: "
                f"{path.name} with another one. It was removed; fetch the model again."
            )
        _remember(stored)


def _matches(stored: Path) -> bool:
    """Hashes a file as its name asks for; one whose name is no hash cannot be compared."""
    if _SHA256.fullmatch(stored.name):
        digest = hashlib.sha256()
    elif _SHA1.fullmatch(stored.name):
        # Git hashes a file behind its kind and size.
        digest = hashlib.sha1(f"blob {stored.stat().st_size}\0".encode(), usedforsecurity=False)
    else:
        return True
    with stored.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == stored.name


def _is_checked(stored: Path) -> bool:
    try:
        return _note(stored).read_text(encoding="ascii") == _state(stored)
    except (OSError, ValueError):
        return False


def _remember(stored: Path) -> None:
    """Notes that a file is whole; where nothing can be written it is hashed again next time."""
    note = _note(stored)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(_state(stored), encoding="ascii")
    except OSError:
        pass


def _note(stored: Path) -> Path:
    return cache_directory() / "hub" / stored.name


def _state(stored: Path) -> str:
    found = stored.stat()
    return f"{found.st_size} {found.st_mtime_ns}"
