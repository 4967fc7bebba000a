"""Ctrl-C, and the signal that takes machines away, during training."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tfaigc.training.callbacks.steps import ResumePoint

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped from outside, after a checkpoint was saved.

    Its message says where the checkpoint is and how to go on. It derives from
    `KeyboardInterrupt`, not from `TfaigcError`, so that `except Exception` lets it pass.
    """


def interrupted(
    point: ResumePoint, *, latest: Path | None, saved: bool, next_command: str | None
) -> TrainingInterrupted:
    """Makes the exception that says how to go on.

    Args:
        point: The place at which the run ends.
        latest: The newest checkpoint.
        saved: Whether it was saved at this place.
        next_command: A command line that goes on with the run.
    """
    where = f"Training was interrupted in epoch {point.epoch + 1}, after step {point.global_step}."
    if latest is None:
        return TrainingInterrupted(f"{where} No checkpoint could be saved: start anew.")
    kept = "A checkpoint was saved" if saved else "The last checkpoint is kept"
    go_on = next_command or "restore(model) of this callback, then fit with initial_epoch"
    return TrainingInterrupted(f"{where} {kept}: {latest}. Go on with: {go_on}")


class SignalWatch:
    """Turns the first SIGINT or SIGTERM into a request, and the second into an end at once.

    Attributes:
        requested: Whether a signal has come.
    """

    def __init__(self) -> None:
        self.requested = False
        self._model: Any = None
        self._previous: dict[int, Any] = {}

    def install(self, model: Any) -> None:
        """Begins to watch; does nothing outside the main thread, which signals never reach.

        Args:
            model: The model whose `fit` is running.
        """
        self.requested = False
        self._model = model
        if self._previous or threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            # None: a handler that was not installed from Python, and so cannot be put back.
            previous = signal.getsignal(number)
            self._previous[number] = signal.SIG_DFL if previous is None else previous
            signal.signal(number, self._handle)

    def remove(self) -> None:
        """Puts the former handlers back."""
        previous, self._previous = self._previous, {}
        self._model = None
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not _is_inside_fit(frame, self._model):
            # fit ended by an exception, which no callback hears of: act as if never installed.
            self.remove()
            signal.raise_signal(number)
            return
        if self.requested:
            self.remove()
            raise KeyboardInterrupt
        self.requested = True


def _is_inside_fit(frame: FrameType | None, model: Any) -> bool:
    """Looks whether a model's `fit` is among the running calls."""
    while frame is not None:
        if frame.f_code.co_name == "fit" and frame.f_locals.get("self") is model:
            return True
        frame = frame.f_back
    return False
