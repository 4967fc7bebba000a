"""``tfaigc serve``: SavedModels behind the interfaces of TensorFlow Serving."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.errors import ServingError
from tfaigc.workflows.screen import Screen

if TYPE_CHECKING:
    from tfaigc.serving.core import Core
    from tfaigc.serving.server import Settings

_NEEDED = ("starlette", "uvicorn", "grpc", "tensorflow_serving", "prometheus_client")


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


def serve(directory: str, *, model_name: str | None, settings: Settings, screen: Screen) -> None:
    """Serves the models of a directory until SIGTERM or SIGINT.

    Args:
        directory: One that holds versions, or models.
        model_name: What to call a single model.
        settings: How to serve.
        screen: Where remarks go.

    Raises:
        ServingError: There is nothing to serve, or the port is taken.
    """
    from tfaigc.serving.server import serve as run
    from tfaigc.serving.versions import models_in

    def ready(url: str, core: Core) -> None:
        for name in core.manager.names():
            screen.fact("model", f"{url}/v1/models/{name}")
        screen.remark("Ctrl-C ends it")

    path = Path(directory).absolute()
    run(lambda: models_in(path, model_name), settings, ready=ready)
    screen.remark("Answered what was under way, and ended")
