"""What a model says against what is so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tfaigc.evaluation.plots.style import BLUE, GREY, new_figure, readable_labels, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PANELS: Final = 6


def draw_scatter(
    references: np.ndarray[Any, Any], predictions: np.ndarray[Any, Any], names: Sequence[str]
) -> Figure:
    """Draws predictions over references, a panel for each number; of many, for the first six.

    Args:
        references: float, (examples, numbers).
        predictions: float, (examples, numbers).
        names: A name for each number.

    Returns:
        The figure.
    """
    shown = min(len(names), _MOST_PANELS)
    columns = min(shown, 3)
    rows = -(-shown // columns)
    figure = new_figure(5.2 * columns, 5.0 * rows)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[shown:]:
        axes.set_visible(False)
    for index, label in enumerate(readable_labels(names)[:shown]):
        axes = panels.flat[index]
        x, y = references[:, index], predictions[:, index]
        low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
        axes.plot([low, high], [low, high], color=GREY, linestyle="--", linewidth=1.2)
        # Where points lie upon each other, the darker place has more of them.
        share = float(np.clip(200 / max(len(x), 1), 0.08, 0.8))
        axes.scatter(x, y, s=14, color=BLUE, alpha=share, edgecolors="none")
        axes.set_xlabel("true")
        axes.set_ylabel("predicted")
        axes.set_title(label, fontsize=11)
        axes.set_aspect("equal", adjustable="datalim")
        tidy(axes)
    return figure
