"""Problem: what tasks with one row of logits for each example ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import keras
import numpy as np

from tfaigc.data import Table
from tfaigc.evaluation import Report


class Problem(Protocol):
    """What a row of logits means, and what is right.

    Attributes:
        problem_type: Its name in ``config.json``, as ``transformers`` knows it.
        monitor: The metric of validation that picks the best epoch.
        labels: A name for each logit.
    """

    problem_type: ClassVar[str]
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

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits, float32, (batch, outputs), to a SavedModel's outputs, in its graph."""
        ...

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example`` in TensorFlow Serving, by the signature's name."""
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
