"""``tfaigc serve``: SavedModels behind the interfaces of TensorFlow Serving."""

from __future__ import annotations

import importlib.util
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfaigc.errors import ServingError
from tfaigc.workflows.screen import Screen

if TYPE_CHECKING:
    from tfaigc.serving.server import Listening

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


def serve(
    directory: str | None,
    *,
    model_config_file: str | None = None,
    model_name: str | None = None,
    timeout: float = 30.0,
    screen: Screen,
    **options: Any,
) -> None:
    """Serves models until SIGTERM or SIGINT.

    Args:
        directory: One that holds versions, or models; None where a file names the models.
        model_config_file: A model config file of TensorFlow Serving.
        model_name: What to call the single model of a directory.
        timeout: Seconds until a call is given up.
        screen: Where remarks go.
        options: Attributes of `Settings` and `Batching`.

    Raises:
        ServingError: There is nothing to serve, an option is wrong, or the port is taken.
    """
    from tfaigc.serving.limits import Limits
    from tfaigc.serving.model_config import read_model_config
    from tfaigc.serving.scheduling import Batching
    from tfaigc.serving.server import Settings
    from tfaigc.serving.server import serve as run
    from tfaigc.serving.versions import ModelConfig, models_in

    names = {field.name for field in fields(Batching)}
    batching = Batching(**{name: options.pop(name) for name in names & set(options)})
    settings = Settings(batching=batching, limits=Limits(timeout=timeout), **options)

    def models() -> list[ModelConfig]:
        if directory is None:
            return read_model_config(Path(str(model_config_file)))
        return models_in(Path(directory).absolute(), model_name)

    def ready(listening: Listening) -> None:
        for name in listening.core.manager.names():
            screen.fact("model", f"{listening.url}/v1/models/{name}")
        if listening.grpc_url:
            screen.fact("gRPC", listening.grpc_url)
        screen.remark("Ctrl-C ends it")

    run(models, settings, ready=ready)
    screen.remark("Answered what was under way, and ended")
