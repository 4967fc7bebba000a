"""Learning rates that warm up and decay over a run whose length ``fit`` tells."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfaigc.errors import ConfigError, suggestion

SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")


@keras.saving.register_keras_serializable("tfaigc")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise to the peak, then a decay to zero at the run's last step.

    The rates are those of the schedules of the same names in Hugging Face's Trainer; the cosine
    is half a period (Loshchilov and Hutter, arXiv:1608.03983, without restarts).

    Args:
        learning_rate: The peak.
        kind: ``"linear"``, ``"cosine"``, ``"constant_with_warmup"``, or ``"constant"``, which
            does not warm up either.
        warmup_steps: Steps of the rise; below 1, the share of all steps that it takes.

    Raises:
        ConfigError: An argument is out of its range.

    Example:
        >>> schedule = WarmupSchedule(1.0, kind="linear", warmup_steps=0.5)
        >>> schedule.plan(total_steps=4)
        >>> [float(schedule(step)) for step in range(5)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    def __init__(
        self, learning_rate: float, *, kind: str = "linear", warmup_steps: float = 0.1
    ) -> None:
        if kind not in SCHEDULES:
            raise ConfigError(
                f"lr_scheduler_type must be one of {', '.join(SCHEDULES)}. Received: {kind!r}."
                f"{suggestion(kind, SCHEDULES)}"
            )
        if not learning_rate > 0:
            raise ConfigError(f"learning_rate must be above 0. Received: {learning_rate}.")
        if warmup_steps < 0:
            raise ConfigError(
                "warmup_steps must be a number of steps, or a share of them below 1. "
                f"Received: {warmup_steps}."
            )
        self.learning_rate = learning_rate
        self.kind = kind
        self.warmup_steps = warmup_steps
        # Variables, so that a compiled train step sees the length of the run that it is in.
        self._first = keras.Variable(0.0, trainable=False, name="first_step")
        self._total = keras.Variable(1.0, trainable=False, name="total_steps")
        self._warmup = keras.Variable(0.0, trainable=False, name="warmup_steps")
        self._scale = keras.Variable(1.0, trainable=False, name="scale")

    def plan(self, *, total_steps: int, first_step: int = 0) -> None:
        """States the run that the rates are for.

        Args:
            total_steps: The number of optimizer steps from the first to the last.
            first_step: The optimizer's count of steps when the run began.
        """
        share = 0 < self.warmup_steps < 1
        warmup = math.ceil(total_steps * self.warmup_steps) if share else int(self.warmup_steps)
        self._first.assign(float(first_step))
        self._total.assign(float(total_steps))
        self._warmup.assign(float(warmup))

    def scale(self, factor: float) -> None:
        """Multiplies all rates, as when a run has diverged.

        Args:
            factor: Takes the place of the factor before, which is 1 at first.
        """
        self._scale.assign(factor)

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step.

        Args:
            step: int, (): the optimizer's count of steps.

        Returns:
            float32, ().
        """
        peak = self.learning_rate * ops.convert_to_tensor(self._scale)
        if self.kind == "constant":
            return peak
        done = ops.cast(step, "float32") - self._first
        rise = done / ops.maximum(self._warmup, 1.0)
        decay_steps = ops.maximum(self._total - self._warmup, 1.0)
        progress = ops.clip((done - self._warmup) / decay_steps, 0.0, 1.0)
        if self.kind == "linear":
            fall = 1.0 - progress
        elif self.kind == "cosine":
            fall = 0.5 * (1.0 + ops.cos(math.pi * progress))
        else:
            fall = ops.ones_like(progress)
        return peak * ops.where(done < self._warmup, rise, fall)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "kind": self.kind,
            "warmup_steps": self.warmup_steps,
        }
