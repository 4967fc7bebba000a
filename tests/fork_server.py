"""Copies of a process that has loaded TensorFlow, so that each run need not load it again.

A process that has loaded TensorFlow, and started nothing of it, is copied for each run. There are
two kinds: one runs the command line, the other answers questions with a SavedModel, as the process
does that verifies exports.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

VERIFIER = Path(__file__).parents[1] / "tfaigc" / "export" / "verifier.py"
Run = Callable[[list[str]], object]


class Copy:
    """A copy of a process that has been asked to run something.

    Args:
        connection: To the process that waits for it.

    Attributes:
        process: Its process id.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answers: IO[str] = connection.makefile()
        self.process = int(self._answers.readline())

    def wait(self) -> int:
        """Waits for its end; returns its exit status, which is negative after a signal."""
        with self._connection, self._answers:
            return int(self._answers.readline())


class ForkServer:
    """Starts copies of a process.

    Args:
        address: Where the process listens.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def start(
        self,
        arguments: Sequence[object],
        streams: Sequence[int],
        *,
        directory: str | Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Copy:
        """Starts a run.

        Args:
            arguments: The command's.
            streams: Descriptors of what it reads, and what it writes its output and errors to.
            directory: Where it runs; `None` for the current one.
            environment: Its environment; `None` for this process's.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        request = {
            "arguments": [str(each) for each in arguments],
            "directory": str(directory or Path.cwd()),
            "environment": dict(os.environ if environment is None else environment),
        }
        socket.send_fds(connection, [b"\0"], list(streams))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return Copy(connection)

    def log(self, arguments: Sequence[object], path: Path, **where: Any) -> Copy:
        """Starts a run that reads nothing, and appends all that it writes to a file."""
        with open(os.devnull, "rb") as nothing, path.open("ab") as log:
            return self.start(arguments, [nothing.fileno(), *[log.fileno()] * 2], **where)


@contextmanager
def fork_server(
    kind: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[ForkServer]:
    """Loads TensorFlow in a process that the runs will be copies of.

    Args:
        kind: What the runs do: `verifier`, or `command_line`, to which the address of a server of
            the first kind may be given.
        *arguments: What that takes.
        environment: That of the process; `None` for this one's.
    """
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="tfaigc-") as folder:
        address = str(Path(folder, "server"))
        with subprocess.Popen(
            [sys.executable, __file__, address, kind, *arguments],
            stdout=subprocess.PIPE,
            env={**(environment or os.environ), "TF_CPP_MIN_LOG_LEVEL": "3"},
        ) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == b"ready\n"
                yield ForkServer(address)
            finally:
                process.kill()


def verify_in_copies(server: ForkServer) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Makes what `tfaigc.export.fresh_process` finishes commands with use copies.

    Args:
        server: Copies a process that verifies.

    Returns:
        Takes the place of the module's `_finish`.
    """
    from tfaigc.export import fresh_process

    finish = fresh_process._finish

    def finish_copy(
        command: list[str], folder: str, timeout: float | None
    ) -> subprocess.CompletedProcess[bytes]:
        script, *arguments = command[1:]
        if script != str(VERIFIER):
            return finish(command, folder, timeout)
        log, environment = Path(folder, "log"), fresh_process.clean_environment()
        copy = server.log(arguments, log, directory=folder, environment=environment)
        status = copy.wait()
        return subprocess.CompletedProcess(command, status, stderr=log.read_bytes())

    return finish_copy


def _command_line(verifier: str = "") -> Run:
    for name in ("tensorflow", "tfaigc.tasks", "tfaigc.workflows.train", "matplotlib.pyplot"):
        importlib.import_module(name)
    from tfaigc.cli import cli
    from tfaigc.export import fresh_process

    if verifier:
        fresh_process._finish = verify_in_copies(ForkServer(verifier))
    return lambda arguments: cli(arguments, prog_name="tfaigc")


def _verifier() -> Run:
    # From its file: the package itself is shut out there.
    specification = importlib.util.spec_from_file_location("verifier", VERIFIER)
    assert specification is not None
    assert specification.loader is not None
    verifier: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(verifier)
    verifier.isolate()
    verifier.load_tensorflow()
    return lambda arguments: verifier.main(*arguments)


def _serve(address: str, run: Run) -> None:
    # Copies share memory that no collection of garbage writes to.
    gc.freeze()
    # Who waits for a run ends by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _keep(connection, run)


def _keep(connection: socket.socket, run: Run) -> None:
    """Starts the run that a connection asks for, and tells its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as lines:
        request = json.loads(lines.readline())
    child = os.fork()
    if child == 0:
        connection.close()
        _run(run, request, streams)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{child}\n".encode())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def _run(run: Run, request: dict[str, Any], streams: Sequence[int]) -> None:
    for standard, stream in enumerate(streams):
        os.dup2(stream, standard)
        os.close(stream)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = sys.orig_argv = ["tfaigc", *request["arguments"]]
    status = 0
    try:
        run(request["arguments"])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    _address, _kind, *_arguments = sys.argv[1:]
    _serve(_address, {"command_line": _command_line, "verifier": _verifier}[_kind](*_arguments))
