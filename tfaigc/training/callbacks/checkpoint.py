"""Checkpoints that a run resumes from to the bit."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras

from tfaigc.training.callbacks.best import Best
from tfaigc.training.callbacks.interruption import SignalWatch, interrupted
from tfaigc.training.callbacks.monitors import Monitor
from tfaigc.training.callbacks.run_state import (
    describe_order,
    point_of,
    point_to_json,
    versions,
    where_to_go_on,
)
from tfaigc.training.callbacks.snapshots import Snapshot
from tfaigc.training.callbacks.steps import Resumable, Resume, ResumePoint, StepCounter
from tfaigc.training.callbacks.store import SnapshotStore, load_snapshot

_LOGGER = logging.getLogger(__name__)


class _EndOfResumedEpoch:
    """A value for `model.stop_training` that ends an epoch only, whoever else may set it."""


_END_OF_RESUMED_EPOCH: Final = _EndOfResumedEpoch()


class Checkpoint(keras.callbacks.Callback):
    """Saves model, optimizer and place in the run, and goes on from there after a break.

    Writes `directory/step-00000123/` (`model.safetensors`, `optimizer.safetensors`,
    `state.json`) at the end of each epoch, and keeps the newest few and the best. They are written
    beside the training, whole or not at all; where one cannot be written (a full disk), a log line
    says so and training goes on with the one before. While it trains, no other process may use
    the directory.

    On Ctrl-C (SIGINT) or SIGTERM the running step is finished, a checkpoint is saved and
    `TrainingInterrupted` is raised; in the last step of an epoch and during validation, the epoch
    is finished first. A second signal ends the run at once.

    A resumed run reaches the same weights, to the bit, as one without a break on the same machine,
    provided that the data comes from a `batch_order` (the datasets of our tasks), which can begin
    in the middle of an epoch; any other dataset begins the broken epoch again. The metrics that
    are logged for the broken epoch cover the rest of it only. Random numbers are restored where
    they come from Keras's seed generators, as in all of Keras's layers.

        checkpoint = Checkpoint("runs/sentiment/checkpoints", batch_order=train.batch_order)
        point = checkpoint.restore(model)  # after build and compile; all zeros for a new run
        model.fit(train, initial_epoch=point.epoch, epochs=3, callbacks=[checkpoint])

    Place it last in the list of callbacks: it stores what the others know.

    Args:
        directory: Where the checkpoints go.
        keep: How many of the newest to keep.
        monitor: The metric by which one is the best.
        mode: `"min"`, `"max"`, or `"auto"` to go by the metric's name.
        save_best: Whether to keep the best, too.
        every_steps: Save after so many steps as well; `None` does not.
        every_minutes: Save when so many minutes have passed since the last checkpoint, too.
        save_first: Save before the first step as well, as a place to roll back to.
        batch_order: The training dataset's `batch_order`; may be set later as an attribute.
        companions: Callbacks whose state is part of the checkpoint.
        next_command: A command line that goes on with the run, for the message on Ctrl-C.
        overwrite: Whether a new run may remove the checkpoints of an earlier one.
        accept_changes: Whether a resumed run may have other batches, or run on other versions of
            this package, Keras or TensorFlow; it stops otherwise.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        keep: int = 2,
        monitor: str = "val_loss",
        mode: str = "auto",
        save_best: bool = True,
        every_steps: int | None = None,
        every_minutes: float | None = None,
        save_first: bool = False,
        batch_order: Any = None,
        companions: Sequence[Resumable] = (),
        next_command: str | None = None,
        overwrite: bool = False,
        accept_changes: bool = False,
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.save_best = save_best
        self.every_steps = every_steps
        self.every_minutes = every_minutes
        self.save_first = save_first
        self.batch_order = batch_order
        self.companions = tuple(companions)
        self.next_command = next_command
        self.overwrite = overwrite
        self.accept_changes = accept_changes
        self._store = SnapshotStore(self.directory, keep=keep)
        self._best = Best(Monitor(monitor, mode))
        self._steps = StepCounter()
        self._signals = SignalWatch()
        self._resumed: Snapshot | None = None
        self._restored = False
        self._saved = self._last_is_saved = False
        self._saved_at = 0.0

    @property
    def latest(self) -> Path | None:
        """The newest checkpoint's directory."""
        self._settle()
        return self._store.latest

    @property
    def best(self) -> Path | None:
        """The best checkpoint's directory, as far as this run knows."""
        self._settle()
        return self._store.path(self._best.step)

    @property
    def steps_done(self) -> int:
        """Steps of the run before the next `fit`: above 0 only after `restore`."""
        return point_of(self._resumed.state).global_step if self._resumed else 0

    def restore(self, model: keras.Model) -> ResumePoint:
        """Loads the newest unbroken checkpoint into a model and its optimizer.

        Args:
            model: A model that is built and compiled as in the run to go on with.

        Returns:
            Where to go on: pass `initial_epoch=point.epoch` to `fit`, and no more `epochs` than
            that if `point.stopped`. All zeros where there is no checkpoint.

        Raises:
            TrainingError: Every checkpoint is broken, or the newest is another model's.
        """
        self._settle()
        self._restored = True
        snapshot = self._store.newest_unbroken()
        if snapshot is None:
            return ResumePoint()
        load_snapshot(snapshot, model)
        self._resumed = snapshot
        state = snapshot.state
        self._best.load(state)
        point = point_of(state)
        _LOGGER.info("Resuming from %s (step %d).", snapshot.path, point.global_step)
        return point

    def stay(self) -> ResumePoint:
        """Lets the next `fit` go on where the last one failed, with the weights as they are.

        Returns:
            The place after the last step that was done.
        """
        self._settle()
        point = self._here()
        self._resumed = Snapshot(self.directory, self._state(point), model={}, optimizer={})
        self._restored = True
        return point

    def close(self) -> None:
        """Lets go of signals and directory; a `fit` that ends by itself has done so."""
        self._signals.remove()
        self._settle()
        self._store.release()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Prepares the directory, the companions and the signals."""
        self._settle()
        goes_on = self._restored or self._saved
        self._store.prepare(goes_on=goes_on, overwrite=self.overwrite)
        snapshot, self._resumed = self._resumed, None
        if snapshot is not None:
            self._resume(snapshot)
        elif not self._restored:
            self._best.reset()
        self._restored = False
        self._saved_at = time.monotonic()
        self._signals.install(self.model)
        if self.save_first and snapshot is None and not self._saved:
            self._save(self._here())

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Brings the data to this epoch, in its middle where the run goes on from there."""
        self._steps.begin_epoch(epoch)
        if self.batch_order is not None:
            self.batch_order.epoch = epoch
            # Always: an earlier fit may have left the middle of this epoch behind.
            self.batch_order.first_step = self._steps.first_step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves when it is time, and ends where it must."""
        total = self.params.get("steps")
        before = self._steps.global_step
        self._steps.end_batch(batch, total=total)
        if total is not None and self._steps.step_in_epoch >= total:
            # on_epoch_end is next. Keras does not know that this epoch began in its middle, and
            # would wait for as many batches as a whole one has.
            if self._steps.first_step and not self.model.stop_training:
                self.model.stop_training = _END_OF_RESUMED_EPOCH
            return
        if self._signals.requested:
            self._save(self._here())
            self._interrupt()
        elif self._is_due(before, self._steps.global_step):
            self._save(self._here())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves, and notes whether this epoch is the best."""
        if self.model.stop_training is _END_OF_RESUMED_EPOCH:
            self.model.stop_training = False
        stopped = bool(self.model.stop_training)
        total = self.params.get("steps")
        if stopped and total is not None and self._steps.step_in_epoch < total:
            point = self._here(stopped=True)
        else:
            point = ResumePoint(epoch + 1, 0, self._steps.global_step, stopped)
        self._settle()
        self._best.compare(logs or {}, epoch=epoch, step=self._steps.global_step)
        self._save(point)
        if self._signals.requested:
            self._interrupt()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Waits for the last checkpoint, and puts the signal handlers back."""
        self.close()

    def _resume(self, snapshot: Snapshot) -> None:
        point = where_to_go_on(
            snapshot.state,
            batch_order=self.batch_order,
            steps_per_epoch=self.params.get("steps"),
            accept_changes=self.accept_changes,
        )
        self._steps.resume(point)
        resume = Resume(
            point=point,
            best_weights=lambda: self._store.read_weights(self.model, global_step=self._best.step),
        )
        states = snapshot.state["callbacks"]
        for companion in self.companions:
            companion.set_state(states.get(type(companion).__name__, {}), resume)

    def _is_due(self, before: int, step: int) -> bool:
        every, minutes = self.every_steps, self.every_minutes
        if every is not None and step // every > before // every:
            return True
        return minutes is not None and time.monotonic() - self._saved_at >= 60 * minutes

    def _here(self, *, stopped: bool = False) -> ResumePoint:
        steps = self._steps
        return ResumePoint(steps.epoch, steps.step_in_epoch, steps.global_step, stopped)

    def _save(self, point: ResumePoint) -> None:
        """Begins to write a snapshot."""
        self._settle()
        self._saved_at = time.monotonic()
        self._store.begin_save(
            self.model,
            global_step=point.global_step,
            state=self._state(point),
            best_step=self._best.step if self.save_best else None,
        )

    def _settle(self) -> bool:
        """Waits for the snapshot that is being written; says whether the last one was."""
        outcome = self._store.settle()
        if outcome is not None:
            self._last_is_saved = not outcome.fault
            self._saved = self._saved or self._last_is_saved
            if outcome.fault:
                self._best.forget(outcome.global_step)
        return self._last_is_saved

    def _state(self, point: ResumePoint) -> dict[str, Any]:
        return {
            **point_to_json(point),
            "steps_per_epoch": self.params.get("steps"),
            **self._best.to_json(),
            "batch_order": describe_order(self.batch_order),
            "callbacks": {type(each).__name__: each.get_state() for each in self.companions},
            "versions": versions(),
        }

    def _interrupt(self) -> None:
        self._signals.remove()
        saved = self._settle()
        self._store.release()
        raise interrupted(
            self._here(), latest=self.latest, saved=saved, next_command=self.next_command
        )
