"""Runs the command line in processes that need not load TensorFlow again, and can be killed.

A process that has loaded TensorFlow, and started nothing of it, is copied for each run.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class ForkServer:
    """Starts runs of the command line.

    Args:
        process: The process that is copied.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests: IO[str] = process.stdin
        self._answers: IO[str] = process.stdout

    def start(self, arguments: Sequence[object], log: Path) -> int:
        """Starts a run; returns its process id."""
        request = {"arguments": [str(each) for each in arguments], "log": str(log)}
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        return int(self._answers.readline())

    def wait(self) -> int:
        """Waits for the run; returns its exit status, which is negative after a signal."""
        return int(self._answers.readline())


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Loads TensorFlow in a process that the runs will be copies of."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    ) as process:
        try:
            yield ForkServer(process)
        finally:
            process.kill()


def _serve() -> None:
    for name in ("tensorflow", "tfaigc.tasks", "tfaigc.workflows.train", "matplotlib.pyplot"):
        importlib.import_module(name)
    from tfaigc.cli import cli

    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            file = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(file, 1)
            os.dup2(file, 2)
            try:
                cli(request["arguments"], prog_name="tfaigc")
            except SystemExit as error:
                status = error.code if isinstance(error.code, int) else 1
            sys.stdout.flush()
            os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
