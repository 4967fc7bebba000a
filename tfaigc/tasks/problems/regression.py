"""Numbers for each example."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from tfaigc.data import Table, check_numbers
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report, regression_report


class Regression:
    """One or more numbers for each example: the logits themselves.

    Args:
        labels: A name for each number.
    """

    problem_type: ClassVar[str] = "regression"
    monitor: ClassVar[str] = "rmse"

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    def loss(self, *, huber_delta: float | None = None) -> keras.losses.Loss:
        """Returns a loss over the numbers.

        Args:
            huber_delta: Error from which on the loss grows linearly (Huber, 1964, Ann. Math.
                Stat. 35); None: the mean squared error.

        Returns:
            The loss.

        Raises:
            ConfigError: The error is not above 0.
        """
        if huber_delta is None:
            return keras.losses.MeanSquaredError()
        if not huber_delta > 0:
            raise ConfigError(f"huber_delta must be above 0. Received: {huber_delta}. 1 is usual.")
        return keras.losses.Huber(delta=huber_delta)

    def describe(self) -> str:
        """Says what the model gives."""
        return "one number" if len(self.labels) == 1 else f"numbers {', '.join(self.labels)}"

    def metrics(self) -> list[Any]:
        """Returns the mean absolute error and the root of the mean squared error."""
        return [
            keras.metrics.MeanAbsoluteError(name="mae"),
            keras.metrics.RootMeanSquaredError(name="rmse"),
        ]

    def targets(self, table: Table, *fields: str) -> np.ndarray:
        """Takes each record's ``label`` to its numbers, float32, (records, numbers)."""
        return check_numbers(table, *fields, count=len(self.labels))[1]

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits to the SavedModel's outputs.

        Args:
            logits: float32, (batch, numbers).

        Returns:
            ``score``: float32, (batch,); (batch, numbers) where there are several.
        """
        return {"score": logits[:, 0] if len(self.labels) == 1 else logits}

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns ``regress``: ``outputs``, float32, (batch,), where there is one number."""
        if len(self.labels) > 1:
            return {}
        return {"regress": lambda served: {"outputs": served["score"]}}

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits to each example's ``score``, or to ``scores`` by name where several."""
        rows = np.asarray(logits, "float64").tolist()
        if len(self.labels) == 1:
            return [{"score": row[0]} for row in rows]
        return [{"scores": dict(zip(self.labels, row, strict=True))} for row in rows]

    def report(self, table: Table, logits: np.ndarray, *, texts: list[str]) -> Report:
        """Compares the model's numbers with the records'."""
        return regression_report(
            names=self.labels,
            references=self.targets(table),
            predictions=np.asarray(logits, "float64"),
            texts=texts,
        )
