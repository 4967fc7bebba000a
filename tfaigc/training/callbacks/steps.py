"""Where a run stands: epoch, step in the epoch, step in the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True)
class ResumePoint:
    """The place in a run at which a checkpoint was taken.

    Attributes:
        epoch: Epochs that were finished; what `fit` wants as `initial_epoch`.
        step_in_epoch: Steps done in the epoch after those; 0 at an epoch's end.
        global_step: Steps done in the whole run.
        stopped: Whether the run had been stopped early, so that nothing is left to train.
    """

    epoch: int = 0
    step_in_epoch: int = 0
    global_step: int = 0
    stopped: bool = False


@dataclass(frozen=True)
class Resume:
    """What a callback gets when a run goes on from a checkpoint.

    Attributes:
        point: Where the run goes on.
        best_weights: Reads the best checkpoint's weights in the order of `model.weights`, or
            gives `None` where there is none.
    """

    point: ResumePoint
    best_weights: Callable[[], list[np.ndarray[Any, Any]] | None]


@runtime_checkable
class Resumable(Protocol):
    """A callback with state that belongs in a checkpoint."""

    def get_state(self) -> dict[str, Any]:
        """Gives what `set_state` needs, as values that JSON can hold."""
        ...

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint; called after `on_train_begin`."""
        ...


class StepCounter:
    """Counts steps through epochs, also when the first epoch begins in its middle.

    Attributes:
        epoch: The running epoch, from 0.
        step_in_epoch: Steps done in it.
        global_step: Steps done in the run.

    Example:
        >>> steps = StepCounter()
        >>> steps.resume(ResumePoint(epoch=1, step_in_epoch=3, global_step=13))
        >>> steps.begin_epoch(1)
        >>> steps.end_batch(0, total=10)
        >>> steps.step_in_epoch, steps.global_step
        (4, 14)
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.step_in_epoch = 0
        self.global_step = 0
        self.first_step = 0
        self._pending: ResumePoint | None = None
        self._global_at_epoch_begin = 0

    def resume(self, point: ResumePoint) -> None:
        """Goes on from a point of an earlier run."""
        self._pending = point
        self.global_step = point.global_step

    def begin_epoch(self, epoch: int) -> None:
        """Starts an epoch, in its middle where the resume point says so."""
        point, self._pending = self._pending, None
        self.first_step = point.step_in_epoch if point and point.epoch == epoch else 0
        self.epoch = epoch
        self.step_in_epoch = self.first_step
        self._global_at_epoch_begin = self.global_step - self.first_step

    def end_batch(self, batch: int, *, total: int | None) -> None:
        """Counts up to a batch.

        Args:
            batch: Index of the batch among those that this `fit` has read in the epoch.
            total: Batches in a whole epoch, where known.
        """
        step = self.first_step + batch + 1
        # With several steps per execution Keras may number past the end of the epoch.
        self.step_in_epoch = step if total is None else min(step, total)
        self.global_step = self._global_at_epoch_begin + self.step_in_epoch
