"""The run's numbers as lines of JSON."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from pathlib import Path
from typing import Any

import keras

from tfaigc.training.callbacks.learning_rates import current_learning_rate
from tfaigc.training.callbacks.steps import Resume, StepCounter

_LOGGER = logging.getLogger(__name__)


class HistoryLog(keras.callbacks.Callback):
    """Appends one line per epoch, and one per so many steps, to a JSON Lines file.

    `{"event": "step", "step": 50, "epoch": 0.42, "loss": 0.61, "learning_rate": 2e-05}`: the loss
    is the mean over the steps since the line before, and `epoch` counts fractions.
    `{"event": "epoch", "step": 120, "epoch": 1, "seconds": 93.1, "loss": 0.55, "val_loss": ...}`:
    `epoch` counts from 1. A run that starts afresh empties the file; a resumed one drops the
    lines written after its checkpoint.

    Args:
        path: The file, usually `history.jsonl`.
        every_steps: How many steps a step line sums up; `None` writes epochs only.
    """

    def __init__(self, path: str | Path, *, every_steps: int | None = 10) -> None:
        super().__init__()
        self.path = Path(path)
        self.every_steps = every_steps
        self._steps = StepCounter()
        self._broken = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts anew."""
        self._steps = StepCounter()
        self._broken = False
        self._fresh = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes when the epoch began, and drops what a resumed run will write again."""
        self._steps.begin_epoch(epoch)
        if self._fresh:
            self._guarded(self._drop_later_lines)
            self._fresh = False
        self._began = time.monotonic()
        self._batches = self._window_begin = 0
        self._window_total = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes a step line when it is due."""
        total = self.params.get("steps")
        self._steps.end_batch(batch, total=total)
        self._batches = batch + 1
        if not self.every_steps or self._batches - self._window_begin < self.every_steps:
            return
        record: dict[str, Any] = {"event": "step", "step": self._steps.global_step}
        if total:
            fraction = self._steps.step_in_epoch / total
            record["epoch"] = round(self._steps.epoch + fraction, 4)
        if "loss" in (logs or {}):
            record["loss"] = self._window_mean((logs or {})["loss"])
        rate = current_learning_rate(self.model)
        if rate is not None:
            record["learning_rate"] = rate
        self._append(record)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the epoch's line."""
        seconds = round(time.monotonic() - self._began, 3)
        step = self._steps.global_step
        head = {"event": "epoch", "step": step, "epoch": epoch + 1, "seconds": seconds}
        self._append({**head, **(logs or {})})

    def get_state(self) -> dict[str, Any]:
        """Gives nothing: the place in the run is enough."""
        return {}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on from a checkpoint."""
        self._steps.resume(resume.point)

    def _window_mean(self, running_mean: float) -> float:
        """Takes the mean since the last line out of the mean since the epoch began."""
        total = running_mean * self._batches
        mean = (total - self._window_total) / (self._batches - self._window_begin)
        self._window_begin, self._window_total = self._batches, total
        return mean

    def _drop_later_lines(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = [
            record
            for record in (read_history(self.path) if self.path.exists() else [])
            if self._is_earlier(record)
        ]
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        temporary.write_text("".join(_line(record) for record in kept), encoding="utf-8")
        os.replace(temporary, self.path)

    def _is_earlier(self, record: dict[str, Any]) -> bool:
        if record.get("event") == "epoch":
            return bool(record.get("epoch", 0) <= self._steps.epoch)
        in_earlier_epoch = record.get("epoch", math.inf) <= self._steps.epoch
        return bool(in_earlier_epoch or record.get("step", 0) <= self._steps.global_step)

    def _append(self, record: dict[str, Any]) -> None:
        def write() -> None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(record))

        self._guarded(write)

    def _guarded(self, action: Any) -> None:
        """Keeps a full disk from ending the run."""
        if self._broken:
            return
        try:
            action()
        except OSError as error:
            self._broken = True
            _LOGGER.warning(
                "%s cannot be written (%s): training goes on without it. "
                "Free disk space or check the directory's permissions.",
                self.path,
                error.strerror or error,
            )


def read_history(path: str | Path) -> list[dict[str, Any]]:
    """Reads a history file.

    Args:
        path: What `HistoryLog` wrote. A last line that was cut off, as by a power failure, is
            left out.

    Returns:
        The records, oldest first.
    """
    records = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
