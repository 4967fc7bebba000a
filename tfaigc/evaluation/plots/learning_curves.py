"""How losses and metrics moved during training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tfaigc.evaluation.plots.style import BLUE, ORANGE, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOT_METRICS: Final = frozenset(("event", "epoch", "step", "seconds", "learning_rate"))
_MOST_PANELS: Final = 4


def draw_learning_curves(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws the records of a run's `history.jsonl`.

    Args:
        history: Records with `event`: `"epoch"` (metrics, those of validation with `val_` in
            front, and `epoch` from 1) or `"step"` (`loss` and a fractional `epoch`).

    Returns:
        One panel per metric, the loss first; an epoch's values stand at its end.
    """
    epochs = [record for record in history if record.get("event") == "epoch"]
    steps = [record for record in history if record.get("event") == "step" and "epoch" in record]
    names = _metric_names(epochs) or ["loss"]
    figure = new_figure(5.2 * len(names), 3.9)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        _draw_panel(axes, name, epochs, steps)
    return figure


def _metric_names(epochs: Sequence[Mapping[str, Any]]) -> list[str]:
    found = dict.fromkeys(
        name.removeprefix("val_")
        for record in epochs
        for name, value in record.items()
        if name not in _NOT_METRICS and isinstance(value, (int, float))
    )
    # The loss first: it is what training lowers.
    return sorted(found, key=lambda name: name != "loss")[:_MOST_PANELS]


def _draw_panel(
    axes: Any, name: str, epochs: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]
) -> None:
    within = _points(steps, name)
    if within:
        axes.plot(*_columns(within), color=BLUE, alpha=0.35, linewidth=1.2, label="training steps")
    for key, label, colour, marker in (
        (name, "training", BLUE, "o"),
        (f"val_{name}", "validation", ORANGE, "s"),
    ):
        points = _points(epochs, key)
        if points:
            axes.plot(*_columns(points), color=colour, marker=marker, linewidth=1.8, label=label)
    last = max((record["epoch"] for record in [*epochs, *steps]), default=1)
    axes.set_xlim(0, last * 1.03)
    axes.set_xlabel("epochs")
    axes.set_title(name.replace("_", " "), fontsize=11)
    axes.locator_params(axis="x", nbins=8, integer=last >= 4)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)
    tidy(axes)


def _points(records: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(record["epoch"], record[name]) for record in records if record.get(name) is not None]


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
