"""Checkpoints that a run resumes from to the bit."""

from __future__ import annotations

import logging
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks.interruption import SignalWatch, TrainingInterrupted
from tfaigc.training.callbacks.monitors import Monitor, Reading
from tfaigc.training.callbacks.snapshots import Snapshot
from tfaigc.training.callbacks.steps import Resumable, Resume, ResumePoint, StepCounter
from tfaigc.training.callbacks.store import SnapshotStore, load_snapshot
from tfaigc.version import __version__

_LOGGER = logging.getLogger(__name__)


class _EndOfResumedEpoch:
    """A value for `model.stop_training` that ends an epoch only, whoever else may set it."""


_END_OF_RESUMED_EPOCH: Final = _EndOfResumedEpoch()


class Checkpoint(keras.callbacks.Callback):
    """Saves model, optimizer and place in the run, and goes on from there after a break.

    Writes `directory/step-00000123/` (`model.safetensors`, `optimizer.safetensors`,
    `state.json`) at the end of each epoch, and keeps the newest few and the best. A snapshot
    appears whole or not at all; where one cannot be written (a full disk), a log line says so and
    training goes on with the one before.

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
        every_steps: Save after so many steps as well; `None` saves at epoch ends only.
        batch_order: The training dataset's `batch_order`; may be set later as an attribute.
        companions: Callbacks whose state is part of the checkpoint.
        next_command: A command line that goes on with the run, for the message on Ctrl-C.
        overwrite: Whether a new run may remove the checkpoints of an earlier one.
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
        batch_order: Any = None,
        companions: Sequence[Resumable] = (),
        next_command: str | None = None,
        overwrite: bool = False,
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.save_best = save_best
        self.every_steps = every_steps
        self.batch_order = batch_order
        self.companions = tuple(companions)
        self.next_command = next_command
        self.overwrite = overwrite
        self._store = SnapshotStore(self.directory, keep=keep)
        self._monitor = Monitor(monitor, mode)
        self._steps = StepCounter()
        self._signals = SignalWatch()
        self._best: Reading | None = None
        self._best_step: int | None = None
        self._history: list[dict[str, Any]] = []
        self._resumed: Snapshot | None = None
        self._restored = False
        self._saved = False

    # What the user calls.

    @property
    def latest(self) -> Path | None:
        """The newest checkpoint's directory."""
        return self._store.latest

    @property
    def best(self) -> Path | None:
        """The best checkpoint's directory, as far as this run knows."""
        return self._store.path(self._best_step)

    @property
    def steps_done(self) -> int:
        """Steps of the run before the next `fit`: above 0 only after `restore`."""
        return _point(self._resumed.state).global_step if self._resumed else 0

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
        self._restored = True
        snapshot = self._store.newest_unbroken()
        if snapshot is None:
            return ResumePoint()
        load_snapshot(snapshot, model)
        self._resumed = snapshot
        state = snapshot.state
        best = state["best"]
        self._best = Reading(best["name"], best["value"]) if best else None
        self._best_step = best["step"] if best else None
        self._history = list(state["history"])
        point = _point(state)
        _LOGGER.info("Resuming from %s (step %d).", snapshot.path, point.global_step)
        return point

    def close(self) -> None:
        """Puts the signal handlers back; `fit` that ends by itself has done so."""
        self._signals.remove()

    # What Keras calls.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Prepares the directory, the companions and the signals."""
        goes_on = self._restored or self._saved
        self._store.prepare(goes_on=goes_on, overwrite=self.overwrite)
        snapshot, self._resumed = self._resumed, None
        if snapshot is not None:
            self._resume(snapshot)
        elif not self._restored:
            self._best = self._best_step = None
            self._history = []
        self._restored = False
        self._signals.install(self.model)

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
        done, step = self._steps.step_in_epoch, self._steps.global_step
        if total is not None and done >= total:
            # on_epoch_end is next. Keras does not know that this epoch began in its middle, and
            # would wait for as many batches as a whole one has.
            if self._steps.first_step and not self.model.stop_training:
                self.model.stop_training = _END_OF_RESUMED_EPOCH
            return
        every = self.every_steps
        due = every is not None and step // every > before // every
        if self._signals.requested:
            self._interrupt(self._save(self._here()))
        elif due:
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
        former = self._best, self._best_step
        self._compare(epoch, logs or {})
        saved = self._save(point)
        if not saved:
            self._best, self._best_step = former
        if self._signals.requested:
            self._interrupt(saved)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the signal handlers back."""
        self._signals.remove()

    # How it is done.

    def _resume(self, snapshot: Snapshot) -> None:
        point = self._check_data(snapshot.state)
        self._steps.resume(point)
        resume = Resume(
            point=point,
            best_weights=lambda: self._store.read_weights(self.model, global_step=self._best_step),
        )
        states = snapshot.state["callbacks"]
        for companion in self.companions:
            companion.set_state(states.get(type(companion).__name__, {}), resume)

    def _check_data(self, state: dict[str, Any]) -> ResumePoint:
        """Looks whether the data is that of the checkpoint; only then can an epoch's middle be."""
        point = _point(state)
        if not point.step_in_epoch:
            return point
        if self.batch_order is None:
            _LOGGER.warning(
                "Epoch %d begins again: this dataset cannot begin in its middle.", point.epoch + 1
            )
            return ResumePoint(point.epoch, 0, point.global_step, point.stopped)
        order, steps = _describe_order(self.batch_order), self.params.get("steps")
        if order != state["batch_order"] or steps != state["steps_per_epoch"]:
            raise TrainingError(
                "A run that goes on in the middle of an epoch needs the same batches. Received: "
                f"{steps} steps per epoch and {order}, the checkpoint has "
                f"{state['steps_per_epoch']} and {state['batch_order']}. Pass the same data, "
                "batch_size and seed, or start anew in another directory."
            )
        return point

    def _here(self, *, stopped: bool = False) -> ResumePoint:
        steps = self._steps
        return ResumePoint(steps.epoch, steps.step_in_epoch, steps.global_step, stopped)

    def _compare(self, epoch: int, logs: dict[str, Any]) -> None:
        reading = self._monitor.read(logs)
        if reading is None:
            return
        self._history.append({"epoch": epoch + 1, "name": reading.name, "value": reading.value})
        if self._monitor.is_better(reading, self._best):
            self._best, self._best_step = reading, self._steps.global_step

    def _save(self, point: ResumePoint) -> bool:
        """Writes a snapshot; says whether that went well."""
        saved = self._store.save(
            self.model, global_step=point.global_step, state=self._state(point)
        )
        if saved:
            self._saved = True
            self._store.prune(best_step=self._best_step if self.save_best else None)
        return saved

    def _state(self, point: ResumePoint) -> dict[str, Any]:
        best = None
        if self._best is not None:
            best = {"name": self._best.name, "value": self._best.value, "step": self._best_step}
        return {
            "epoch": point.epoch,
            "step_in_epoch": point.step_in_epoch,
            "global_step": point.global_step,
            "stopped": point.stopped,
            "steps_per_epoch": self.params.get("steps"),
            "best": best,
            "history": self._history,
            "batch_order": _describe_order(self.batch_order),
            "callbacks": {type(each).__name__: each.get_state() for each in self.companions},
            "versions": _versions(),
        }

    def _interrupt(self, saved: bool) -> None:
        self._signals.remove()
        epoch, step = self._steps.epoch + 1, self._steps.global_step
        where = f"Training was interrupted in epoch {epoch}, after step {step}."
        if self.latest is None:
            raise TrainingInterrupted(f"{where} No checkpoint could be saved: start anew.")
        kept = "A checkpoint was saved" if saved else "The last checkpoint is kept"
        command = self.next_command
        go_on = command or "restore(model) of this callback, then fit with initial_epoch"
        raise TrainingInterrupted(f"{where} {kept}: {self.latest}. Go on with: {go_on}")


def _point(state: dict[str, Any]) -> ResumePoint:
    return ResumePoint(
        epoch=state["epoch"],
        step_in_epoch=state["step_in_epoch"],
        global_step=state["global_step"],
        stopped=state["stopped"],
    )


def _describe_order(batch_order: Any) -> dict[str, Any] | None:
    if batch_order is None:
        return None
    names = ("seed", "shuffle", "batch_size")
    return {name: getattr(batch_order, name, None) for name in names}


def _versions() -> dict[str, str]:
    import tensorflow as tf

    return {
        "tfaigc": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
