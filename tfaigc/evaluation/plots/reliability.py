"""Whether a model is as good as it is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.evaluation.metrics import calibration_bins, expected_calibration_error
from tfaigc.evaluation.plots.style import BLUE, GREY, ORANGE, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_reliability(
    confidences: np.ndarray[Any, Any], correct: np.ndarray[Any, Any], *, num_bins: int = 15
) -> Figure:
    """Draws accuracy against confidence, over a histogram of the confidences.

    Args:
        confidences: float, (examples,): the probability of the predicted class.
        correct: bool, (examples,).
        num_bins: Bins between 0 and 1.

    Returns:
        The figure.
    """
    counts, confidence, accuracy = calibration_bins(confidences, correct, num_bins=num_bins)
    error = expected_calibration_error(confidences, correct, num_bins=num_bins)
    filled = counts > 0
    centres = (np.arange(num_bins) + 0.5) / num_bins
    width = 0.9 / num_bins

    figure = new_figure(5.6, 6.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="as sure as right")
    above.bar(centres[filled], accuracy[filled], width, color=BLUE, alpha=0.85, label="accuracy")
    above.plot(
        centres[filled],
        confidence[filled],
        color=ORANGE,
        marker="o",
        markersize=4,
        linestyle="none",
        label="mean confidence",
    )
    above.set_ylim(0, 1.02)
    above.set_ylabel("accuracy")
    above.set_title(f"expected calibration error {error:.4f}", fontsize=11)
    above.legend(loc="upper left", frameon=False, fontsize=9)
    below.bar(centres, counts / counts.sum(), width, color=GREY)
    below.set_xlim(0, 1)
    below.set_ylabel("share of\nexamples")
    below.set_xlabel("confidence: probability of the predicted class")
    for axes in (above, below):
        tidy(axes)
    return figure
