"""Going on after a diverged loss, or with less memory, inside one call of ``fit``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tfaigc.training import callbacks as training_callbacks
from tfaigc.training.callbacks import DivergenceError, ResumePoint
from tfaigc.training.callbacks.steps import StepCounter

if TYPE_CHECKING:
    from tfaigc.tasks.fine_tuning import FineTunedModel

_log = logging.getLogger("tfaigc")


class Place(keras.callbacks.Callback):
    """Knows how far a ``fit`` has come, which its exceptions do not tell.

    Args:
        order: The dataset's ``batch_order``, or None.
    """

    def __init__(self, order: Any) -> None:
        super().__init__()
        self._order = order
        self.steps = StepCounter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self.steps.begin_epoch(epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes where the epoch begins, which other callbacks may have set by now."""
        if batch == 0:
            self.steps.first_step = self.steps.step_in_epoch = getattr(self._order, "first_step", 0)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts."""
        self.steps.end_batch(batch, total=self.params.get("steps"))

    def has_steps_left(self) -> bool:
        """Whether the epoch has steps to do, so that it was a step that failed."""
        total = self.params.get("steps")
        return total is None or self.steps.step_in_epoch < total


def fit_to_the_end(
    model: FineTunedModel,
    fit: Callable[..., keras.callbacks.History],
    *,
    order: Any,
    callbacks: Sequence[keras.callbacks.Callback],
    initial_epoch: int,
) -> keras.callbacks.History:
    """Calls ``fit`` again, from the right place, where a run can be saved.

    Args:
        model: The model that is trained.
        fit: Takes ``callbacks`` and ``initial_epoch``.
        order: The dataset's ``batch_order``, or None.
        callbacks: The user's callbacks.
        initial_epoch: Where the first call begins.

    Returns:
        The history of all calls.
    """
    place, history = Place(order), keras.callbacks.History()
    while True:
        try:
            return fit(callbacks=[place, *callbacks, history], initial_epoch=initial_epoch)
        except DivergenceError as error:
            initial_epoch = _roll_back(model, callbacks, error).epoch
        except tf.errors.ResourceExhaustedError:
            if not place.has_steps_left() or not model.compute_in_more_parts(order):
                raise
            initial_epoch = _stay(callbacks, order, place).epoch


def _roll_back(
    model: FineTunedModel,
    callbacks: Sequence[keras.callbacks.Callback],
    error: DivergenceError,
) -> ResumePoint:
    checkpoints = [each for each in callbacks if isinstance(each, training_callbacks.Checkpoint)]
    if not error.roll_back or not checkpoints or checkpoints[0].latest is None:
        raise error
    _log.warning(
        "%s Going back to %s with half the learning rate.", error.what, checkpoints[0].latest
    )
    return checkpoints[0].restore(model)


def _stay(callbacks: Sequence[keras.callbacks.Callback], order: Any, place: Place) -> ResumePoint:
    """Begins the failed step again: gradients are complete before any weight changes."""
    for callback in callbacks:
        if isinstance(callback, training_callbacks.Checkpoint):
            return callback.stay()
    if order is not None:
        order.resume_at(place.steps.epoch, place.steps.step_in_epoch)
    return ResumePoint(place.steps.epoch, place.steps.step_in_epoch)
