"""A server on a socket, from the first version loaded to the last request answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tfaigc.errors import ServingError
from tfaigc.serving.access import Access
from tfaigc.serving.batching import Batching
from tfaigc.serving.core import Core
from tfaigc.serving.gate import Gate
from tfaigc.serving.grpc_server import GrpcServer
from tfaigc.serving.keys import Keys
from tfaigc.serving.limits import Limits
from tfaigc.serving.manager import ModelSpec, State
from tfaigc.serving.patience import PatientProtocol
from tfaigc.serving.rest import rest_app
from tfaigc.serving.versions import ModelConfig
from tfaigc.serving.watch import WatchSettings

logger = logging.getLogger(__name__)

Source = Callable[[], Sequence[ModelConfig]]

# A token that is withdrawn must not open for long, however seldom the disk is looked at for models.
_KEYS_SECONDS = 1.0


@dataclass(frozen=True)
class Listening:
    """A server that can be asked.

    Attributes:
        url: Of the REST interface.
        grpc_url: Of the gRPC interface, if there is one.
        core: The loaded models.
    """

    url: str
    grpc_url: str | None
    core: Core


Ready = Callable[[Listening], None]


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        host: The address to listen at.
        port: The port of the REST interface; 0 for any that is free.
        grpc_port: The port of the gRPC interface; None for none.
        batching: How requests share runs.
        limits: What a request may cost.
        access: Who may ask, and how that is kept secret.
        watch: Which requests to look at, to see shifts in what is asked; None: none.
        log_requests: Whether each request gets a line in the log `tfaigc.serving.requests`.
        poll_seconds: How often to look for new versions; 0 for never.
        drain_seconds: How long requests may take that are under way when the server is to end.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    grpc_port: int | None = None
    batching: Batching = field(default_factory=Batching)
    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=Access)
    watch: WatchSettings | None = None
    log_requests: bool = False
    poll_seconds: float = 1.0
    drain_seconds: int = 30


def serve(source: Source, settings: Settings, *, ready: Ready) -> None:
    """Serves until SIGTERM or SIGINT, then answers what is under way, and returns.

    Args:
        source: Gives the models; asked again whenever the disk is looked at.
        settings: How to serve.
        ready: Told when the server listens, and where.

    Raises:
        ServingError: There is no model that can be loaded, or the port is taken.
    """
    with _bound(settings) as port, _loaded(source, settings) as core:
        server = _Server(core, settings, _grpc_server(core, settings), ready)
        with _signals_left_to(server):
            server.run([port])


@contextlib.contextmanager
def running(source: Source, settings: Settings) -> Iterator[Listening]:
    """Serves on a thread of this process for a while, as tests and notebooks want it.

    Args:
        source: Gives the models.
        settings: How to serve.

    Yields:
        Where the server listens.

    Raises:
        ServingError: There is no model that can be loaded, or the port is taken.
    """
    listening: queue.SimpleQueue[Listening] = queue.SimpleQueue()
    with _bound(settings) as port, _loaded(source, settings) as core:
        server = _Server(core, settings, _grpc_server(core, settings), listening.put)
        thread = threading.Thread(target=server.run, args=([port],), daemon=True)
        thread.start()
        try:
            yield listening.get()
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    """Takes the port, on which nobody listens before the models are loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            port.bind((settings.host, settings.port))
        except OSError as error:
            raise _port_taken(settings.host, settings.port, error.strerror or error) from error
        yield port


def _port_taken(host: str, port: int, reason: object) -> ServingError:
    return ServingError(
        "Address and port must be this machine's, and free. "
        f"Received: {host}, {port} ({reason}). "
        "Pass another port, or end the server that has this one."
    )


def _grpc_server(core: Core, settings: Settings) -> GrpcServer | None:
    if settings.grpc_port is None:
        return None
    try:
        address = _address(settings.host, settings.grpc_port)
        return GrpcServer(core, address, settings.limits, settings.access)
    except RuntimeError as error:
        raise _port_taken(settings.host, settings.grpc_port, "taken") from error


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def _loaded(source: Source, settings: Settings) -> Iterator[Core]:
    """Loads the models, and looks for new versions in the background."""
    core, ended = Core(settings.batching, settings.watch), threading.Event()
    threads = []
    if settings.access.keys:
        threads.append(_thread(_watch, settings.access.keys, ended))
    if settings.poll_seconds:
        threads.append(_thread(_poll, core, source, settings, ended))
    try:
        core.manager.configure(source())
        core.manager.refresh()
        _require_a_model(core)
        for thread in threads:
            thread.start()
        yield core
    finally:
        ended.set()
        for thread in threads:
            if thread.is_alive():
                thread.join()
        core.close()


def _thread(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    return threading.Thread(target=work, args=arguments, daemon=True)


def _watch(keys: Keys, ended: threading.Event) -> None:
    while not ended.wait(_KEYS_SECONDS):
        try:
            keys.refresh()
        except Exception:
            logger.exception("the tokens stay as they are")


def _poll(core: Core, source: Source, settings: Settings, ended: threading.Event) -> None:
    while not ended.wait(settings.poll_seconds):
        try:
            core.manager.configure(source())
            core.manager.refresh()
        except (ServingError, OSError) as error:
            logger.warning("what is loaded stays as it is: %s", error)
        except Exception:
            logger.exception("what is loaded stays as it is")


def _require_a_model(core: Core) -> None:
    failures = []
    for name in core.manager.names():
        with contextlib.suppress(ServingError):
            for version, status in core.manager.statuses(ModelSpec(name)).items():
                if status.state is State.AVAILABLE:
                    return
                failures.append(f"{name}, version {version}: {status.message}")
    raise ServingError(
        "A server must have at least one model that loads. Received: "
        f"{'; '.join(failures) or 'no versions'}. Export the model again."
    )


class _Server(uvicorn.Server):
    """Tells when it listens, and ends together with its neighbor."""

    def __init__(
        self, core: Core, settings: Settings, neighbor: GrpcServer | None, ready: Ready
    ) -> None:
        super().__init__(
            uvicorn.Config(
                Gate(
                    rest_app(core, settings.limits),
                    core,
                    settings.access,
                    log=settings.log_requests,
                ),
                http=PatientProtocol,
                ssl_certfile=settings.access.certificate,
                ssl_keyfile=settings.access.private_key,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=settings.drain_seconds,
            )
        )
        self._core, self._neighbor, self._ready = core, neighbor, ready
        self._host, self._drain_seconds = settings.host, settings.drain_seconds
        self._access = settings.access

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listens, and says so."""
        await super().startup(sockets)
        if self.started:
            assert sockets
            neighbor, end = self._neighbor, "s" if self._access.has_tls else ""
            url = f"http{end}://{_address(self._host, sockets[0].getsockname()[1])}"
            grpc_url = f"grpc{end}://{_address(self._host, neighbor.port)}" if neighbor else None
            self._ready(Listening(url, grpc_url, self._core))

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """Takes no more requests, and waits for those that are under way."""
        if self._neighbor is None:
            await super().shutdown(sockets)
        else:
            ended = asyncio.to_thread(self._neighbor.close, self._drain_seconds)
            await asyncio.gather(super().shutdown(sockets), ended)


@contextlib.contextmanager
def _signals_left_to(server: uvicorn.Server) -> Iterator[None]:
    """Lets a signal that the server has obeyed be the end of it, not of the process."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    # Uvicorn raises what it caught once more when it has drained.
    former = {number: signal.signal(number, server.handle_exit) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
