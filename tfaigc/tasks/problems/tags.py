"""A tag for each word: of entities, or of the words themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfaigc.evaluation import Report, TaggedSentences, entity_report, tag_report
from tfaigc.tagging import OUTSIDE, find_spans, inside_tag, scheme_of_labels
from tfaigc.tasks.problems.single_label import softmax
from tfaigc.training.entities import EntityF1
from tfaigc.training.losses import cross_entropy
from tfaigc.training.token_losses import TokenAccuracy, TokenCrossEntropy

# What words without a token of their own have in place of a logit: as good as never.
_NEVER = -100.0


class WordTags:
    """A tag for each word, such as a part of speech: a softmax over each first token's logits.

    Args:
        labels: The tags in their order.
        label_all: Whether training labels a word's further tokens too.
    """

    monitor: ClassVar[str] = "accuracy"
    listed: ClassVar[str] = "words"

    def __init__(self, labels: Sequence[str], *, label_all: bool = False) -> None:
        self.labels = tuple(labels)
        self.label_all = label_all

    def describe(self) -> str:
        """Says what the model gives."""
        return f"{len(self.labels)} tags of words"

    def loss(
        self,
        *,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
    ) -> keras.losses.Loss:
        """Returns cross-entropy, the mean over labelled tokens; see ``training.losses``."""
        return _TagCrossEntropy(
            cross_entropy(
                num_classes=len(self.labels),
                class_weights=class_weights,
                label_smoothing=label_smoothing,
                focal_gamma=focal_gamma,
            )
        )

    def metrics(self) -> list[Any]:
        """Returns the accuracy of labelled tokens."""
        return [TokenAccuracy()]

    def inside(self) -> np.ndarray | None:
        """Returns the label that a word's further tokens get, by the word's own; None: none."""
        return np.arange(len(self.labels), dtype=np.int32) if self.label_all else None

    def without_token(self) -> np.ndarray:
        """Returns the logits of a word that has no token of its own, float32, (labels,)."""
        return np.zeros(len(self.labels), np.float32)

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits of tokens to outputs of the SavedModel.

        Args:
            logits: float32, (batch, length, labels).

        Returns:
            ``label``: string, (batch, length); ``score``: float32, (batch, length), the label's
            probability; ``probabilities``: float32, (batch, length, labels).
        """
        probabilities = tf.nn.softmax(logits)
        return {
            "label": tf.gather(tf.constant(self.labels), tf.argmax(logits, axis=-1)),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def tags(self, logits: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Takes a sentence's logits, float32, (words, labels), to tags and their scores."""
        probabilities = softmax(logits)
        return [self.labels[each] for each in logits.argmax(axis=-1)], probabilities.max(axis=-1)

    def pieces(self, tags: Sequence[str], scores: np.ndarray) -> list[tuple[int, int, str, float]]:
        """Takes tags to what is listed of a text.

        Args:
            tags: A tag for each word.
            scores: float, (words,).

        Returns:
            For each piece its first word, the word behind its last, its label and its score.
        """
        pairs = zip(tags, scores.tolist(), strict=True)
        return [(place, place + 1, tag, score) for place, (tag, score) in enumerate(pairs)]

    def report(self, sentences: TaggedSentences) -> Report:
        """Compares tags with the true ones."""
        return tag_report(sentences, names=self.labels)


class Entities(WordTags):
    """Entities, whose words have tags of BIO or its kin.

    Args:
        labels: The tags in their order.
        label_all: Whether training labels a word's further tokens too.
    """

    monitor: ClassVar[str] = "f1"
    listed: ClassVar[str] = "entities"

    def describe(self) -> str:
        """Says what the model gives."""
        types = dict.fromkeys(span.label for label in self.labels for span in find_spans([label]))
        return f"entities {', '.join(types)}"

    def metrics(self) -> list[Any]:
        """Returns the accuracy of labelled tokens, and F1 of whole entities."""
        return [TokenAccuracy(), EntityF1(self.labels)]

    def inside(self) -> np.ndarray | None:
        """Returns the label that a word's further tokens get, by the word's own; None: none."""
        scheme = scheme_of_labels(self.labels)
        if not self.label_all or scheme is None:
            return None
        names = [inside_tag(label, scheme) for label in self.labels]
        places = [
            self.labels.index(name if name in self.labels else OUTSIDE.prefix) for name in names
        ]
        return np.array(places, np.int32)

    def without_token(self) -> np.ndarray:
        """Returns the logits of a word that has no token of its own: it is outside."""
        outside = [0.0 if label == OUTSIDE.prefix else _NEVER for label in self.labels]
        return np.array(outside, np.float32)

    def pieces(self, tags: Sequence[str], scores: np.ndarray) -> list[tuple[int, int, str, float]]:
        """Takes tags to entities; an entity's score is the mean of its words'."""
        return [(*span, float(scores[span.start : span.end].mean())) for span in find_spans(tags)]

    def report(self, sentences: TaggedSentences) -> Report:
        """Compares entities with the true ones."""
        return entity_report(sentences)


def make_tags(labels: Sequence[str], *, label_all: bool = False) -> WordTags:
    """Tells tags of entities from others.

    Args:
        labels: The tags in their order.
        label_all: Whether training labels a word's further tokens too.

    Returns:
        What they mean.
    """
    kind = Entities if scheme_of_labels(labels) else WordTags
    return kind(labels, label_all=label_all)


class _TagCrossEntropy(TokenCrossEntropy):
    """A loss of each token as the mean over those that count."""

    def __init__(self, of_each: keras.losses.Loss) -> None:
        super().__init__(name="cross_entropy")
        self.of_each = of_each

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each token's share of the mean, float, (batch, tokens)."""
        counted = ops.cast(ops.greater_equal(y_true, 0), y_pred.dtype)
        losses = self.of_each.call(ops.maximum(y_true, 0), y_pred)
        return losses * counted / ops.maximum(ops.sum(counted), 1.0)
