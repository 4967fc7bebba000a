"""The parts of a report: text, tables, figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tfaigc.evaluation import markdown

if TYPE_CHECKING:
    import matplotlib.figure

Cell: TypeAlias = str | int | float | None


class Section(Protocol):
    """A part of a report."""

    @property
    def title(self) -> str:
        """The heading."""
        ...

    def to_markdown(self) -> str:
        """Gives the section without its heading."""
        ...


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        title: The heading; empty for none.
        body: Plain text; it is escaped.
    """

    title: str
    body: str

    def to_markdown(self) -> str:
        """Gives the section without its heading."""
        return markdown.escape(self.body, limit=10_000)


@dataclass(frozen=True)
class Table:
    """Rows of values.

    Attributes:
        title: The heading.
        columns: A name for each column.
        rows: Cells in the order of the columns: text (escaped and shortened), whole numbers,
            fractions (shown with `digits` decimals), or `None` for an empty cell.
        caption: Plain text above the table.
        digits: Decimals of fractions.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    digits: int = 4

    def to_markdown(self) -> str:
        """Gives the section without its heading."""
        if not self.rows:
            return "None."
        numeric = [
            all(not isinstance(row[index], str) for row in self.rows)
            for index in range(len(self.columns))
        ]
        columns = [markdown.escape(name) for name in self.columns]
        rows = [[self._show(cell) for cell in row] for row in self.rows]
        lines = markdown.table(columns, rows, numeric=numeric)
        return f"{markdown.escape(self.caption, limit=1000)}\n\n{lines}" if self.caption else lines

    def _show(self, cell: Cell) -> str:
        if cell is None:
            return ""
        if isinstance(cell, float):
            return f"{cell:.{self.digits}f}"
        return f"{cell:,}" if isinstance(cell, int) else markdown.escape(cell)


@dataclass(frozen=True)
class Figure:
    """A plot, drawn when the report is saved.

    Attributes:
        title: The heading.
        name: The file's name without `.png`.
        draw: Makes the figure.
        description: What it shows, for those who cannot see it.
    """

    title: str
    name: str
    draw: Callable[[], matplotlib.figure.Figure]
    description: str

    @property
    def file_name(self) -> str:
        """The file's name."""
        return f"{self.name}.png"

    def to_markdown(self) -> str:
        """Gives the section without its heading."""
        return f"![{markdown.escape(self.description)}]({self.file_name})"
