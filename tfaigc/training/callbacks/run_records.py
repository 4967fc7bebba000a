"""The run's numbers, step by step and epoch by epoch, for whoever writes them down."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any

import keras

from tfaigc.training.callbacks.learning_rates import current_learning_rate
from tfaigc.training.callbacks.step_loss import StepLoss
from tfaigc.training.callbacks.steps import Resume, StepCounter


class RunRecords(keras.callbacks.Callback):
    """Makes one record per epoch, and one per so many steps.

    `{"event": "step", "step": 50, "epoch": 0.42, "loss": 0.61, "learning_rate": 2e-05}`: the loss
    is the mean over the steps since the record before, and `epoch` counts fractions.
    `{"event": "epoch", "step": 120, "epoch": 1, "seconds": 93.1, "loss": 0.55, "val_loss": ...}`:
    `epoch` counts from 1.

    Args:
        every_steps: How many steps a step record sums up; `None` makes epoch records only.
    """

    def __init__(self, *, every_steps: int | None = 10) -> None:
        super().__init__()
        self.every_steps = every_steps
        self._steps = StepCounter()
        self._losses = StepLoss()

    @abstractmethod
    def begin(self) -> None:
        """Prepares for the first record; the place in the run is known by now."""

    @abstractmethod
    def write(self, record: dict[str, Any]) -> None:
        """Writes a record down."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts anew."""
        self._steps = StepCounter()
        self._fresh = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes when the epoch began."""
        self._steps.begin_epoch(epoch)
        if self._fresh:
            self.begin()
            self._fresh = False
        self._began = time.monotonic()
        self._losses.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Makes a step record when it is due."""
        total = self.params.get("steps")
        self._steps.end_batch(batch, total=total)
        batches = batch + 1
        if not self.every_steps or batches - self._losses.batches < self.every_steps:
            return
        record: dict[str, Any] = {"event": "step", "step": self._steps.global_step}
        if total:
            fraction = self._steps.step_in_epoch / total
            record["epoch"] = round(self._steps.epoch + fraction, 4)
        if "loss" in (logs or {}):
            record["loss"] = self._losses.take((logs or {})["loss"], batches=batches)
        rate = current_learning_rate(self.model)
        if rate is not None:
            record["learning_rate"] = rate
        self.write(record)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Makes the epoch's record."""
        seconds = round(time.monotonic() - self._began, 3)
        step = self._steps.global_step
        head = {"event": "epoch", "step": step, "epoch": epoch + 1, "seconds": seconds}
        self.write({**head, **(logs or {})})

    def get_state(self) -> dict[str, Any]:
        """Gives nothing: the place in the run is enough."""
        return {}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        self._steps.resume(resume.point)
