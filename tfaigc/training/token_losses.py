"""The loss of language models, and what it says in the field's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from tfaigc.errors import ConfigError


def count_targets(y_true: Any) -> Any:
    """Counts the tokens that a batch's mean is over, float32, ()."""
    return ops.sum(ops.cast(ops.greater_equal(y_true, 0), "float32"))


def token_losses(y_true: Any, y_pred: Any, *, label_smoothing: float = 0.0) -> tuple[Any, Any]:
    """Computes each token's cross-entropy.

    Args:
        y_true: int, (batch, tokens): the right ones; below 0 where none counts.
        y_pred: float, (batch, tokens, vocabulary): logits.
        label_smoothing: Share of the target that is spread over the vocabulary.

    Returns:
        float, (batch, tokens): the losses, 0 where none counts; and 1 where one counts, else 0.
    """
    y_true = ops.cast(y_true, "int32")
    counted = ops.cast(ops.greater_equal(y_true, 0), y_pred.dtype)
    losses = ops.sparse_categorical_crossentropy(ops.maximum(y_true, 0), y_pred, from_logits=True)
    if label_smoothing:
        spread = ops.logsumexp(y_pred, axis=-1) - ops.mean(y_pred, axis=-1)
        losses = (1 - label_smoothing) * losses + label_smoothing * spread
    return losses * counted, counted


@keras.saving.register_keras_serializable("tfaigc")
class TokenCrossEntropy(keras.losses.Loss):
    """Cross-entropy as the mean over the tokens that count, whichever texts they are of.

    Args:
        label_smoothing: Share of the target that is spread over the vocabulary (Szegedy et al.,
            arXiv:1512.00567, section 7).

    Raises:
        ConfigError: It is not a share below 1.
    """

    def __init__(
        self, *, label_smoothing: float = 0.0, name: str = "token_cross_entropy", **arguments: Any
    ) -> None:
        super().__init__(name=name, **{**arguments, "reduction": "sum"})
        if not 0 <= label_smoothing < 1:
            raise ConfigError(
                f"label_smoothing must be at least 0 and below 1. Received: {label_smoothing}."
            )
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each token's share of the mean, float, (batch, tokens)."""
        losses, counted = token_losses(y_true, y_pred, label_smoothing=self.label_smoothing)
        return losses / ops.maximum(ops.sum(counted), 1.0)

    def get_config(self) -> dict[str, Any]:
        """Returns what an equal loss is made from."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


class Perplexity(keras.metrics.Mean):
    """The exponential of the mean cross-entropy over all tokens that count."""

    def __init__(self, name: str = "perplexity") -> None:
        super().__init__(name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch; see ``token_losses``."""
        losses, counted = token_losses(y_true, y_pred)
        _count(super().update_state, losses, counted)

    def result(self) -> Any:
        """Returns the perplexity so far."""
        return ops.exp(super().result())


class TokenAccuracy(keras.metrics.Mean):
    """The share of tokens, of those that count, that get the highest logit."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch; see ``token_losses``."""
        y_true = ops.cast(y_true, "int32")
        right = ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), y_true)
        _count(super().update_state, right, ops.greater_equal(y_true, 0))


def _count(update: Callable[..., None], values: Any, counted: Any) -> None:
    """Gives a mean its tokens one by one, (batch, tokens) each.

    Keras takes the mean of each row first: a token of a wide batch would count for less.
    """
    update(ops.reshape(values, (-1,)), sample_weight=ops.reshape(counted, (-1,)))
