"""The errors of an image classifier, shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tfaigc.evaluation.arguments import Array
from tfaigc.evaluation.plots.style import new_figure, readable_labels
from tfaigc.evaluation.sections import Figure

if TYPE_CHECKING:
    import matplotlib.figure

_MOST_SHOWN: Final = 24
_COLUMNS: Final = 6


def error_grid(
    read_pixels: Callable[[Array], Array],
    *,
    references: Array,
    probabilities: Array,
    class_names: Sequence[str],
) -> Figure | None:
    """Shows the errors that a classifier was surest of.

    Args:
        read_pixels: Takes examples' places to their images, uint8, (places, height, width,
            channels).
        references: int, (examples,): the true classes.
        probabilities: float, (examples, classes).
        class_names: A name for each class.

    Returns:
        A figure; None where there is no error.
    """
    taken = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(taken != references)
    if not len(wrong):
        return None
    surest = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    shown = wrong[surest[:_MOST_SHOWN]]
    images = read_pixels(shown)
    names = readable_labels(list(class_names))
    titles = [f"{names[taken[place]]}, not {names[references[place]]}" for place in shown]
    return Figure(
        title="Images of the errors that the model was surest of",
        name="errors",
        draw=lambda: _draw(images, titles),
        description="images, each with what it was taken for and what it is",
    )


def _draw(images: Array, titles: Sequence[str]) -> matplotlib.figure.Figure:
    rows = -(-len(images) // _COLUMNS)
    figure = new_figure(1.8 * _COLUMNS, 2.1 * rows)
    grid: Any = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(np.broadcast_to(image, (*image.shape[:2], 3)))
        axes.set_title(title, fontsize=7, wrap=True)
    return figure
