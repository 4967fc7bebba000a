"""The learning rate of the step that an optimizer stands at."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.errors import TrainingError
from tfaigc.training.schedules import WarmupSchedule


def current_learning_rate(model: keras.Model) -> float | None:
    """Reads the learning rate that the next step will use.

    Args:
        model: A compiled model; its optimizer may be wrapped to scale the loss.

    Returns:
        The rate, or `None` where the optimizer has none.
    """
    rate = getattr(_optimizer(model), "learning_rate", None)
    return None if rate is None else float(rate.numpy())


def lower_learning_rate(model: keras.Model, factor: float, *, lowered: float = 1.0) -> None:
    """Multiplies all learning rates to come.

    Args:
        model: A compiled model.
        factor: What the rates are multiplied by, seen from where the run began.
        lowered: By what factor the optimizer's own rate has been multiplied already; a
            `WarmupSchedule` knows that itself.

    Raises:
        TrainingError: The rates come from a schedule that cannot be changed.
    """
    optimizer = _optimizer(model)
    schedule = optimizer._learning_rate
    if isinstance(schedule, WarmupSchedule):
        schedule.scale(factor)
        return
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise TrainingError(
            "on_nan='rollback' must be able to lower the learning rate. Received: a "
            f"{type(schedule).__name__}. Compile with learning_rate= and lr_scheduler_type=, or "
            "pass on_nan='stop'."
        )
    optimizer.learning_rate = float(optimizer.learning_rate.numpy()) * factor / lowered


def _optimizer(model: keras.Model) -> Any:
    optimizer: Any = getattr(model, "optimizer", None)
    return getattr(optimizer, "inner_optimizer", optimizer)
