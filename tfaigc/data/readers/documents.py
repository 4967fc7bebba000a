"""Take plain text: a text on each line, or documents with blank lines between."""

from __future__ import annotations

from pathlib import Path

from tfaigc.data.faults import Fault
from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table


def read_documents(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads a file of plain text.

    Where blank lines stand between others, what is between two of them is one record, with its
    lines as they are; else each line is one.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        ``text``, with the number of its first line, and no faults.

    Raises:
        DataError: The file is no UTF-8.
    """
    lines = [line.rstrip("\r\n") for line in text_lines(path, name)]
    while lines and not lines[-1].strip():
        lines.pop()
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    has_blocks = any(not line.strip() for line in lines)
    goes_on = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            goes_on = False
        elif goes_on:
            rows[-1]["text"] += f"\n{line}"
        else:
            rows.append({"text": line})
            numbers.append(number)
            goes_on = has_blocks
    return Table(rows, name, numbers, columns=("text",)), []
