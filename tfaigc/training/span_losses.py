"""The loss of models that say where a span of tokens starts and where it ends."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# The logit of a token that cannot be meant: its probability is 0 in float32.
MASKED = -1e9


@keras.saving.register_keras_serializable("tfaigc")
class SpanCrossEntropy(keras.losses.Loss):
    """The mean of two cross-entropies over an example's tokens: of the start, and of the end."""

    def __init__(self, name: str = "span_cross_entropy", **arguments: Any) -> None:
        super().__init__(name=name, **arguments)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each example's loss.

        Args:
            y_true: int, (batch, 2): the columns of the first and of the last token.
            y_pred: float, (batch, length, 2): logits.

        Returns:
            float, (batch,).
        """
        by_edge = ops.transpose(y_pred, (0, 2, 1))
        losses = ops.sparse_categorical_crossentropy(y_true, by_edge, from_logits=True)
        return ops.mean(losses, axis=-1)


class SpanAccuracy(keras.metrics.Mean):
    """The share of examples whose start and end both get the highest logit."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch; see ``SpanCrossEntropy``."""
        found = ops.cast(ops.argmax(y_pred, axis=1), "int32")
        right = ops.all(ops.equal(found, ops.cast(y_true, "int32")), axis=-1)
        super().update_state(ops.cast(right, "float32"))
