"""Read CSV and TSV files that have a header line, and Orange's, which have three."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from tfaigc.data.faults import Fault
from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table, header_hint
from tfaigc.errors import DataError

_TSV_MOVE = "Fields of a TSV file cannot hold tabs or line ends, quoted or not: save it as CSV."
# https://orangedatamining.com/docs: "Loading your data", the legacy three-row header.
_ORANGE_TYPES = frozenset(
    (
        *("continuous", "c", "numeric", "n", "discrete", "d", "categorical"),
        *("string", "s", "text", "time", "t", "basket"),
    )
)

_ORANGE_ROLE = re.compile(r"(class|c|meta|m|ignore|i|weight|w|\S+=\S*( \S+=\S*)*)?")


def read_csv(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads comma-separated values.

    Fields may be quoted with ``"``; a quoted field may hold commas, line ends and doubled quotes.
    Blank lines are no rows. All values are strings, as written.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, and the rows that do not have as many fields as the header.

    Raises:
        DataError: The file cannot be read, or a quoted field is not closed.
    """
    return _to_table(_csv_rows(path, name), name, "Put quotes around fields that contain commas.")


def read_tsv(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads tab-separated values.

    TSV knows no quoting: a quote is a character of the text like any other (as in the
    text/tab-separated-values media type and in GLUE's files), and a field cannot hold tabs or
    line ends. Blank lines are no rows. All values are strings, as written.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, and the rows that do not have as many fields as the header.

    Raises:
        DataError: The file cannot be read.
    """
    return _to_table(_tsv_rows(path, name), name, _TSV_MOVE)


def read_tab(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads a file of Orange, or tab-separated values under another name.

    In Orange's form two more lines stand behind the header: the columns' types, and their roles.
    They are left out.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        See ``read_tsv``.

    Raises:
        DataError: The file cannot be read.
    """
    rows = _tsv_rows(path, name)
    first = list(itertools.islice(rows, 3))
    types = [cell in _ORANGE_TYPES for cell in first[1][1]] if len(first) > 1 else []
    # A type may also be the list of a column's values.
    if any(types) and len(first) > 2 and all(map(_ORANGE_ROLE.fullmatch, first[2][1])):
        first = first[:1]
    elif types and all(types) and len(first) > 2 and first[2][0] > first[1][0] + 1:
        # Of a single column without a role the third line is blank.
        del first[1]
    return _to_table(itertools.chain(first, rows), name, _TSV_MOVE)


def _csv_rows(path: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yields each record's first line number and fields."""
    # Without strict a quote that is never closed swallows the rest of the file in silence.
    reader = csv.reader(text_lines(path, name), strict=True)
    start = 1
    header: list[str] = []
    try:
        for row in reader:
            if row:
                header = header or row
                yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        message = f"{_csv_message(str(error), name, start)} {header_hint(header)}"
        raise DataError(message.rstrip()) from error


def _csv_message(reason: str, name: str, line: int) -> str:
    """Writes the message for a record that the csv module refuses."""
    where = f"{name}, line {line}: "
    if "field larger" in reason:
        return (
            f"{where}a CSV field must have at most {csv.field_size_limit():,} characters. "
            "Received: a longer one. Close its quotes if they are open; put longer texts into a "
            "JSONL file."
        )
    if "unexpected end" in reason:
        return (
            f"{where}a quoted field must end with a quote. Received: the end of the file. Close "
            "the quotes in this line; double those that belong to the text."
        )
    if "new-line character" in reason:
        return (
            f"{where}lines must end with LF or CRLF. Received: a carriage return inside a line. "
            "Save the file with Unix or Windows line ends."
        )
    return (
        f"{where}a quoted field must be followed by a comma or the line's end. Received: {reason}. "
        'Double the quotes that belong to the text: "a ""fine"" film".'
    )


def _tsv_rows(path: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yields each line's number and fields."""
    for number, line in enumerate(text_lines(path, name), start=1):
        content = line.removesuffix("\n").removesuffix("\r")
        if content:
            yield number, content.split("\t")


def _to_table(
    numbered: Iterator[tuple[int, list[str]]], name: str, move: str
) -> tuple[Table, list[Fault]]:
    """Puts fields under the header's names and sets ragged rows aside."""
    header_line, header = next(numbered, (1, []))
    header = [cell.strip() for cell in header]
    columns = tuple(cell for cell in header if cell)
    twice = sorted({cell for cell in columns if columns.count(cell) > 1})
    if twice:
        raise DataError(
            f"{name}, line {header_line}: every column must have a name of its own. Received: "
            f"{twice[0]!r} twice. Rename one of them, or add a header line if there is none."
        )
    rows, numbers, faults = [], [], []
    for number, cells in numbered:
        if len(cells) == len(header):
            # A column without a name (pandas writes its index so) cannot be asked for.
            pairs = zip(header, cells, strict=True)
            rows.append({column: cell for column, cell in pairs if column})
            numbers.append(number)
        else:
            reason = f"must have {len(header)} fields, as the header has. Received: {len(cells)}. "
            faults.append(Fault(f"{name}, line {number}", reason + move))
    return Table(rows, name, numbers, columns=columns), faults
