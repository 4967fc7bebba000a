"""The callbacks that nearly every run wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tfaigc.training.callbacks.checkpoint import Checkpoint
from tfaigc.training.callbacks.early_stopping import EarlyStopping
from tfaigc.training.callbacks.history_log import HistoryLog
from tfaigc.training.callbacks.nan_guard import NaNGuard
from tfaigc.training.callbacks.progress import ProgressLine
from tfaigc.training.callbacks.steps import ResumePoint
from tfaigc.training.callbacks.tensorboard import TensorBoard
from tfaigc.training.callbacks.tracking import Tracker, TrackingLog


def standard(
    directory: str | Path,
    *,
    monitor: str = "val_loss",
    mode: str = "auto",
    patience: int | None = 3,
    on_nan: str = "stop",
    keep: int = 2,
    every_steps: int | None = None,
    every_minutes: float | None = None,
    log_every_steps: int = 10,
    next_command: str | None = None,
    overwrite: bool = False,
    accept_changes: bool = False,
    trackers: Sequence[Tracker] = (),
    settings: Mapping[str, Any] | None = None,
) -> list[keras.callbacks.Callback]:
    """Composes the callbacks for a run in one directory.

    Writes `checkpoints/`, `tensorboard/`, `history.jsonl` and `history.csv` there. In order:
    `NaNGuard`, `HistoryLog`, `TensorBoard`, `ProgressLine`, `TrackingLog`, `EarlyStopping` (which
    brings the best weights back at the end), `Checkpoint` (last, because it stores what the others
    know).

    Args:
        directory: The run's directory.
        monitor: The metric that says which epoch is the best; without validation data, the same
            metric on the training data or the training loss.
        mode: `"min"`, `"max"`, or `"auto"` to go by the metric's name.
        patience: Epochs without improvement after which training stops; `None` never stops.
        on_nan: `"stop"` at a loss that is not finite or explodes, or `"rollback"` to the last
            checkpoint and on with half the learning rate.
        keep: How many of the newest checkpoints to keep besides the best.
        every_steps: Save a checkpoint after so many steps as well.
        every_minutes: Save one when the last is so many minutes old, too.
        log_every_steps: How often the history and TensorBoard get a value within an epoch.
        next_command: A command line that goes on with the run, for the message on Ctrl-C.
        overwrite: Whether the checkpoints of an earlier run there may be removed.
        accept_changes: Whether a resumed run may have other batches or other code.
        trackers: Where the run's numbers go besides, such as `MLflow()`.
        settings: What the trackers note about the run.

    Returns:
        Callbacks for `fit`; `resume` takes the same list.
    """
    directory = Path(directory)
    companions: list[Any] = [
        NaNGuard(on_nan, directory=directory),
        HistoryLog(directory / "history.jsonl", every_steps=log_every_steps),
        TensorBoard(directory / "tensorboard", every_steps=log_every_steps),
        ProgressLine(),
        TrackingLog(*trackers, name=directory.name, settings=settings, every_steps=log_every_steps),
        EarlyStopping(monitor, patience=patience, mode=mode),
    ]
    checkpoint = Checkpoint(
        directory / "checkpoints",
        keep=keep,
        monitor=monitor,
        mode=mode,
        every_steps=every_steps,
        every_minutes=every_minutes,
        save_first=on_nan == "rollback",
        companions=companions,
        next_command=next_command,
        overwrite=overwrite,
        accept_changes=accept_changes,
    )
    return [*companions, checkpoint]


def resume(callbacks: Iterable[keras.callbacks.Callback], model: keras.Model) -> ResumePoint:
    """Loads the newest checkpoint into a model, where a list of callbacks has one.

        callbacks = tfaigc.callbacks.standard("runs/sentiment")
        point = tfaigc.callbacks.resume(callbacks, model)
        model.fit(train, initial_epoch=point.epoch, epochs=3, callbacks=callbacks)

    Args:
        callbacks: The list for `fit`.
        model: A model that is built and compiled as in the run to go on with.

    Returns:
        Where to go on; all zeros where there is nothing to go on from.

    Raises:
        TrainingError: Every checkpoint is broken, or the newest is another model's.
    """
    for callback in callbacks:
        if isinstance(callback, Checkpoint):
            return callback.restore(model)
    return ResumePoint()


def steps_done(callbacks: Iterable[keras.callbacks.Callback]) -> int:
    """Counts the steps that were done in the run that the next `fit` goes on with.

    Args:
        callbacks: The list for `fit`.

    Returns:
        The optimizer steps since the run began; 0 for a new run.
    """
    return max((each.steps_done for each in callbacks if isinstance(each, Checkpoint)), default=0)


def attach(callbacks: Iterable[keras.callbacks.Callback], dataset: Any) -> None:
    """Tells callbacks which data trains the model, which Keras does not.

    Args:
        callbacks: The list for `fit`; those whose `batch_order` or `records` is not set yet get it.
        dataset: The training dataset; its `batch_order` and `records` are used if it has them.
    """
    for name in ("batch_order", "records"):
        known = getattr(dataset, name, None)
        for callback in callbacks:
            if getattr(callback, name, known) is None:
                setattr(callback, name, known)


def close(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Cleans up after a `fit` that ended by an exception, of which no callback hears.

    Args:
        callbacks: The list for `fit`.
    """
    for callback in callbacks:
        if isinstance(callback, (Checkpoint, ProgressLine)):
            callback.close()
