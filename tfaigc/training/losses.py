"""Cross-entropy with class weights, label smoothing and a focus on hard examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfaigc.errors import ConfigError


def cross_entropy(
    *,
    num_classes: int,
    class_weights: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
    focal_gamma: float = 0.0,
    several: bool = False,
) -> keras.losses.Loss:
    """Makes the loss of a classifier's logits; its mean is over examples, whatever they weigh.

    Args:
        num_classes: Number of classes.
        class_weights: Factor on the loss of each class's examples; None: all 1. For several
            classes at once: on the loss of each class.
        label_smoothing: Share of the target that is spread over all classes (Szegedy et al.,
            arXiv:1512.00567, section 7); for several classes at once, over yes and no.
        focal_gamma: Exponent of the focal loss (Lin et al., arXiv:1708.02002, section 3.2), which
            lets examples count less that are right already; 0: none.
        several: Whether an example may be of several classes: targets are then 0 or 1 for each
            class, and the loss is the mean of the binary cross-entropies.

    Returns:
        The loss. Targets are int, (batch,), or, for several, (batch, classes).

    Raises:
        ConfigError: An argument is out of its range.
    """
    if not 0 <= label_smoothing < 1:
        raise ConfigError(
            f"label_smoothing must be at least 0 and below 1. Received: {label_smoothing}."
        )
    if not focal_gamma >= 0:
        raise ConfigError(f"focal_gamma must be at least 0. Received: {focal_gamma}. 2 is usual.")
    if class_weights is not None and (
        len(class_weights) != num_classes or not all(0 <= each < np.inf for each in class_weights)
    ):
        raise ConfigError(
            f"class_weights must be {num_classes} numbers, one for each class, from 0 on. "
            f"Received: {list(class_weights)}. Give them in the order of the labels."
        )
    if not (class_weights or label_smoothing or focal_gamma):
        plain = keras.losses.BinaryCrossentropy if several else None
        return (plain or keras.losses.SparseCategoricalCrossentropy)(from_logits=True)
    return _CrossEntropy(class_weights, label_smoothing, focal_gamma, several)


class _CrossEntropy(keras.losses.Loss):
    """See ``cross_entropy``."""

    def __init__(
        self,
        class_weights: Sequence[float] | None,
        label_smoothing: float,
        focal_gamma: float,
        several: bool,
    ) -> None:
        super().__init__(name="cross_entropy")
        self.class_weights = None if class_weights is None else list(class_weights)
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma
        self.several = several

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each example's loss, float, (batch,)."""
        if self.several:
            y_true = ops.cast(y_true, y_pred.dtype)
            yes, no = ops.log_sigmoid(y_pred), ops.log_sigmoid(-y_pred)
            likelihood = y_true * yes + (1 - y_true) * no
            spread = (yes + no) / 2
        else:
            log_probabilities = ops.log_softmax(y_pred, axis=-1)
            y_true = ops.cast(ops.reshape(y_true, ops.shape(y_pred)[:-1]), "int32")
            likelihood = ops.take_along_axis(log_probabilities, y_true[..., None], axis=-1)[..., 0]
            spread = ops.mean(log_probabilities, axis=-1)
        loss = -likelihood
        if self.focal_gamma:
            loss = loss * (1 - ops.exp(likelihood)) ** self.focal_gamma
        loss = (1 - self.label_smoothing) * loss - self.label_smoothing * spread
        if self.class_weights is not None:
            weights = ops.convert_to_tensor(self.class_weights, loss.dtype)
            loss = loss * (weights if self.several else ops.take(weights, y_true))
        return ops.mean(loss, axis=-1) if self.several else loss

    def get_config(self) -> dict[str, Any]:
        """Returns what the loss is made from."""
        return {
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
            "focal_gamma": self.focal_gamma,
            "several": self.several,
        }
