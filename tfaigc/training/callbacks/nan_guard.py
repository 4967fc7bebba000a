"""Stopping at the first loss that is not a number."""

from __future__ import annotations

import math
from typing import Any

import keras

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks.learning_rates import current_learning_rate
from tfaigc.training.callbacks.steps import Resume, StepCounter


class NaNGuard(keras.callbacks.Callback):
    """Ends a run whose loss has become NaN or infinite.

    Keras reports the mean loss of the epoch so far. One bad step makes that mean bad for good, so
    a look at it after each step finds the first bad step. Put the guard before `Checkpoint`, and
    the last good checkpoint stays the newest.
    """

    def __init__(self) -> None:
        super().__init__()
        self._steps = StepCounter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._steps.begin_epoch(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the loss of a step."""
        self._steps.end_batch(batch, total=self.params.get("steps"))
        self._check(logs or {}, ("loss",))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the losses of an epoch."""
        self._check(logs or {}, ("loss", "val_loss"))

    def get_state(self) -> dict[str, Any]:
        """Gives nothing: the place in the run is enough."""
        return {}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        self._steps.resume(resume.point)

    def _check(self, logs: dict[str, Any], names: tuple[str, ...]) -> None:
        for name in names:
            value = logs.get(name, 0.0)
            if math.isfinite(value):
                continue
            rate = current_learning_rate(self.model)
            at_rate = "" if rate is None else f", learning rate {rate:.3g}"
            lower = "a lower learning_rate" if not rate else f"learning_rate={rate / 10:.1g}"
            raise TrainingError(
                f"{name} must stay finite. Received: {value} at epoch {self._steps.epoch + 1}, "
                f"step {self._steps.global_step}{at_rate}. Pass {lower}, and check the data for "
                "NaN inputs and labels outside the classes; the last checkpoint is kept."
            )
