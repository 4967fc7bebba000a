"""What each example adds to a metric: how sure it is, and whether two models differ in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tfaigc.evaluation.arguments import Array

_RESAMPLES: Final = 1000
_SHUFFLES: Final = 10_000
# So many numbers are drawn at once.
_BLOCK: Final = 4_000_000
_SCALES: Final[dict[str, Callable[[Any], Any]]] = {
    "linear": lambda x: x,
    "root": np.sqrt,
    "exponential": np.exp,
}


@dataclass(frozen=True)
class ExampleScores:
    """A metric that is a ratio of two sums over examples.

    Attributes:
        metric: Its name.
        numerators: float, (examples,).
        denominators: float, (examples,).
        scale: "linear" where the ratio is the metric, "root" or "exponential" where these are.
        lower_is_better: Whether it measures errors.

    Example:
        >>> scores = ExampleScores("accuracy", np.array([1, 1, 0, 1]), np.ones(4))
        >>> float(scores.value), scores.interval()
        (0.75, (0.25, 1.0))
    """

    metric: str
    numerators: Array
    denominators: Array
    scale: str = "linear"
    lower_is_better: bool = False

    @property
    def value(self) -> Any:
        """The metric."""
        return self._of(np.sum(self.numerators), np.sum(self.denominators))

    def interval(self) -> tuple[float, float]:
        """Bounds the metric with 95 %, by drawing as many examples again and again.

        Returns:
            The percentile bootstrap interval (Efron, 1979, Annals of Statistics 7), with 1,000
            samples of a fixed seed.
        """
        random = np.random.Generator(np.random.PCG64(0))
        count = len(self.numerators)
        parts = np.stack([self.numerators, self.denominators], axis=1).astype("float64")
        drawn = [
            np.bincount(random.integers(count, size=count), minlength=count) @ parts
            for _ in range(_RESAMPLES)
        ]
        low, high = np.percentile(self._of(*np.array(drawn).T), [2.5, 97.5])
        return float(low), float(high)

    def to_json(self) -> dict[str, Any]:
        """Returns what ``from_json`` takes."""
        pairs = zip(self.numerators.tolist(), self.denominators.tolist(), strict=True)
        return {
            "metric": self.metric,
            "scale": self.scale,
            "lower_is_better": self.lower_is_better,
            "examples": [[float(f"{each:.9g}") for each in pair] for pair in pairs],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ExampleScores:
        """Takes what ``to_json`` returned."""
        parts = np.array(content["examples"], np.float64).reshape(-1, 2)
        return cls(
            str(content["metric"]),
            parts[:, 0],
            parts[:, 1],
            scale=str(content["scale"]),
            lower_is_better=bool(content["lower_is_better"]),
        )

    def _of(self, numerators: Any, denominators: Any) -> Any:
        return _SCALES[self.scale](numerators / np.maximum(denominators, 1e-12))


def p_value(one: ExampleScores, other: ExampleScores) -> float:
    """Tests whether two models differ, by paired approximate randomization.

    Each of 10,000 times, every example's scores change models or not, at random (Noreen, 1989;
    Yeh, arXiv:cs/0008005): how often do they differ then as much as they do?

    Args:
        one: A model's scores.
        other: Another one's, on the same examples.

    Returns:
        The probability of such a difference between models that do not differ.

    Example:
        >>> ones, zeros = np.ones(20), np.zeros(20)
        >>> right, wrong = (ExampleScores("accuracy", each, ones) for each in (ones, zeros))
        >>> p_value(right, right), p_value(right, wrong) < 0.001
        (1.0, True)
    """
    random = np.random.Generator(np.random.PCG64(0))
    parts = np.stack([one.numerators, one.denominators], axis=1).astype("float64")
    change = np.stack([other.numerators, other.denominators], axis=1) - parts
    sums, whole = parts.sum(axis=0), change.sum(axis=0)
    seen = abs(one.value - other.value)
    at_least = 0
    block = max(1, _BLOCK // max(1, len(parts)))
    for start in range(0, _SHUFFLES, block):
        rows = min(block, _SHUFFLES - start)
        moved = (random.random((rows, len(parts))) < 0.5).astype("float64") @ change
        ours, theirs = (sums + moved).T, (sums + whole - moved).T
        differences = np.abs(one._of(*ours) - one._of(*theirs))
        at_least += int(np.sum(differences >= seen - 1e-12))
    return (at_least + 1) / (_SHUFFLES + 1)
