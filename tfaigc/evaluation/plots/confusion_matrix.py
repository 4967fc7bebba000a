"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tfaigc.evaluation.plots.style import GREY, new_figure, readable_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_WITH_SHARES: Final = 10
_MOST_WITH_COUNTS: Final = 30


def draw_confusion_matrix(counts: np.ndarray[Any, Any], class_names: Sequence[str]) -> Figure:
    """Draws a confusion matrix.

    Colours show each row's shares, so that rare classes are as readable as frequent ones; the
    numbers are counts.

    Args:
        counts: int, (classes, classes): examples by true class (row) and predicted class.
        class_names: A name for each class.

    Returns:
        The figure.
    """
    num_classes = len(class_names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = num_classes * _cell_inches(num_classes) + 2.6
    figure = new_figure(side + 0.8, side)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", norm=_norm(num_classes))
    colours = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.03, aspect=30)
    colours.set_label("share of the true class")
    colours.outline.set_visible(False)

    labels = readable_labels(class_names)
    slanted = num_classes > 4 or max(map(len, labels)) > 10
    size = 10 if num_classes <= 20 else 8
    places = range(num_classes)
    turned: dict[str, Any] = {}
    if slanted:
        turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    # Without parse_math a dollar sign in a name would begin a formula.
    axes.set_xticks(places, labels, fontsize=size, parse_math=False, **turned)
    axes.set_yticks(places, labels, fontsize=size, parse_math=False)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    edges = np.arange(num_classes + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5 if num_classes <= 20 else 0.6)
    axes.tick_params(which="minor", length=0)
    if num_classes <= _MOST_WITH_COUNTS:
        _write_counts(axes, counts, image)
    if any(label == f"#{index}" for index, label in enumerate(labels)):
        figure.supxlabel("#n: class number n, counted from 0", fontsize=8, color=GREY)
    return figure


def _norm(num_classes: int) -> Any:
    from matplotlib.colors import Normalize, PowerNorm

    if num_classes <= _MOST_WITH_SHARES:
        return Normalize(0, 1)
    # Spread over many classes, errors are too small a share each to be seen on a linear scale.
    return PowerNorm(0.5, 0, 1)


def _cell_inches(num_classes: int) -> float:
    if num_classes <= _MOST_WITH_SHARES:
        return 0.85 if num_classes > 3 else 1.2
    return 0.5 if num_classes <= _MOST_WITH_COUNTS else 0.28


def _write_counts(axes: Any, counts: np.ndarray[Any, Any], image: Any) -> None:
    with_shares = len(counts) <= _MOST_WITH_SHARES
    shares = image.get_array()
    darkness = image.norm(shares)
    for (row, column), count in np.ndenumerate(counts):
        if not count and not with_shares:
            continue
        text = f"{count:,}\n{shares[row, column]:.1%}" if with_shares else f"{count}"
        colour = "white" if darkness[row, column] > 0.55 else "#202020"
        size = 10 if with_shares else 8
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
