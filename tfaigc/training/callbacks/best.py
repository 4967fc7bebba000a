"""Which checkpoint of a run is the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfaigc.training.callbacks.monitors import Monitor, Reading


class Best:
    """The best epoch so far, by a metric, and the checkpoint that was saved after it.

    Args:
        monitor: Reads the metric.

    Attributes:
        step: The step by which the best checkpoint is named; `None` before there is one.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self.reset()

    def reset(self) -> None:
        """Forgets an earlier run."""
        self.step: int | None = None
        self._reading: Reading | None = None
        self._former: tuple[Reading | None, int | None] = (None, None)
        self._history: list[dict[str, Any]] = []

    def compare(self, logs: Mapping[str, float], *, epoch: int, step: int) -> None:
        """Compares an epoch with the best one.

        Args:
            logs: What Keras hands to `on_epoch_end`.
            epoch: The epoch, from 0.
            step: The run's last step.
        """
        self._former = self._reading, self.step
        reading = self._monitor.read(logs)
        if reading is None:
            return
        self._history.append({"epoch": epoch + 1, "name": reading.name, "value": reading.value})
        if self._monitor.is_better(reading, self._reading):
            self._reading, self.step = reading, step

    def forget(self, step: int) -> None:
        """Goes back to the best one before, where the checkpoint of a step could not be saved."""
        if step == self.step:
            self._reading, self.step = self._former

    def to_json(self) -> dict[str, Any]:
        """Gives what a checkpoint's state has of this."""
        best = None
        if self._reading is not None:
            best = {"name": self._reading.name, "value": self._reading.value, "step": self.step}
        return {"best": best, "history": list(self._history)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from a checkpoint's state."""
        self.reset()
        best = state["best"]
        if best:
            self._reading, self.step = Reading(best["name"], best["value"]), best["step"]
        self._history = list(state["history"])
