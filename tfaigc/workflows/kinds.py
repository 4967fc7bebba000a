"""The tasks of recipes and stored models: their targets, and the classes that learn them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfaigc.recipe import Recipe
from tfaigc.workflows.targets import Numbers, OneClass, SeveralClasses, TargetKind

if TYPE_CHECKING:
    from tfaigc.tasks.text_task import TextTask


@dataclass(frozen=True)
class TaskKind:
    """A task, known before TensorFlow loads.

    Attributes:
        class_name: Its class in ``tfaigc.tasks``.
        targets: What its records must say.
        loss_keys: The recipe's keys that ``compile`` takes beside those of every task, with the
            names that they have there.
        arguments: What ``from_pretrained`` takes beside labels, length, seed and dtype.
    """

    class_name: str
    targets: TargetKind
    loss_keys: Mapping[str, str]
    arguments: Mapping[str, Any]

    def load_class(self) -> type[TextTask]:
        """Imports the class, and TensorFlow with it."""
        from tfaigc import tasks

        chosen: type[TextTask] = getattr(tasks, self.class_name)
        return chosen


_CLASSIFIER_KEYS = {
    "class_weights": "class_weights",
    "label_smoothing_factor": "label_smoothing",
    "focal_gamma": "focal_gamma",
}
ONE_CLASS = TaskKind("TextClassifier", OneClass(), _CLASSIFIER_KEYS, {"multi_label": False})
SEVERAL_CLASSES = TaskKind(
    "TextClassifier", SeveralClasses(), _CLASSIFIER_KEYS, {"multi_label": True}
)
NUMBERS = TaskKind("TextRegressor", Numbers(), {"huber_delta": "huber_delta"}, {})


def kind_of_recipe(recipe: Recipe) -> TaskKind:
    """Returns the kind of task that a recipe asks for."""
    if recipe.task == "text-regression":
        return NUMBERS
    return SEVERAL_CLASSES if recipe.multi_label else ONE_CLASS


def kind_of_model(directory: Path) -> TaskKind:
    """Returns the kind of task that a stored model has learnt.

    Args:
        directory: The model's directory.

    Returns:
        The kind that ``problem_type`` in ``config.json`` names. Without one, a head with a single
        output counts as one of numbers, as in ``transformers``.
    """
    try:
        stated = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        problem = stated.get("problem_type")
        single = len(stated.get("id2label") or ()) == 1
    except (OSError, ValueError, AttributeError, TypeError):
        return ONE_CLASS  # Loading the model will say what is wrong.
    if problem == "regression" or (problem is None and single):
        return NUMBERS
    return SEVERAL_CLASSES if problem == "multi_label_classification" else ONE_CLASS
