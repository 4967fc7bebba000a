"""Stopping, or going back, at a loss that is not a number or that explodes."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from typing import Any, Final

import keras

from tfaigc.errors import ConfigError, TrainingError, suggestion
from tfaigc.training.callbacks.bad_batches import write_batches
from tfaigc.training.callbacks.learning_rates import current_learning_rate, lower_learning_rate
from tfaigc.training.callbacks.step_loss import StepLoss
from tfaigc.training.callbacks.steps import Resume, StepCounter

ON_NAN: Final = ("stop", "rollback")
# A loss has exploded when its mean over so many steps is so many times that of the first ones.
_STEPS: Final = 10
_TIMES: Final = 10.0


class DivergenceError(TrainingError):
    """A loss is not finite, or has exploded.

    Attributes:
        roll_back: Whether `fit` may go back to the last checkpoint.
        what: What happened, in a few words.
    """

    def __init__(self, message: str, *, roll_back: bool, what: str) -> None:
        super().__init__(message)
        self.roll_back = roll_back
        self.what = what


class NaNGuard(keras.callbacks.Callback):
    """Ends a run whose loss has become NaN, infinite or ten times what it was at first.

    Keras reports the mean loss of the epoch so far. One bad step makes that mean bad for good, so
    a look at it after each step finds the first bad step. Put the guard before `Checkpoint`, and
    the last good checkpoint stays the newest.

    With `on_nan="rollback"`, `fit` of our models goes back to the last checkpoint and on from
    there with half the learning rate; the rate stays lowered when the run is resumed later.

    Args:
        on_nan: `"stop"`, or `"rollback"` where `fit` is that of our models and a `Checkpoint` is
            among its callbacks.
        directory: Where the batch of the bad step goes, and the one before it, as JSON lines with
            their texts where these are known; `None` writes none.
        max_rollbacks: How often to go back before the run is stopped after all.

    Raises:
        ConfigError: `on_nan` has no such value.
    """

    def __init__(
        self,
        on_nan: str = "stop",
        *,
        directory: str | Path | None = None,
        max_rollbacks: int = 3,
    ) -> None:
        super().__init__()
        if on_nan not in ON_NAN:
            raise ConfigError(
                f"on_nan must be one of {', '.join(ON_NAN)}. Received: {on_nan!r}."
                f"{suggestion(str(on_nan), ON_NAN)} Pass on_nan='stop'."
            )
        self.on_nan = on_nan
        self.directory = None if directory is None else Path(directory)
        self.max_rollbacks = max_rollbacks
        self.batch_order: Any = None
        self.records: Any = None
        self._rollbacks = 0
        self._start()

    def _start(self) -> None:
        self._steps = StepCounter()
        self._losses = StepLoss()
        self._first: list[float] = []
        self._recent: deque[float] = deque(maxlen=_STEPS)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts anew, but for the learning rate, which stays lowered after a rollback."""
        self._start()
        if self.on_nan == "rollback":
            lower_learning_rate(self.model, 1.0)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._steps.begin_epoch(epoch)
        self._losses.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the loss of a step."""
        before = self._steps.step_in_epoch
        self._steps.end_batch(batch, total=self.params.get("steps"))
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        bad_steps = range(max(0, before - 1), self._steps.step_in_epoch)
        if not math.isfinite(loss):
            raise self._diverged(f"loss must stay finite. Received: {loss}", bad_steps)
        self._note(self._losses.take(loss, batches=batch + 1))
        limit = _TIMES * self._usual()
        if len(self._recent) == _STEPS and sum(self._recent) / _STEPS > limit:
            mean = sum(self._recent) / _STEPS
            rule = f"The mean loss of {_STEPS} steps must stay below {limit:.4g}, {_TIMES:g} times "
            raise self._diverged(f"{rule}that of the first. Received: {mean:.4g}", bad_steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the losses of an epoch."""
        for name in ("loss", "val_loss"):
            value = (logs or {}).get(name, 0.0)
            if not math.isfinite(value):
                raise self._diverged(f"{name} must stay finite. Received: {value}", range(0))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets the rollbacks of a run that has come to its end."""
        self._rollbacks = 0

    def get_state(self) -> dict[str, Any]:
        """Gives what `set_state` needs, as values that JSON can hold."""
        return {
            "rollbacks": self._rollbacks,
            "first": list(self._first),
            "recent": list(self._recent),
        }

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint, with the learning rate that rollbacks have left."""
        self._steps.resume(resume.point)
        self._first = list(state.get("first", ()))
        self._recent.extend(state.get("recent", ()))
        before = state.get("rollbacks", 0)
        self._rollbacks = max(self._rollbacks, before)
        if self._rollbacks:
            lower_learning_rate(self.model, 0.5**self._rollbacks, lowered=0.5**before)

    def _note(self, loss: float) -> None:
        if len(self._first) < _STEPS:
            self._first.append(loss)
        self._recent.append(loss)

    def _usual(self) -> float:
        # A model that begins nearly perfect may well have a batch with a loss of 1.
        return max(1.0, sum(self._first) / max(1, len(self._first)))

    def _diverged(self, what: str, steps: range) -> DivergenceError:
        rate = current_learning_rate(self.model)
        at_rate = "" if rate is None else f", learning rate {rate:.3g}"
        lower = "a lower learning_rate" if not rate else f"learning_rate={rate / 10:.1g}"
        what = f"{what} at epoch {self._steps.epoch + 1}, step {self._steps.global_step}{at_rate}."
        if self.directory is not None and len(steps):
            path = write_batches(
                self.directory / f"diverged-step-{self._steps.global_step:08d}.jsonl",
                order=self.batch_order,
                records=self.records,
                epoch=self._steps.epoch,
                steps=steps,
            )
            what += "" if path is None else f" The batches are in {path}."
        roll_back = self.on_nan == "rollback" and self._rollbacks < self.max_rollbacks
        self._rollbacks += roll_back
        return DivergenceError(
            f"{what} Pass {lower}, and check the data for NaN inputs and labels outside the "
            "classes; the last checkpoint is kept.",
            roll_back=roll_back,
            what=what,
        )
