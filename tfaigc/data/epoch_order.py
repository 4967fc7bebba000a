"""EpochOrder: keeps a dataset's epoch equal to that of `fit`."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.data.order import BatchOrder


class EpochOrder(keras.callbacks.Callback):
    """Keeps a dataset's epoch equal to that of `fit`, and ends a resumed epoch where it ends.

    `fit` may take a batch from the dataset to build the model, which would count as an epoch.
    Put this before callbacks that look at `model.stop_training`.

    Args:
        order: The dataset's `batch_order`.
    """

    def __init__(self, order: BatchOrder) -> None:
        super().__init__()
        self.order = order
        self._last_step: int | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the dataset's epoch."""
        self.order.epoch = epoch
        self._last_step = None

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes where an epoch begins, which other callbacks may have set by now."""
        if batch == 0 and self.order.first_step:
            self._last_step = len(self.order) - self.order.first_step - 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends an epoch that began in its middle."""
        if self._last_step is None:
            return
        # The iteration has begun: were this fit to fail, another must not begin in the middle.
        self.order.resume_at(self.order.epoch, 0)
        if batch >= self._last_step:
            # Only this makes fit leave the epoch early; on_epoch_end takes it back.
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Goes on with whole epochs."""
        if self._last_step is not None:
            self.model.stop_training = False
            self._last_step = None
