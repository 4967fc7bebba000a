"""What a threshold on a class's probability trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.evaluation.plots.style import BLUE, GREY, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_thresholds(
    references: np.ndarray[Any, Any], probabilities: np.ndarray[Any, Any], name: str
) -> Figure:
    """Draws the ROC curve, and precision over recall, of one class.

    Args:
        references: int, (examples,): 1 where an example is of the class, else 0; both occur.
        probabilities: float, (examples,): that it is.
        name: What the class is called.

    Returns:
        The figure.
    """
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    figure = new_figure(10.4, 5.0)
    left, right = figure.subplots(1, 2)
    false_share, true_share, _ = roc_curve(references, probabilities)
    left.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2)
    left.plot(false_share, true_share, color=BLUE, linewidth=1.8)
    left.set_xlabel(f"share of the others that are taken for {name}")
    left.set_ylabel("recall")
    left.set_title(f"ROC, area {roc_auc_score(references, probabilities):.4f}", fontsize=11)
    precision, recall, _ = precision_recall_curve(references, probabilities)
    share = float(np.mean(references))
    right.plot([0, 1], [share, share], color=GREY, linestyle="--", linewidth=1.2)
    right.plot(recall, precision, color=BLUE, linewidth=1.8, drawstyle="steps-post")
    right.set_xlabel("recall")
    right.set_ylabel("precision")
    average = average_precision_score(references, probabilities)
    right.set_title(f"precision and recall, average precision {average:.4f}", fontsize=11)
    for axes in (left, right):
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.02)
        tidy(axes)
    return figure
