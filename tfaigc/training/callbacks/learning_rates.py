"""The learning rate of the step that an optimizer stands at."""

from __future__ import annotations

from typing import Any

import keras


def current_learning_rate(model: keras.Model) -> float | None:
    """Reads the learning rate that the next step will use.

    Args:
        model: A compiled model; its optimizer may be wrapped to scale the loss.

    Returns:
        The rate, or `None` where the optimizer has none.
    """
    optimizer: Any = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(optimizer, "learning_rate", None)
    return None if rate is None else float(rate.numpy())
