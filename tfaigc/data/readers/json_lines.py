"""Read files with one JSON object per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfaigc.data.faults import Fault
from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table
from tfaigc.errors import DataError

_KINDS = {
    "list": "an array",
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "a truth value",
    "NoneType": "null",
}


def read_json_lines(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads one JSON object per line; blank lines are no rows.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, and the lines that hold no JSON object.

    Raises:
        DataError: The file cannot be read, or is one JSON document over many lines.
    """
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text_lines(path, name), start=1):
        content = line.strip()
        if not content:
            continue
        if not rows and not faults and content in ("[", "{"):
            raise DataError(
                f"{name} must hold one JSON object per line. Received: one JSON document over "
                'many lines. Write each record on a line of its own: {"text": "...", ...}'
            )
        row, reason = _parse(content)
        if row is None:
            faults.append(Fault(f"{name}, line {number}", reason))
            continue
        rows.append(row)
        numbers.append(number)
        columns.update(dict.fromkeys(row))
    return Table(rows, name, numbers, columns=tuple(columns)), faults


def _parse(content: str) -> tuple[dict[str, Any] | None, str]:
    """Parses one line: its object, or the reason why it has none."""
    try:
        value = json.loads(content)
    except json.JSONDecodeError as error:
        return None, f"must be valid JSON. Received: {error.msg} at character {error.colno}."
    except (ValueError, RecursionError) as error:
        return None, f"must be valid JSON. Received: {error}."
    if isinstance(value, dict):
        return value, ""
    return None, f"must be a JSON object. Received: {_KINDS[type(value).__name__]}."
