"""Read files with a word on each line, in columns, as CoNLL's are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tfaigc.data.faults import Fault
from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table
from tfaigc.errors import DataError

_DOCUMENT = "-DOCSTART-"
# In CoNLL-U, words that others are contracted of, and words that are not there.
_NOT_A_WORD = re.compile(r"[0-9]+[-.][0-9]+")
# CoNLL-U's columns FORM and UPOS.
_CONLLU = (1, 3)


class _Line(NamedTuple):
    """A line's number and cells; no cells where it is blank."""

    number: int
    cells: list[str]


def read_columns(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads sentences with a word and its tags on each line, and a blank line behind each.

    Columns are separated by tabs or, in lines without any, by spaces. Lines of ``-DOCSTART-`` are
    left out, and so are comments: lines that begin with ``#`` and do not have as many columns as
    the others.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, a row for each sentence: ``words`` is the first column, ``tags`` the last, and
        each column has its number, from "1" on; and the lines with another number of columns,
        whose sentences are left out.

    Raises:
        DataError: The file cannot be read, or has a single column.
    """
    return _read(path, name, words=0, tags=-1)


def read_conllu(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads CoNLL-U, whose ``words`` and ``tags`` are the columns FORM and UPOS.

    Words that others are contracted of (1-2) and words that are not there (1.1) are left out.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        As `read_columns`.

    Raises:
        DataError: As `read_columns`.
    """
    words, tags = _CONLLU
    return _read(path, name, words=words, tags=tags)


def _read(path: Path, name: str, *, words: int, tags: int) -> tuple[Table, list[Fault]]:
    lines = [_Line(number, _cells(line)) for number, line in enumerate(text_lines(path, name), 1)]
    counts = Counter(len(line.cells) for line in lines if line.cells)
    width = counts.most_common(1)[0][0] if counts else 2
    if width < 2:
        raise DataError(
            f"{name} must hold a word and a tag on each line, with a tab or a space between. "
            "Received: a single column. Check that it is the right file."
        )
    rows, numbers, faults = [], [], []
    for sentence in _sentences(lines, width):
        wrong = next((line for line in sentence if len(line.cells) != width), None)
        if wrong is not None:
            reason = f"must have {width} columns, as most lines have. Received: {len(wrong.cells)}."
            faults.append(Fault(f"{name}, line {wrong.number}", f"{reason} Correct the line."))
            continue
        if words:
            sentence = [line for line in sentence if not _NOT_A_WORD.fullmatch(line.cells[0])]
        columns = list(zip(*(line.cells for line in sentence), strict=True))
        named = {"words": list(columns[words]), "tags": list(columns[tags])}
        rows.append(named | {str(place): list(cells) for place, cells in enumerate(columns, 1)})
        numbers.append(sentence[0].number)
    names = ("words", "tags", *(str(place) for place in range(1, width + 1)))
    return Table(rows, name, numbers, columns=names), faults


def _cells(line: str) -> list[str]:
    content = line.rstrip("\r\n")
    if not content.strip():
        return []
    if "\t" in content:
        return [cell.strip(" ") for cell in content.split("\t")]
    return re.split(" +", content.strip(" "))


def _sentences(lines: Iterable[_Line], width: int) -> Iterator[list[_Line]]:
    """Gathers the lines between blank ones."""
    sentence: list[_Line] = []
    for line in lines:
        is_document = line.cells[:1] == [_DOCUMENT]
        if line.cells and not is_document:
            is_comment = line.cells[0].startswith("#") and len(line.cells) != width
            sentence += [] if is_comment else [line]
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence
