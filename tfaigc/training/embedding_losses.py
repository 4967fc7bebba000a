"""Losses over the vectors of texts that belong together.

All take ``y_true``, (batch,), and ``y_pred``, float32, (batch, texts, width): the vectors of each
example's texts. All but the triplet loss compare directions, not lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class MultipleNegativesRanking(keras.losses.Loss):
    """Each anchor's own text among those of the whole batch (arXiv:1705.00652, section 4).

    The first text of an example is the anchor, the second belongs to it; further ones, and all of
    the other examples' but their anchors, do not.

    Args:
        scale: What cosines are multiplied by before the softmax.
    """

    compares_examples = True

    def __init__(self, scale: float = 20.0, name: str = "multiple_negatives_ranking") -> None:
        super().__init__(name=name)
        self.scale = scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each anchor's loss, float32, (batch,)."""
        vectors = _normalized(y_pred)
        batch, width = ops.shape(vectors)[0], vectors.shape[-1]
        others = ops.reshape(ops.transpose(vectors[:, 1:], (1, 0, 2)), (-1, width))
        scores = self.scale * ops.matmul(vectors[:, 0], ops.transpose(others))
        right = ops.arange(batch, dtype="int32")
        return ops.sparse_categorical_crossentropy(right, scores, from_logits=True)


class CosineSimilarity(keras.losses.Loss):
    """The squared difference of a pair's cosine and its score (arXiv:1908.10084, section 3)."""

    def __init__(self, name: str = "cosine_similarity") -> None:
        super().__init__(name=name)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each pair's loss, float32, (batch,)."""
        return ops.square(_cosines(y_pred) - ops.cast(y_true, "float32"))


class Contrastive(keras.losses.Loss):
    """Pairs that match drawn together, others pushed apart (Hadsell et al. 2006).

    Args:
        margin: Distance, 1 - cosine, beyond which others are left alone.
    """

    def __init__(self, margin: float = 0.5, name: str = "contrastive") -> None:
        super().__init__(name=name)
        self.margin = margin

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each pair's loss, float32, (batch,)."""
        distances = 1 - _cosines(y_pred)
        matches = ops.cast(y_true, "float32")
        near = ops.square(ops.relu(self.margin - distances))
        return 0.5 * (matches * ops.square(distances) + (1 - matches) * near)


class Triplet(keras.losses.Loss):
    """The anchor nearer to the second text than to the third (arXiv:1503.03832, equation 2).

    Args:
        margin: By how much, as Euclidean distance.
    """

    def __init__(self, margin: float = 5.0, name: str = "triplet") -> None:
        super().__init__(name=name)
        self.margin = margin

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each triplet's loss, float32, (batch,)."""
        near, far = (_distances(y_pred[:, 0], y_pred[:, index]) for index in (1, 2))
        return ops.relu(near - far + self.margin)


class SupervisedContrastive(keras.losses.Loss):
    """Texts of a class drawn together, away from the batch's others (arXiv:2004.11362, equation 2).

    An example without another of its class in the batch does not count.

    Args:
        temperature: What cosines are divided by before the softmax.
    """

    compares_examples = True

    def __init__(self, temperature: float = 0.1, name: str = "supervised_contrastive") -> None:
        super().__init__(name=name)
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each text's share of the mean, float32, (batch,)."""
        vectors = _normalized(y_pred[:, 0])
        labels = ops.cast(y_true, "int32")
        others = 1 - ops.eye(ops.shape(vectors)[0], dtype="float32")
        scores = ops.matmul(vectors, ops.transpose(vectors)) / self.temperature
        log_total = ops.logsumexp(ops.where(others > 0, scores, -1e9), axis=1, keepdims=True)
        same = ops.cast(labels[:, None] == labels[None, :], "float32") * others
        count = ops.sum(same, axis=1)
        losses = ops.sum(same * (log_total - scores), axis=1) / ops.maximum(count, 1.0)
        counted = ops.sum(ops.cast(count > 0, "float32"))
        rows = ops.cast(ops.shape(vectors)[0], "float32")
        return losses * rows / ops.maximum(counted, 1.0)


class Matryoshka(keras.losses.Loss):
    """The sum of a loss over vectors that are cut to several widths (arXiv:2205.13147).

    Args:
        loss: The loss.
        widths: The widths, of which each takes a vector's first numbers.
    """

    def __init__(
        self, loss: keras.losses.Loss, widths: Sequence[int], name: str = "matryoshka"
    ) -> None:
        super().__init__(name=name)
        self.loss = loss
        self.widths = tuple(widths)

    @property
    def compares_examples(self) -> bool:
        """Whether an example's loss depends on the others of its step."""
        return bool(getattr(self.loss, "compares_examples", False))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each example's loss, float32, (batch,)."""
        return sum(self.loss.call(y_true, y_pred[..., :width]) for width in self.widths)


def _normalized(vectors: Any) -> Any:
    """Scales vectors to length 1."""
    return vectors * ops.rsqrt(
        ops.maximum(ops.sum(ops.square(vectors), axis=-1, keepdims=True), 1e-24)
    )


def _cosines(vectors: Any) -> Any:
    """Compares the first two texts of each example: float32, (batch,)."""
    unit = _normalized(vectors)
    return ops.sum(unit[:, 0] * unit[:, 1], axis=-1)


def _distances(ones: Any, others: Any) -> Any:
    """Computes Euclidean distances, whose gradient is finite at 0: float32, (batch,)."""
    squared = ops.sum(ops.square(ones - others), axis=-1)
    return ops.sqrt(ops.maximum(squared, 1e-12))
