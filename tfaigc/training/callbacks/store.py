"""The directory that holds a run's snapshots."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks import snapshots
from tfaigc.training.callbacks.background import Background
from tfaigc.training.directory_lock import DirectoryLock

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How the writing of a snapshot ended.

    Attributes:
        global_step: The snapshot's step.
        fault: Why it could not be written; empty where it was.
    """

    global_step: int
    fault: str = ""


class SnapshotStore:
    """Keeps the newest few snapshots of a run, and the best.

    Snapshots are written beside the training: variables are copied at once, and the copies wait in
    memory for the disk. Until `settle` is called, the newest may be unfinished.

    Args:
        directory: Where they are.
        keep: How many of the newest to keep.
    """

    def __init__(self, directory: Path, *, keep: int) -> None:
        self.directory = directory
        self.keep = max(1, keep)
        self._writing: Background[Outcome] = Background()
        self._lock = DirectoryLock(directory, shared_with_itself=True)
        self._last_fault = ""

    @property
    def latest(self) -> Path | None:
        """The newest snapshot's directory."""
        found = snapshots.list_snapshots(self.directory)
        return found[-1] if found else None

    def path(self, global_step: int | None) -> Path | None:
        """The directory of a step's snapshot, where there is one."""
        if global_step is None:
            return None
        path = snapshots.snapshot_path(self.directory, global_step)
        return path if path.is_dir() else None

    def prepare(self, *, goes_on: bool, overwrite: bool) -> None:
        """Makes the directory, and clears it where that is allowed.

        Args:
            goes_on: Whether the snapshots that are there belong to this run.
            overwrite: Whether those of another run may be removed.

        Raises:
            TrainingError: The directory cannot be made, another process trains into it, or it holds
                another run's snapshots.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            raise TrainingError(
                f"The checkpoint directory must be writable. Received: {self.directory} "
                f"({error.strerror or error}). Choose another directory or change its permissions."
            ) from error
        snapshots.clean(self.directory)
        found = snapshots.list_snapshots(self.directory)
        if not found or goes_on:
            return
        if not overwrite:
            self._lock.release()
            raise TrainingError(
                f"A new run needs a directory without checkpoints. Received: {self.directory} "
                f"with {found[-1].name}. Call restore(model) to go on with that run, pass "
                "overwrite=True to remove it, or choose another directory."
            )
        for path in found:
            snapshots.remove_snapshot(path)

    def newest_unbroken(self) -> snapshots.Snapshot | None:
        """Reads the newest snapshot that can be read.

        Returns:
            The snapshot, or `None` in a directory without any.

        Raises:
            TrainingError: There are some, and every one is broken.
        """
        found = snapshots.list_readable(self.directory)
        for path in reversed(found):
            try:
                return snapshots.read_snapshot(path)
            except snapshots.SnapshotError as error:
                _LOGGER.warning("%s is broken and left out (%s).", path, error)
        if found:
            raise TrainingError(
                f"A checkpoint must be whole to go on from it. Received: {self.directory}, where "
                "every one is broken. Start anew in another directory, or pass overwrite=True and "
                "do not restore."
            )
        return None

    def release(self) -> None:
        """Lets other processes into the directory."""
        self._lock.release()

    def begin_save(
        self, model: keras.Model, *, global_step: int, state: dict[str, Any], best_step: int | None
    ) -> None:
        """Copies a model and its optimizer, and begins to write them; `settle` must come first.

        Args:
            model: A compiled model.
            global_step: The step by which the snapshot is named.
            state: What else belongs to it.
            best_step: The best snapshot's step, where one is to be kept.
        """
        variables = snapshots.collect(model.variables)
        optimizer = snapshots.collect(model.optimizer.variables)
        path = snapshots.snapshot_path(self.directory, global_step)

        def write() -> Outcome:
            if not all(_is_finite(array) for array in variables.values()):
                return Outcome(global_step, "weights are NaN or infinite. Lower the learning rate.")
            try:
                snapshots.write_snapshot(path, model=variables, optimizer=optimizer, state=state)
            except OSError as error:
                return Outcome(
                    global_step,
                    f"{self.directory} cannot be written ({error.strerror or error}). Free disk "
                    "space or check the directory's permissions.",
                )
            self._prune(best_step)
            return Outcome(global_step)

        self._writing.start(write)

    def settle(self) -> Outcome | None:
        """Waits for the snapshot that is being written; a fault is logged when it first comes.

        Returns:
            How that ended, or `None` where none was begun since the last call.
        """
        outcome = self._writing.wait()
        if outcome is None:
            return None
        if outcome.fault and outcome.fault != self._last_fault:
            _LOGGER.warning(
                "No checkpoint at step %d: %s Training goes on.",
                outcome.global_step,
                outcome.fault,
            )
        elif self._last_fault and not outcome.fault:
            _LOGGER.info("Checkpoints are saved again, from step %d on.", outcome.global_step)
        self._last_fault = outcome.fault
        return outcome

    def _prune(self, best_step: int | None) -> None:
        """Removes all but the newest few and the best."""
        found = snapshots.list_snapshots(self.directory)
        kept = {*found[-self.keep :], self.path(best_step)}
        for path in found:
            if path in kept:
                continue
            try:
                snapshots.remove_snapshot(path)
            except OSError as error:
                _LOGGER.warning("%s cannot be removed (%s).", path, error.strerror or error)

    def read_weights(self, model: keras.Model, *, global_step: int | None) -> list[Any] | None:
        """Reads a snapshot's weights without touching the model.

        Args:
            model: The model that they belong to.
            global_step: The snapshot's step.

        Returns:
            Arrays in the order of `model.weights`, or `None` where the snapshot cannot be read.
        """
        path = self.path(global_step)
        if path is None:
            return None
        try:
            snapshot = snapshots.read_snapshot(path)
        except snapshots.SnapshotError:
            return None
        arrays = snapshots.match(snapshot.model, model.variables, path=path)
        by_identity = {
            id(variable): array for variable, array in zip(model.variables, arrays, strict=True)
        }
        return [by_identity[id(weight)] for weight in model.weights]


def load_snapshot(snapshot: snapshots.Snapshot, model: keras.Model) -> None:
    """Assigns a snapshot's arrays to a model's and its optimizer's variables.

    Args:
        snapshot: What was read.
        model: A model that is built and compiled.

    Raises:
        TrainingError: It is not, or the snapshot is another model's; nothing is assigned then.
    """
    if not model.built or getattr(model, "optimizer", None) is None:
        raise TrainingError(
            "A model must be built and compiled before a checkpoint can be restored. Received: "
            f"{model.name}. Call it on a batch and call compile() first."
        )
    if not model.optimizer.built:
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
    pairs = []
    for arrays, variables in (
        (snapshot.model, model.variables),
        (snapshot.optimizer, model.optimizer.variables),
    ):
        found = snapshots.match(arrays, variables, path=snapshot.path)
        pairs += list(zip(variables, found, strict=True))
    for variable, array in pairs:
        variable.assign(array)


def _is_finite(array: np.ndarray[Any, Any]) -> bool:
    # bfloat16 is a type of ml_dtypes, whose kind is "V".
    return array.dtype.kind not in "fV" or bool(np.isfinite(array).all())
