"""Curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from tfaigc.training.callbacks.learning_rates import current_learning_rate
from tfaigc.training.callbacks.steps import Resume


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras's TensorBoard callback with the learning rate, and with steps that survive a resume.

    Args:
        directory: Where the event files go.
        every_steps: How often the running loss and the learning rate are written; epoch ends
            always are.
    """

    def __init__(self, directory: str | Path, *, every_steps: int = 10) -> None:
        super().__init__(log_dir=str(directory), write_graph=False, update_freq=every_steps)
        self._first_batch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens the event files."""
        self._first_batch = 0
        super().on_train_begin(logs)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the step."""
        # Keras counts from zero in each fit; a resumed run's curve must go on where it broke off.
        self._global_train_batch += self._first_batch
        self._first_batch = 0
        super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the step's values."""
        if self._global_train_batch % self.update_freq:
            return
        rate = current_learning_rate(self.model)
        added = {} if rate is None else {"learning_rate": rate}
        super().on_train_batch_end(batch, {**(logs or {}), **added})

    def get_state(self) -> dict[str, Any]:
        """Gives nothing: the place in the run is enough."""
        return {}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        self._first_batch = resume.point.global_step
