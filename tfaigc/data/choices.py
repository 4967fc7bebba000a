"""Questions with several choices, one of which is right: their checks, and the right ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase
from typing import Any

import numpy as np

from tfaigc.data.checks import leave_out, text_faults
from tfaigc.data.lists import as_list
from tfaigc.data.table import Table


def check_choices(
    table: Table, *, with_labels: bool = True, max_invalid_share: float = 0.0
) -> tuple[Table, np.ndarray]:
    """Checks that every record has a ``question``, ``choices``, and a ``label`` that is one.

    Choices are a list of texts, in a cell of a CSV file as JSON; or, as AI2's data have them,
    ``{"text": [...], "label": ["A", ...]}``. A label is a choice's text, its name, which is a
    letter from A on unless the record says otherwise, or its number from 0 on.

    Args:
        table: The records; ``text`` counts as the question where there is no ``question``.
        with_labels: Whether the right choice must be told.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, whose choices are lists; and the numbers of the
        right ones, int32, (records,), -1 without labels.

    Raises:
        DataError: A field is missing, or more than the allowed share of the records cannot be
            used.
    """
    table = table.stand_in("question", "text")
    table.require("question", "choices", *(("label",) if with_labels else ()))
    reasons = text_faults(table, ("question",))
    found: list[tuple[list[str], int]] = []
    for index, row in enumerate(table.rows):
        choices, names, reason = _read_choices(row.get("choices"), table.column_name("choices"))
        number = -1
        if not reason and (with_labels or "label" in row):
            column = table.column_name("label")
            number, fault = _find(row.get("label"), choices, names, column)
            reason = fault if with_labels else ""
        if reason:
            reasons[index] = f"{reasons[index]} {reason}" if index in reasons else reason
        found.append((choices, number))
    kept = leave_out(table, reasons, max_invalid_share)
    usable = [each for index, each in enumerate(found) if index not in reasons]
    rows = [
        # Where a label cannot be read, whoever needs it says so.
        {**row, "choices": choices} | ({"label": number} if number >= 0 else {})
        for row, (choices, number) in zip(kept.rows, usable, strict=True)
    ]
    return replace(kept, rows=rows), np.array([number for _, number in usable], np.int32)


def _read_choices(value: Any, column: str) -> tuple[list[str], Sequence[str], str]:
    """Reads choices and their names; what is wrong with them is the third of the three."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    names: Sequence[str] = ascii_uppercase
    if isinstance(value, Mapping):
        listed = as_list(value.get("label")) or []
        names, value = [str(name) for name in listed], value.get("text")
    choices = as_list(value)
    if choices is None:
        return [], names, f"{column} must be a list of texts. Received: {value!r:.60}."
    if len(choices) < 2:
        return [], names, f"{column} must be two texts or more. Received: {choices!r:.60}."
    for place, choice in enumerate(choices):
        if not isinstance(choice, str) or not choice.strip():
            return [], names, f"{column}[{place}] must be a text. Received: {choice!r:.60}."
    return choices, names, ""


def _find(value: Any, choices: Sequence[str], names: Sequence[str], column: str) -> tuple[int, str]:
    """Finds the choice that a label means; what is wrong with it is the second of the two."""
    if value is None:
        return -1, f"{column} is missing."
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    number = -1
    if isinstance(value, str):
        known = list(names[: len(choices)])
        if choices.count(value) == 1:
            number = choices.index(value)
        elif value.strip() in known:
            number = known.index(value.strip())
        elif value.strip().isdecimal():
            number = int(value)
    elif isinstance(value, int | np.integer) and not isinstance(value, bool):
        number = int(value)
    if 0 <= number < len(choices):
        return number, ""
    return -1, (
        f"{column} must be one of {len(choices)} choices: its text, its letter, or its number from "
        f"0 on. Received: {value!r:.60}."
    )
