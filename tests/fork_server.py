"""Copies of a process that has loaded TensorFlow, so that each run need not load it again.

A process that has loaded TensorFlow, and started nothing of it, is copied for each run. There are
two kinds: one runs the command line, the other answers questions with a SavedModel, as the process
does that verifies exports.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

VERIFIER = Path(__file__).parents[1] / "tfaigc" / "export" / "verifier.py"


class ForkServer:
    """Starts copies of a process.

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
def fork_server(
    kind: str = "command_line", environment: dict[str, str] | None = None
) -> Iterator[ForkServer]:
    """Loads TensorFlow in a process that the runs will be copies of.

    Args:
        kind: What the runs do: `command_line`, or `verifier`.
        environment: That of the process; `None` for this one's.
    """
    with subprocess.Popen(
        [sys.executable, __file__, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**(environment or os.environ), "TF_CPP_MIN_LOG_LEVEL": "3"},
    ) as process:
        try:
            yield ForkServer(process)
        finally:
            process.kill()


def _command_line() -> Callable[[list[str]], object]:
    for name in ("tensorflow", "tfaigc.tasks", "tfaigc.workflows.train", "matplotlib.pyplot"):
        importlib.import_module(name)
    from tfaigc.cli import cli

    return lambda arguments: cli(arguments, prog_name="tfaigc")


def _verifier() -> Callable[[list[str]], object]:
    # From its file: the package itself is shut out there.
    specification = importlib.util.spec_from_file_location("verifier", VERIFIER)
    assert specification is not None
    assert specification.loader is not None
    verifier: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(verifier)
    verifier.isolate()
    verifier.load_tensorflow()
    return lambda arguments: verifier.main(*arguments)


def _serve(run: Callable[[list[str]], object]) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(run, request)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(run: Callable[[list[str]], object], request: dict[str, Any]) -> None:
    file = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    status = 0
    try:
        run(request["arguments"])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve({"command_line": _command_line, "verifier": _verifier}[sys.argv[1]]())
