"""What tasks with labels ask of what their logits mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import keras
import numpy as np

from tfaigc.data import Table
from tfaigc.evaluation import Report


class Labelling(Protocol):
    """What logits mean, each of which has a name.

    Attributes:
        monitor: The metric of validation that picks the best epoch.
        labels: A name for each logit.
    """

    monitor: ClassVar[str]
    labels: tuple[str, ...]

    def describe(self) -> str:
        """Says in a few words what a model gives."""
        ...

    def loss(self) -> keras.losses.Loss:
        """Returns the loss over logits."""
        ...

    def metrics(self) -> list[Any]:
        """Returns the metrics that training shows."""
        ...

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits, float32, (batch, ..., labels), to a SavedModel's outputs, in its graph."""
        ...


class Problem(Labelling, Protocol):
    """What a row of logits for each example means, and what is right.

    Attributes:
        problem_type: Its name in ``config.json``, as ``transformers`` knows it.
    """

    problem_type: ClassVar[str]

    def targets(self, table: Table, *fields: str) -> np.ndarray:
        """Checks records and takes them to what the loss compares logits with.

        Args:
            table: The records.
            *fields: The fields that must hold text.

        Returns:
            One row a record.

        Raises:
            DataError: A record lacks a text or a usable target.
        """
        ...

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example``: takes ``serve``'s outputs to its own, by name."""
        ...

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits, float32, (records, outputs), to what ``infer`` returns."""
        ...

    def report(self, table: Table, logits: np.ndarray, *, texts: list[str]) -> Report:
        """Compares logits with the records' targets.

        Args:
            table: The records.
            logits: float32, (records, outputs).
            texts: What to show of each record.

        Returns:
            Metrics, tables and plots.
        """
        ...
