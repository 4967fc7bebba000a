"""How every plot looks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tfaigc.evaluation.markdown import shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people with any common colour blindness can tell apart.
BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREY: Final = "#8C8C8C"
_DPI: Final = 120


def new_figure(width: float, height: float) -> Figure:
    """Makes an empty figure.

    Args:
        width: In inches.
        height: In inches.

    Returns:
        A figure that draws with Agg, whatever display there is, and that no global list keeps.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Any) -> None:
    """Takes away lines that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)


def save_png(figure: Figure, path: Path) -> None:
    """Writes a figure.

    Args:
        figure: What to draw.
        path: The file.
    """
    with warnings.catch_warnings():
        # Constrained layout gives up on extreme label lengths; the tight box then holds them.
        warnings.filterwarnings("ignore", message=".*constrained_layout.*", category=UserWarning)
        figure.savefig(path, format="png", dpi=_DPI, bbox_inches="tight", facecolor="white")


def readable_labels(names: Sequence[str], *, limit: int = 24) -> list[str]:
    """Makes class names fit for an axis.

    Args:
        names: The names.
        limit: The most characters of one; the middle of a longer one is left out, because long
            names often differ at their ends.

    Returns:
        One short line each; `#` and the class's number where the font lacks the script of the
        name, or where another class would have the same label.

    Example:
        >>> readable_labels(["positive", "肯定的", "request/refund/damaged/item"])
        ['positive', '#1', 'request/refu…amaged/item']
    """
    labels: list[str] = []
    for index, name in enumerate(names):
        label = shorten(name, 10_000)
        if len(label) > limit:
            label = label[: limit // 2] + "…" + label[len(label) - (limit - 1) // 2 :]
        if not label or label in labels or not all(map(_has_glyph, label)):
            label = f"#{index}"
        labels.append(label)
    return labels


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return bool(get_font(findfont(FontProperties())).get_char_index(ord(character)))
