"""``tfaigc serve``: SavedModels behind the interfaces of TensorFlow Serving."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from queue import Full, Queue
from typing import TYPE_CHECKING, Any

from tfaigc.errors import ServingError
from tfaigc.workflows.screen import Screen

if TYPE_CHECKING:
    from tfaigc.serving.server import Listening, Settings

_NEEDED = (
    "grpc",
    "grpc_health",
    "httptools",
    "prometheus_client",
    "starlette",
    "tensorflow_serving",
    "uvicorn",
)

# Lines that wait to be printed.
_MOST_LINES = 10_000


def require_serving_extra() -> None:
    """Makes sure that what the server is built on is installed.

    Raises:
        ServingError: Something is missing.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ServingError(
            f"The server needs the extra `serving`. Missing: {', '.join(missing)}. "
            "Run: pip install 'tfaigc[serving]'"
        )


def serve(
    directory: str | None,
    *,
    model_config_file: str | None = None,
    model_name: str | None = None,
    screen: Screen,
    **options: Any,
) -> None:
    """Serves models until SIGTERM or SIGINT.

    Args:
        directory: One that holds versions, or models; None where a file names the models.
        model_config_file: A model config file of TensorFlow Serving.
        model_name: What to call the single model of a directory.
        screen: Where remarks go.
        options: What `read_settings` takes.

    Raises:
        ServingError: There is nothing to serve, an option is wrong, or the port is taken.
    """
    from tfaigc.serving.model_config import read_model_config
    from tfaigc.serving.server import serve as run
    from tfaigc.serving.versions import ModelConfig, models_in

    settings = read_settings(**options)
    names = {
        "tfaigc.serving.requests": settings.log_requests,
        "tfaigc.serving.texts": settings.watch is not None and settings.watch.log_texts,
    }
    lines = _printed([name for name, wanted in names.items() if wanted])

    def models() -> list[ModelConfig]:
        if directory is None:
            return read_model_config(Path(str(model_config_file)))
        return models_in(Path(directory).absolute(), model_name)

    def ready(listening: Listening) -> None:
        screen.fact("page", listening.url)
        for name in listening.core.manager.names():
            screen.fact("model", f"{listening.url}/v1/models/{name}")
        if listening.grpc_url:
            screen.fact("gRPC", listening.grpc_url)
        screen.remark("Ctrl-C ends it")

    with lines:
        run(models, settings, ready=ready)
    screen.remark("Answered what was under way, and ended")


def read_settings(
    *,
    timeout: float = 30.0,
    max_body_bytes: int = 16 * 1024 * 1024,
    token_file: str | None = None,
    certificate: str | None = None,
    private_key: str | None = None,
    requests_per_second: float | None = None,
    watch: float | None = None,
    log_texts: str | None = None,
    **options: Any,
) -> Settings:
    """Makes settings of flat options.

    Args:
        timeout: Seconds until a call is given up.
        max_body_bytes: The largest request.
        token_file: Bearer tokens, one a line.
        certificate: For TLS, a PEM file.
        private_key: For TLS, a PEM file.
        requests_per_second: Of each client.
        watch: The share of the requests whose lengths, scores and labels are counted.
        log_texts: "redacted" or "raw" to print the texts of these.
        options: Attributes of `Settings` and `Batching`.

    Returns:
        The settings.

    Raises:
        ServingError: An option is wrong.
    """
    from tfaigc.serving.access import Access
    from tfaigc.serving.batching import Batching
    from tfaigc.serving.keys import Keys
    from tfaigc.serving.limits import Limits
    from tfaigc.serving.rates import RateLimit
    from tfaigc.serving.server import Settings
    from tfaigc.serving.watch import WatchSettings

    if log_texts and watch is None:
        raise ServingError(
            f"Texts are logged of requests that are watched. Received: log_texts={log_texts!r} "
            "alone. Pass watch=0.1 too, for a tenth of the requests."
        )
    names = {field.name for field in fields(Batching)}
    return Settings(
        batching=Batching(**{name: options.pop(name) for name in names & set(options)}),
        limits=Limits(timeout=timeout, max_body_bytes=max_body_bytes),
        access=Access(
            keys=Keys(Path(token_file)) if token_file else None,
            rate=RateLimit(requests_per_second) if requests_per_second else None,
            certificate=Path(certificate) if certificate else None,
            private_key=Path(private_key) if private_key else None,
        ),
        watch=None if watch is None else WatchSettings(watch, log_texts),
        **options,
    )


class _Lossy(QueueHandler):
    """Drops lines when nobody reads them: a server must not wait for its log."""

    def enqueue(self, record: logging.LogRecord) -> None:
        """Hands a line over, if there is room."""
        with suppress(Full):
            self.queue.put_nowait(record)


class _Printer(QueueListener):
    """Prints what is left before it ends, be there ever so much."""

    def __init__(self, lines: Queue[Any], handler: logging.Handler) -> None:
        super().__init__(lines, handler)
        self._lines = lines

    def enqueue_sentinel(self) -> None:
        """Waits for room for the mark of the end."""
        self._lines.put(None)


@contextmanager
def _printed(names: Sequence[str]) -> Iterator[None]:
    """Sends what some loggers are told to stdout as it is, for programs to read."""
    if not names:
        yield
        return
    loggers, lines = [logging.getLogger(name) for name in names], Queue[Any](_MOST_LINES)
    handler, printer = _Lossy(lines), _Printer(lines, logging.StreamHandler(sys.stdout))
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(handler)
    printer.start()
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.propagate = True
        printer.stop()
