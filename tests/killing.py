"""Ends a pretended process at any change that it makes to the file system."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

_CHANGES = frozenset(["open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"])


class Killed(BaseException):
    """Stands for the end of a process, so that nothing but the test may catch it."""


class Executioner:
    """Lets so many changes happen, and none after those: no clean-up, either.

    Opening a file, making, renaming and removing are changes, and so is each half of what is
    written into a file.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.directory = ""
        sys.addaudithook(self._audit)

    def tick(self) -> None:
        if self.left is None:
            return
        if self.left == 0:
            raise Killed
        self.left -= 1

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.left is None or event not in _CHANGES:
            return
        path = os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes, Path)) else ""
        # Names that are not absolute lie in a directory that is being removed.
        if path.startswith(self.directory) or not os.path.isabs(path):
            self.tick()


_EXECUTIONER = Executioner()


def kills(
    action: Callable[[], object], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[bool]:
    """Runs an action again and again, each time killed one change in a directory later.

    Yields:
        Whether the action was killed, after each run; the last one comes to its end.
    """
    _EXECUTIONER.directory = str(directory)
    for changes in range(10_000):
        with monkeypatch.context() as patch:
            _write_in_halves(patch)
            _EXECUTIONER.left = changes
            try:
                action()
                killed = False
            except Killed:
                killed = True
            finally:
                _EXECUTIONER.left = None
        yield killed
        if not killed:
            return
    raise AssertionError("the action never comes to its end")


def _write_in_halves(patch: pytest.MonkeyPatch) -> None:
    write_text, save_file = Path.write_text, safetensors.numpy.save_file

    def write_text_in_halves(path: Path, text: str, *arguments: Any, **settings: Any) -> int:
        write_text(path, text[: len(text) // 2], *arguments, **settings)
        _EXECUTIONER.tick()
        return write_text(path, text, *arguments, **settings)

    def save_file_in_halves(arrays: Any, path: Any, *arguments: Any) -> None:
        _EXECUTIONER.tick()
        save_file(arrays, path, *arguments)
        whole = os.path.getsize(path)
        content = Path(path).read_bytes()
        with open(path, "r+b") as file:
            file.truncate(whole // 2)
        _EXECUTIONER.tick()
        Path(path).write_bytes(content)

    patch.setattr(Path, "write_text", write_text_in_halves)
    patch.setattr(safetensors.numpy, "save_file", save_file_in_halves)
