"""Any number of classes for each example."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tfaigc.data import Table, check_label_lists
from tfaigc.evaluation import Report, multi_label_report
from tfaigc.tasks.problems.single_label import classes_and_scores
from tfaigc.training.losses import cross_entropy


class MultiLabel:
    """Any number of classes for each example: a yes or no for each, by the logit's sign.

    Args:
        labels: The class names in their order.
    """

    problem_type: ClassVar[str] = "multi_label_classification"
    monitor: ClassVar[str] = "micro_f1"

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    def loss(
        self,
        *,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
    ) -> keras.losses.Loss:
        """Returns the mean of binary cross-entropies; see ``training.losses.cross_entropy``."""
        return cross_entropy(
            num_classes=len(self.labels),
            class_weights=class_weights,
            label_smoothing=label_smoothing,
            focal_gamma=focal_gamma,
            several=True,
        )

    def describe(self) -> str:
        """Says what the model gives."""
        return f"several of the classes {', '.join(self.labels)}"

    def metrics(self) -> list[Any]:
        """Returns accuracy over all decisions, and micro-averaged F1."""
        return [
            keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),
            keras.metrics.F1Score(average="micro", threshold=1e-7, name="micro_f1"),
        ]

    def targets(self, table: Table, *fields: str) -> np.ndarray:
        """Takes each record's ``labels`` to 0 or 1 for each class, int32, (records, classes)."""
        return check_label_lists(table, *fields, labels=self.labels)[1]

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits to the SavedModel's outputs.

        Args:
            logits: float32, (batch, classes).

        Returns:
            ``labels``: string, (batch, classes): the names of an example's classes, the likeliest
            first, then empty strings; ``probabilities``: float32, (batch, classes), in the order
            of the classes.
        """
        order = tf.argsort(logits, axis=-1, direction="DESCENDING", stable=True)
        names = tf.gather(tf.constant(self.labels), order)
        belongs = tf.gather(logits, order, batch_dims=1) > 0
        return {
            "labels": tf.where(belongs, names, ""),
            "probabilities": tf.nn.sigmoid(logits),
        }

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns ``classify``: ``classes``, string, and ``scores``, both (batch, classes)."""
        return {"classify": lambda served: classes_and_scores(self.labels, served["probabilities"])}

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits to each example's ``labels``, likeliest first, and ``probabilities``."""
        return [
            {
                "labels": [self.labels[each] for each in np.argsort(-row) if row[each] > 0],
                "probabilities": dict(zip(self.labels, sigmoid(row).tolist(), strict=True)),
            }
            for row in np.asarray(logits)
        ]

    def report(self, table: Table, logits: np.ndarray, *, texts: list[str]) -> Report:
        """Compares logits with the records' labels."""
        return multi_label_report(
            class_names=self.labels,
            references=self.targets(table),
            probabilities=sigmoid(logits),
            texts=texts,
        )


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Takes logits to probabilities, each for itself, in float64.

    Example:
        >>> sigmoid(np.array([0.0, 1000.0, -1000.0])).tolist()
        [0.5, 1.0, 0.0]
    """
    positive = np.exp(-np.abs(np.asarray(logits, "float64")))
    return np.where(np.asarray(logits) >= 0, 1 / (1 + positive), positive / (1 + positive))
