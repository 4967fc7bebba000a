"""Table: records under our field names, each with the place it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tfaigc.data.faults import Fault
from tfaigc.errors import DataError, suggestion

FIELDS = (
    *("text", "text_pair", "label", "labels", "words", "tags"),
    *("question", "context", "answers", "choices"),
    *("prompt", "response", "messages", "source", "target"),
    *("anchor", "positive", "negative", "score", "image"),
)


@dataclass(frozen=True)
class Table:
    """Records under our field names, each with the place it came from.

    Attributes:
        rows: One dict per record.
        name: What messages call the source: a path, "records", "DataFrame".
        numbers: The line number (or index) of each row, parallel to `rows`.
        unit: What `numbers` count: "line", "index"; "" for positions in a list.
        columns: Names of all fields, in the order of the source.
        renamed: Our field name to the source's column name, where they differ.
        rejected: Rows of the source that were dropped, and why.

    Example:
        >>> table = Table([{"text": "Fine."}], "reviews.csv", [2], columns=("text",))
        >>> table.location(0)
        'reviews.csv, line 2'
    """

    rows: list[dict[str, Any]]
    name: str
    numbers: Sequence[object]
    unit: str = "line"
    columns: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    rejected: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def location(self, index: int) -> str:
        """Says where a row came from.

        Args:
            index: Position in `rows`.

        Returns:
            The place, as in "reviews.csv, line 12" or "records[3]".
        """
        return place(self.name, self.unit, self.numbers[index])

    def column(self, field: str) -> list[Any]:
        """Gives one field of all rows, None where a row lacks it.

        Args:
            field: Our field name.

        Returns:
            One value per row.
        """
        return [row.get(field) for row in self.rows]

    def column_name(self, field: str) -> str:
        """Gives the source's own name of a field.

        Args:
            field: Our field name.

        Returns:
            The column's name in the source.
        """
        return self.renamed.get(field, field)

    def select(self, indices: Iterable[int]) -> Table:
        """Takes some of the rows.

        Args:
            indices: Positions in `rows`, in the order wanted.

        Returns:
            A table of those rows; `rejected` is kept.
        """
        chosen = [int(index) for index in indices]
        return replace(
            self,
            rows=[self.rows[index] for index in chosen],
            numbers=[self.numbers[index] for index in chosen],
        )

    def require(self, *fields: str) -> Table:
        """Checks that the source has certain fields.

        Args:
            *fields: Our field names.

        Returns:
            The table itself.

        Raises:
            DataError: A field is missing; the message names the nearest column and all columns.
        """
        for name in fields:
            if name not in self.columns:
                raise DataError(missing_column(self.name, self.columns, name, name))
        return self

    def rename(self, columns: Mapping[str, str]) -> Table:
        """Puts the source's columns under our field names.

        Args:
            columns: Our field name to the source's column name, as in `{"text": "review"}`.

        Returns:
            A table under our names; columns that are not mapped keep theirs.

        Raises:
            DataError: The source lacks a column, or the map names a field that does not exist.
        """
        for ours, theirs in columns.items():
            if ours not in FIELDS:
                raise DataError(_unknown_field(ours, theirs))
            if theirs not in self.columns:
                raise DataError(missing_column(self.name, self.columns, theirs, ours))
        taken = {*columns, *columns.values()}
        others = tuple(name for name in self.columns if name not in taken)
        rows = [
            {ours: row[theirs] for ours, theirs in columns.items() if theirs in row}
            | {name: row[name] for name in others if name in row}
            for row in self.rows
        ]
        renamed = {ours: theirs for ours, theirs in columns.items() if ours != theirs}
        return replace(self, rows=rows, columns=(*columns, *others), renamed=renamed)

    def stand_in(self, field: str, other: str) -> Table:
        """Has a column count as a field that the source lacks.

        Args:
            field: Our field name.
            other: The field whose column counts as it, if there is one.

        Returns:
            The table itself, where it has the field.
        """
        if field in self.columns or other not in self.columns:
            return self
        renamed = {**self.renamed, field: self.column_name(other)}
        return replace(self.rename({field: other}), renamed=renamed)


def place(name: str, unit: str, number: object) -> str:
    """Writes a row's place in its source.

    Args:
        name: The source's name.
        unit: What the number counts; "" for positions in a list.
        number: The row's number.

    Returns:
        The place.

    Example:
        >>> place("reviews.csv", "line", 12), place("records", "", 3)
        ('reviews.csv, line 12', 'records[3]')
    """
    return f"{name}, {unit} {number}" if unit else f"{name}[{number}]"


def missing_column(source: str, columns: Sequence[str], wanted: str, field: str) -> str:
    """Writes the message for a column that is not there.

    Args:
        source: The source's name.
        columns: The columns that are there.
        wanted: The column that was looked for.
        field: Our field that it should fill.

    Returns:
        The rule, what came, and the next move.
    """
    listed = ", ".join(repr(name) for name in columns) or "none"
    return (
        f"{source} must have a column {wanted!r}. Received columns: {listed}."
        f"{suggestion(wanted, columns)} {header_hint(columns)}"
        f"Name the column that holds it: columns={{{field!r}: ...}} in Python, "
        f"{field}_column=... in a recipe, --{field.replace('_', '-')}-column elsewhere."
    )


def header_hint(columns: Sequence[str]) -> str:
    """Guesses why a header looks wrong, from its cells alone; "" where it does not."""
    if len(columns) == 1 and (found := re.search(r"[;\t|]", columns[0])):
        return f"The columns seem to be separated by {found.group()!r}: save as CSV with commas. "
    number = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
    if any(number.fullmatch(name) or len(name.split()) > 4 for name in columns):
        return "The first line looks like data: add a header line with the columns' names. "
    return ""


def _unknown_field(ours: str, theirs: str) -> str:
    """Writes the message for a map whose key is not one of our fields."""
    reversed_map = theirs in FIELDS
    move = f"Turn it round: {{{theirs!r}: {ours!r}}}." if reversed_map else ""
    valid = ", ".join(repr(name) for name in FIELDS)
    return (
        "columns must map our field names to your columns, as in {'text': 'review'}. "
        f"Received: {{{ours!r}: {theirs!r}}}. "
        + (move or f"Valid field names: {valid}.{suggestion(ours, FIELDS)}")
    )
