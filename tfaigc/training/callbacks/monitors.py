"""The one number per epoch that says how good the model is."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tfaigc.errors import ConfigError, TrainingError, suggestion

_LOGGER = logging.getLogger(__name__)
_MODES: Final = ("auto", "min", "max")
_LOWER_IS_BETTER: Final = frozenset(
    ("loss", "error", "errors", "perplexity", "mae", "mape", "mse", "rmse", "msle", "ece", "wer")
) | {"cer", "entropy", "crossentropy", "divergence"}


@dataclass(frozen=True)
class Reading:
    """A monitored value and the name under which it was found."""

    name: str
    value: float


def lower_is_better(name: str) -> bool:
    """Guesses a metric's direction from its name.

    Args:
        name: As in the logs, with or without `val_`.

    Returns:
        `True` for losses and errors, `False` for everything else.

    Example:
        >>> lower_is_better("val_loss"), lower_is_better("val_macro_f1")
        (True, False)
    """
    return not _LOWER_IS_BETTER.isdisjoint(name.lower().split("_"))


class Monitor:
    """Reads a metric from the logs of an epoch.

    Without validation data the same metric on the training data stands in (for `val_accuracy`,
    `accuracy`), or the training loss.

    Args:
        name: The metric's name in the logs.
        mode: `"min"`, `"max"`, or `"auto"` to go by the name.

    Raises:
        ConfigError: The mode has no such value.
    """

    def __init__(self, name: str, mode: str = "auto") -> None:
        if mode not in _MODES:
            raise ConfigError(
                f"mode must be one of {', '.join(_MODES)}. Received: {mode!r}."
                f"{suggestion(str(mode), _MODES)} Pass mode='auto' to go by the metric's name."
            )
        self.name = name
        self._mode = mode
        self._seen = False
        self._told = False

    def read(self, logs: Mapping[str, float]) -> Reading | None:
        """Reads the value.

        Args:
            logs: What Keras hands to `on_epoch_end`.

        Returns:
            The reading; `None` for an epoch without validation in a run with it, and where the
            value is not finite.

        Raises:
            TrainingError: There is validation data, but no such metric.
        """
        name = self._resolve(logs)
        if name is None or not math.isfinite(logs[name]):
            return None
        return Reading(name, float(logs[name]))

    def is_better(self, new: Reading, best: Reading | None, *, min_delta: float = 0.0) -> bool:
        """Compares two readings.

        Args:
            new: This epoch's.
            best: The best so far. One under another name does not count: the training loss
                stood in for a metric that has come since.
            min_delta: By how much `new` must be better.

        Returns:
            Whether `new` is the best now.
        """
        if best is None or best.name != new.name:
            return True
        if self._minimizes(new.name):
            return new.value < best.value - min_delta
        return new.value > best.value + min_delta

    def _minimizes(self, name: str) -> bool:
        same_metric = name.removeprefix("val_") == self.name.removeprefix("val_")
        if self._mode != "auto" and same_metric:
            return self._mode == "min"
        return lower_is_better(name)

    def _resolve(self, logs: Mapping[str, float]) -> str | None:
        if self.name in logs:
            self._seen = True
            return self.name
        validated = any(key.startswith("val_") for key in logs)
        if not self.name.startswith("val_") or validated:
            raise TrainingError(
                f"monitor must be one of the metrics {', '.join(sorted(logs))}. "
                f"Received: {self.name!r}.{suggestion(self.name, logs)} "
                "Pass one of them as monitor=, or add the metric in compile()."
            )
        if self._seen:
            return None
        plain = self.name.removeprefix("val_")
        stand_in = plain if plain in logs else "loss"
        if not self._told:
            _LOGGER.info("No validation data: %s is monitored instead of %s.", stand_in, self.name)
            self._told = True
        return stand_in if stand_in in logs else None
