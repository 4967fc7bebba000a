"""Models from their sources, as the verbs need them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.errors import SourceError
from tfaigc.sources import is_remote, resolve
from tfaigc.workflows.loading import load_tensorflow
from tfaigc.workflows.screen import Screen, count_of

if TYPE_CHECKING:
    from tfaigc.tasks import TextClassifier


def load_classifier(model: str, *, screen: Screen) -> TextClassifier:
    """Loads a trained classifier with its head and labels.

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
    from tfaigc.tasks import TextClassifier

    classifier = TextClassifier.from_pretrained(local)
    screen.fact("model", describe_classifier(model, classifier))
    return classifier


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


def describe_classifier(source: str, classifier: TextClassifier) -> str:
    """Puts a model into one line.

    Args:
        source: What the user called it.
        classifier: The model.

    Returns:
        Its source, size, classes and length.
    """
    named, _, _ = source.partition("#")
    return (
        f"{named}: {count_of(classifier.count_params())} parameters, "
        f"classes {', '.join(classifier.labels)}, up to {classifier.max_length} tokens"
    )
