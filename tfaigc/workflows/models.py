"""Models from their sources, as the verbs need them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.errors import SourceError
from tfaigc.sources import is_remote, resolve
from tfaigc.workflows.kinds import kind_of_model
from tfaigc.workflows.loading import load_tensorflow
from tfaigc.workflows.screen import Screen, count_of

if TYPE_CHECKING:
    from tfaigc.tasks import Task

# Networks that have no longest text state such a one, or a longer one.
_NO_LIMIT = 2**20


def load_model(model: str, *, screen: Screen) -> Task:
    """Loads a trained model with its head and labels.

    Args:
        model: Its source, usually a directory that `train` wrote.
        screen: Where remarks go.

    Returns:
        The model.

    Raises:
        TfaigcError: It cannot be loaded.
    """
    local = find_model(model)
    load_tensorflow(screen)
    loaded: Task = kind_of_model(local).load_class().from_pretrained(local)
    screen.fact("model", describe_model(model, loaded))
    return loaded


def find_model(model: str) -> Path:
    """Finds or fetches a model's files, before TensorFlow loads.

    Args:
        model: Its source.

    Returns:
        A local directory.

    Raises:
        SourceError: It cannot be found; a run directory leads to the model in it.
    """
    path = Path(model)
    if not is_remote(model) and path.is_dir() and not (path / "config.json").exists():
        inner = path / "model"
        if (inner / "config.json").exists():
            raise SourceError(
                "A model must be a directory with config.json. Received: the run directory "
                f"{model!r}. Name the model in it: {inner}"
            )
    return resolve(model)


def describe_model(source: str, model: Task) -> str:
    """Puts a model into one line.

    Args:
        source: What the user called it.
        model: The model.

    Returns:
        Its source, size, outputs and length.
    """
    named, _, _ = source.partition("#")
    is_bounded = model.max_length < _NO_LIMIT
    length = f"up to {model.max_length} tokens" if is_bounded else "of any length"
    return f"{named}: {count_of(model.count_params())} parameters, {model.describe()}, {length}"
