"""A directory that one process at a time may use."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO, Final

from tfaigc.errors import TrainingError

LOCK_FILE: Final = ".lock"


class DirectoryLock:
    """Keeps other processes out of a directory, for as long as this process lives at most.

    The system lets go of the lock when its process ends, however it ends. On file systems that
    know no locks, nobody is kept out.

    Args:
        directory: The directory, which must exist when the lock is taken.
        shared_with_itself: Whether a second lock within the process that holds one is let in, as
            after a `fit` that ended by an exception of which no callback heard.
    """

    def __init__(self, directory: Path, *, shared_with_itself: bool = False) -> None:
        self.directory = directory
        self._shared_with_itself = shared_with_itself
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Takes the lock; does nothing where it is held.

        Raises:
            TrainingError: Another process holds it.
            OSError: The directory cannot be written.
        """
        path = self.directory / LOCK_FILE
        while self._file is None:
            file = path.open("a+", encoding="utf-8")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read()
                file.close()
                if self._shared_with_itself and owner == str(os.getpid()):
                    return
                raise TrainingError(self._refusal()) from None
            except OSError:
                file.close()
                return
            if not _is_at(file, path):
                # Its last owner has removed it since it was opened: another may hold the new one.
                file.close()
                continue
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._file = file

    def release(self) -> None:
        """Lets go of the lock; does nothing where it is not held."""
        file, self._file = self._file, None
        if file is not None:
            with file, contextlib.suppress(OSError):
                (self.directory / LOCK_FILE).unlink(missing_ok=True)

    def __del__(self) -> None:
        """Lets go where nobody could any more, as after an exception."""
        if self._file is not None:
            self._file.close()

    def _refusal(self) -> str:
        return (
            "A run directory must be used by one process at a time. Received: "
            f"{str(self.directory)!r}, where another one trains. Wait for it, or pass another "
            "directory."
        )


def _is_at(file: IO[str], path: Path) -> bool:
    """Says whether an open file is still the one that a path names."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
