"""Stopping when the model no longer gets better."""

from __future__ import annotations

import logging
from typing import Any

import keras
import numpy as np

from tfaigc.training.callbacks.monitors import Monitor, Reading
from tfaigc.training.callbacks.steps import Resume

_LOGGER = logging.getLogger(__name__)


class EarlyStopping(keras.callbacks.Callback):
    """Stops a run that has ceased to improve, and leaves the model with its best weights.

    It differs from `keras.callbacks.EarlyStopping(restore_best_weights=True)` in what it does
    without validation data (the training loss stands in, without a warning) and in that its state
    rides in our checkpoints, so that a resumed run stops where an uninterrupted one would have.

    Args:
        monitor: The metric to go by.
        patience: Epochs without improvement after which training stops; `None` never stops, and
            only brings the best weights back at the end.
        min_delta: The least change that counts as an improvement.
        mode: `"min"`, `"max"`, or `"auto"` to go by the metric's name.

    Attributes:
        best: The best reading so far.
        best_epoch: The epoch of the best reading, from 0.
        stopped_epoch: The epoch after which training was stopped, from 0; `None` if it was not.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int | None = 3,
        min_delta: float = 0.0,
        mode: str = "auto",
    ) -> None:
        super().__init__()
        self.patience = patience
        self.min_delta = min_delta
        self._monitor = Monitor(monitor, mode)
        self._reset()

    def _reset(self) -> None:
        self.best: Reading | None = None
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self._wait = 0
        self._best_weights: list[np.ndarray[Any, Any]] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier run."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares the epoch with the best one."""
        reading = self._monitor.read(logs or {})
        if reading is None:
            return
        if self._monitor.is_better(reading, self.best, min_delta=self.min_delta):
            self.best, self.best_epoch, self._wait = reading, epoch, 0
            self._best_weights = self.model.get_weights()
            return
        self._wait += 1
        if self.patience is not None and self._wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            _LOGGER.info(
                "Stopped after epoch %d: %s has not improved since epoch %d.",
                epoch + 1,
                reading.name,
                (self.best_epoch or 0) + 1,
            )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the best weights back."""
        if self._best_weights is not None:
            self.model.set_weights(self._best_weights)
            # They are a second copy of the model: free them.
            self._best_weights = None

    def get_state(self) -> dict[str, Any]:
        """Gives what `set_state` needs, as values that JSON can hold."""
        best = None if self.best is None else [self.best.name, self.best.value]
        return {"best": best, "best_epoch": self.best_epoch, "wait": self._wait}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        if not state.get("best"):
            return
        weights = resume.best_weights()
        if weights is None:
            _LOGGER.warning(
                "The best checkpoint cannot be read: the best weights are sought from here on."
            )
            return
        name, value = state["best"]
        self.best, self.best_epoch = Reading(name, value), state["best_epoch"]
        self._wait, self._best_weights = state["wait"], weights
