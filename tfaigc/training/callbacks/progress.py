"""One line that says how training goes."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Any, Final, TextIO

import keras

from tfaigc.training.callbacks.steps import Resume, StepCounter

_SECONDS_BETWEEN_PAINTS: Final = 0.1
_SECONDS_BETWEEN_LINES: Final = 10.0
_WINDOW: Final = 50


class ProgressLine(keras.callbacks.ProgbarLogger):
    """Shows epoch, step, loss, metrics, examples per second and the time left.

    On a terminal one line is painted over and over, and stays at the end of each epoch. Elsewhere
    (a log file, a notebook) a plain line comes about every ten seconds and at the end of each
    epoch. `fit(verbose=0)` silences it. It takes the place of Keras's progress bar, which `fit`
    leaves out when it finds a descendant of it among the callbacks.

    Args:
        batch_size: Examples per step; by default, the `batch_order` knows.
        num_examples: Examples per epoch, which makes the last, smaller batch count right.
        batch_order: The training dataset's `batch_order`; may be set later as an attribute.
        stream: Where to write; standard error by default.
    """

    def __init__(
        self,
        *,
        batch_size: int | None = None,
        num_examples: int | None = None,
        batch_order: Any = None,
        stream: TextIO | None = None,
    ) -> None:
        super().__init__()
        self.batch_order = batch_order
        self._batch_size = batch_size
        self._num_examples = num_examples
        self._stream = stream
        self._line: _Line | None = None
        self._start()

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes the number of epochs and steps from Keras."""
        self.params = params

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens the line."""
        stream = self._stream or sys.stderr
        self._line = _Line(stream) if self.params.get("verbose", 1) != 0 else None
        self._start()

    def _start(self) -> None:
        self._steps = StepCounter()
        self._speed = Speed()
        self._validation_began = self._validation_seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes when the epoch began."""
        self._steps.begin_epoch(epoch)
        self._began = time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock for the first step that can be timed."""
        self._speed.begin(time.monotonic())

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Paints the line anew."""
        before = self._steps.step_in_epoch
        self._steps.end_batch(batch, total=self.params.get("steps"))
        steps = self._steps.step_in_epoch - before
        self._speed.add(time.monotonic(), steps=steps, examples=self._examples(steps))
        if self._line is not None and self._line.is_due():
            self._line.paint(self._running(logs or {}))

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Says that validation runs."""
        self._validation_began = time.monotonic()
        if self._line is not None and self._line.is_terminal:
            self._line.paint(f"{self._epoch()}  validating")

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows nothing."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Notes how long validation took."""
        self._validation_seconds = time.monotonic() - self._validation_began
        self._speed.pause()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Shows nothing."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows nothing."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Shows nothing."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Leaves the epoch's line standing."""
        self._speed.pause()
        if self._line is None:
            return
        parts = [self._epoch(), *_metrics(logs or {}), *self._rate()]
        parts.append(f"took {format_duration(time.monotonic() - self._began)}")
        self._line.keep("  ".join(parts))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the line."""
        self.close()

    def close(self) -> None:
        """Ends a painted line, so that what comes next starts on a line of its own."""
        if self._line is not None:
            self._line.close()

    def get_state(self) -> dict[str, Any]:
        """Gives nothing: the place in the run is enough."""
        return {}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        self._steps.resume(resume.point)

    def _examples(self, steps: int) -> int | None:
        """Counts the examples of the last steps."""
        size = self._batch_size or getattr(self.batch_order, "examples_per_batch", None)
        if size is None:
            return None
        done = self._steps.step_in_epoch * size
        surplus = max(0, done - self._num_examples) if self._num_examples else 0
        return max(0, round(steps * size) - surplus)

    def _epoch(self) -> str:
        return f"epoch {self._steps.epoch + 1}/{self.params.get('epochs', '?')}"

    def _rate(self) -> list[str]:
        rate = self._speed.examples_per_second
        if rate is not None:
            return [f"{rate:.3g} examples/s" if rate < 100 else f"{rate:,.0f} examples/s"]
        rate = self._speed.steps_per_second
        return [] if rate is None else [f"{rate:.3g} steps/s"]

    def _running(self, logs: dict[str, Any]) -> str:
        total = self.params.get("steps")
        step = f"step {self._steps.step_in_epoch}" + (f"/{total}" if total else "")
        parts = [self._epoch(), step, *_metrics(logs), *self._rate()]
        left = self._seconds_left(total)
        if left is not None:
            parts.append(f"{format_duration(left)} left")
        return "  ".join(parts)

    def _seconds_left(self, total: int | None) -> float | None:
        speed, epochs = self._speed.steps_per_second, self.params.get("epochs")
        if not total or not speed or not epochs:
            return None
        epochs_left = max(0, epochs - self._steps.epoch)
        steps_left = epochs_left * total - self._steps.step_in_epoch
        return steps_left / speed + epochs_left * self._validation_seconds


class Speed:
    """The speed of the last few steps; the very first, which compiles, does not count.

    Example:
        >>> speed = Speed()
        >>> speed.begin(0.0)
        >>> for second in (9.0, 10.0, 11.0):
        ...     speed.add(second, steps=1, examples=32)
        >>> speed.examples_per_second
        32.0
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int, int | None]] = deque(maxlen=_WINDOW)
        self._last: float | None = None
        self._compiled = False

    def begin(self, now: float) -> None:
        """Starts the clock where it does not run."""
        if self._last is None:
            self._last = now

    def add(self, now: float, *, steps: int, examples: int | None) -> None:
        """Counts what was done since the last call."""
        if self._compiled and self._last is not None:
            self._recent.append((now - self._last, steps, examples))
        self._compiled = True
        self._last = now

    def pause(self) -> None:
        """Stops the clock until `begin`."""
        self._last = None

    @property
    def steps_per_second(self) -> float | None:
        """Steps per second; `None` before two steps are done."""
        seconds = sum(entry[0] for entry in self._recent)
        return sum(entry[1] for entry in self._recent) / seconds if seconds > 0 else None

    @property
    def examples_per_second(self) -> float | None:
        """Examples per second; `None` where their number is not known."""
        seconds = sum(entry[0] for entry in self._recent)
        if seconds <= 0 or any(entry[2] is None for entry in self._recent):
            return None
        return sum(entry[2] or 0 for entry in self._recent) / seconds


class _Line:
    """A line on a stream, repainted in place on a terminal and printed now and then elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, soft_wrap=False)
        self._stream = stream
        # Not rich's live display: it hides the cursor and takes over standard output until it is
        # stopped, and no callback hears of an exception in fit.
        self.is_terminal = self._console.is_terminal and not self._console.is_dumb_terminal
        self._painted_at = time.monotonic() if not self.is_terminal else 0.0
        self._open = False

    def is_due(self) -> bool:
        wait = _SECONDS_BETWEEN_PAINTS if self.is_terminal else _SECONDS_BETWEEN_LINES
        return time.monotonic() - self._painted_at >= wait

    def paint(self, text: str) -> None:
        self._painted_at = time.monotonic()
        if not self.is_terminal:
            self._write(text + "\n")
            return
        # The last column stays free: a terminal that wraps there would begin a new line.
        self._write("\r" + text[: max(1, self._console.width - 1)] + "\x1b[K")
        self._open = True

    def keep(self, text: str) -> None:
        self.paint(text)
        self.close()

    def close(self) -> None:
        if self._open:
            self._write("\n")
        self._open = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def format_duration(seconds: float) -> str:
    """Writes a duration as a clock shows it.

    Example:
        >>> format_duration(62), format_duration(3723)
        ('1:02', '1:02:03')
    """
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _metrics(logs: dict[str, Any]) -> list[str]:
    """Writes metrics, the losses first."""
    names = sorted(logs, key=lambda name: (name.startswith("val_"), "loss" not in name))
    return [f"{name} {logs[name]:.4g}" for name in names if isinstance(logs[name], float)]
