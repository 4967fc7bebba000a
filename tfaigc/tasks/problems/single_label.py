"""One class for each example."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tfaigc.data import Table, check_examples
from tfaigc.evaluation import Report, classification_report
from tfaigc.training.losses import cross_entropy


class SingleLabel:
    """One class for each example: a softmax over the logits.

    Args:
        labels: The class names in their order.
    """

    problem_type: ClassVar[str] = "single_label_classification"
    monitor: ClassVar[str] = "accuracy"

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    def loss(
        self,
        *,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
    ) -> keras.losses.Loss:
        """Returns cross-entropy; see ``training.losses.cross_entropy``."""
        return cross_entropy(
            num_classes=len(self.labels),
            class_weights=class_weights,
            label_smoothing=label_smoothing,
            focal_gamma=focal_gamma,
        )

    def describe(self) -> str:
        """Says what the model gives."""
        return f"classes {', '.join(self.labels)}"

    def metrics(self) -> list[Any]:
        """Returns accuracy."""
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def targets(self, table: Table, *fields: str) -> np.ndarray:
        """Takes each record's ``label`` to a class number, int32, (records,)."""
        return check_examples(table, *fields, labels=self.labels)[1].ids

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits to the SavedModel's outputs.

        Args:
            logits: float32, (batch, classes).

        Returns:
            ``label``: string, (batch,); ``score``: float32, (batch,), the label's probability;
            ``probabilities``: float32, (batch, classes).
        """
        probabilities = tf.nn.softmax(logits)
        return {
            "label": tf.gather(tf.constant(self.labels), tf.argmax(logits, axis=-1)),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns ``classify``: ``classes``, string, and ``scores``, both (batch, classes)."""
        return {"classify": lambda served: classes_and_scores(self.labels, served["probabilities"])}

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits to each example's ``label``, ``score`` and ``probabilities`` by label."""
        return [
            {
                "label": self.labels[int(row.argmax())],
                "score": float(row.max()),
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
            }
            for row in softmax(logits)
        ]

    def report(self, table: Table, logits: np.ndarray, *, texts: list[str]) -> Report:
        """Compares logits with the records' labels."""
        return classification_report(
            class_names=self.labels,
            references=self.targets(table),
            probabilities=softmax(logits),
            texts=texts,
        )


def classes_and_scores(labels: Sequence[str], scores: Any) -> dict[str, Any]:
    """Gives scores the form of TensorFlow Serving's Classify call.

    Args:
        labels: The class names in their order.
        scores: float32, (batch, classes).

    Returns:
        ``classes``: string, (batch, classes); ``scores``.
    """
    names = tf.broadcast_to(tf.constant(labels), tf.shape(scores))
    return {"classes": names, "scores": scores}


def softmax(logits: np.ndarray) -> np.ndarray:
    """Takes logits to probabilities over the last axis, in float64 against rounding.

    Example:
        >>> softmax(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """
    shifted = np.asarray(logits, "float64")
    exponentials = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
