"""Curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from tfaigc.training.callbacks.learning_rates import current_learning_rate
from tfaigc.training.callbacks.steps import Resume, StepCounter


class TensorBoard(keras.callbacks.Callback):
    """Writes losses, metrics and the learning rate under the names that Keras's callback uses.

    Keras's own drops the values of an epoch whose last step is not a multiple of `update_freq`,
    has the learning rate at epoch ends only, and counts a resumed run's steps from zero.

    `train/` gets `batch_*` and `batch_learning_rate` every so many steps (the means of the epoch
    so far) and `epoch_*` at epoch ends, `validation/` gets `epoch_*`.

    Args:
        directory: Where the event files go.
        every_steps: How often values within an epoch are written; `None` for epoch ends only.
    """

    def __init__(self, directory: str | Path, *, every_steps: int | None = 10) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.every_steps = every_steps
        self._steps = StepCounter()
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts anew."""
        self._steps = StepCounter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._steps.begin_epoch(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes a step's values when they are due."""
        before, every = self._steps.global_step, self.every_steps
        self._steps.end_batch(batch, total=self.params.get("steps"))
        step = self._steps.global_step
        if every is not None and step // every > before // every:
            self._write("train", "batch", self._with_rate(logs or {}), step=step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes an epoch's values."""
        training, validation = {}, {}
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                validation[name.removeprefix("val_")] = value
            else:
                training[name] = value
        self._write("train", "epoch", self._with_rate(training), step=epoch)
        self._write("validation", "epoch", validation, step=epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the event files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def get_state(self) -> dict[str, Any]:
        """Gives nothing: the place in the run is enough."""
        return {}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        self._steps.resume(resume.point)

    def _with_rate(self, values: dict[str, Any]) -> dict[str, Any]:
        rate = current_learning_rate(self.model)
        return values if rate is None else {**values, "learning_rate": rate}

    def _write(self, part: str, prefix: str, values: dict[str, Any], *, step: int) -> None:
        import tensorflow as tf

        if not values:
            return
        if part not in self._writers:
            self._writers[part] = tf.summary.create_file_writer(str(self.directory / part))
        with self._writers[part].as_default():
            for name, value in values.items():
                tf.summary.scalar(f"{prefix}_{name}", value, step=step)
