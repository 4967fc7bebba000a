"""Targets that are not one class: numbers to predict, and sets of classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfaigc.data.checks import check_rows
from tfaigc.data.labels import LabelSet, written
from tfaigc.data.lists import as_list
from tfaigc.data.table import Table
from tfaigc.errors import DataError


def check_numbers(
    table: Table, *fields: str, count: int = 1, max_invalid_share: float = 0.0
) -> tuple[Table, np.ndarray]:
    """Checks that every record has its texts and a number, or a list of them, in ``label``.

    Args:
        table: The records.
        *fields: The fields that must hold text.
        count: How many numbers a record has.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, and its numbers, float32, (records, count).

    Raises:
        DataError: A field is missing, or more than the allowed share of the records cannot be
            used.
    """

    def parse(value: Any, column: str) -> tuple[list[float], str]:
        listed = _names(value) if count > 1 else [value]
        if listed is None or len(listed) != count:
            return [], f"{column} must be a list of {count} numbers. Received: {value!r:.60}."
        numbers = [read_number(each, column) for each in listed]
        return [number for number, _ in numbers], next((why for _, why in numbers if why), "")

    kept, values = check_rows(
        table, *fields, target="label", parse=parse, max_invalid_share=max_invalid_share
    )
    return kept, np.asarray(values, np.float32).reshape(-1, count)


def check_label_lists(
    table: Table,
    *fields: str,
    labels: Sequence[str] | None = None,
    max_invalid_share: float = 0.0,
) -> tuple[Table, np.ndarray, tuple[str, ...]]:
    """Checks that every record has its texts and a list of known labels in ``labels``.

    A list is one of class names or numbers, as ``LabelSet`` takes them, and may be empty. In a
    text, as a CSV file has it, names are separated by commas, or it is a JSON list.

    Args:
        table: The records.
        *fields: The fields that must hold text.
        labels: The class names in their order; None: those of the records, sorted.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records; int32, (records, classes): 1 where a record is of
        a class; and the class names.

    Raises:
        DataError: A field is missing, more than the allowed share of the records cannot be used,
            or ``labels`` is None and there are fewer than two classes.
    """
    lists = [_names(value) for value in table.require(*fields, "labels").column("labels")]
    known = LabelSet(labels) if labels is not None else _infer(lists, table)

    def parse(value: Any, column: str) -> tuple[list[int], str]:
        listed = _names(value)
        if listed is None:
            kind = type(value).__name__
            return [], f"{column} must be a list of class names. Received: {value!r:.60} ({kind})."
        for name in listed:
            if known.number(name) is None:
                return [], known.refusal(name, column)
        return [number for name in listed if (number := known.number(name)) is not None], ""

    kept, numbers = check_rows(
        table, *fields, target="labels", parse=parse, max_invalid_share=max_invalid_share
    )
    belongs = np.zeros((len(kept), len(known.names)), np.int32)
    for row, classes in zip(belongs, numbers, strict=True):
        row[classes] = 1
    return kept, belongs, known.names


def read_number(value: Any, column: str) -> tuple[float, str]:
    """Reads a number; what is wrong with it is the second of the two."""
    name = written(value)
    if name == "":
        return math.nan, f"{column} is missing."
    try:
        number = float(name) if name is not None else math.nan
    except ValueError:
        return math.nan, f"{column} must be a number. Received: {name!r:.60}."
    # The largest float32: what is above it would train on infinity.
    if name is None or not abs(number) <= np.finfo(np.float32).max:
        return math.nan, f"{column} must be a finite number. Received: {value!r:.60}."
    return number, ""


def _names(value: Any) -> list[Any] | None:
    """Takes the labels of one record to a list, or to None where they are none."""
    if isinstance(value, str) and not value.strip().startswith("["):
        return [name for part in value.split(",") if (name := part.strip())]
    return as_list(list(value) if isinstance(value, set | frozenset) else value)


def _infer(lists: Sequence[list[Any] | None], table: Table) -> LabelSet:
    names = [name for listed in lists for name in listed or ()]
    column = table.column_name("labels")
    try:
        known = LabelSet.of(names)
    except DataError:
        known = None
    if known is None or len(known.names) < 2:
        found = "none" if known is None else known.names[0]
        raise DataError(
            f"{table.name} must hold at least two classes in {column}. Received: {found}. Check "
            "that it is the column with the lists of classes, or pass labels=[...]."
        )
    return known
