"""Checks of texts and labels, all of whose faults are reported together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfaigc.data.faults import Fault, settle
from tfaigc.data.table import Table
from tfaigc.errors import DataError, suggestion


@dataclass(frozen=True)
class EncodedLabels:
    """Labels as class numbers.

    Attributes:
        ids: int32, (records,): each record's class.
        names: The class names, in the order of the numbers.
    """

    ids: np.ndarray
    names: tuple[str, ...]


def check_texts(table: Table, *fields: str, max_invalid_share: float = 0.0) -> Table:
    """Checks that every record has its texts.

    Args:
        table: The records.
        *fields: The fields that must hold text.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, which its ``rejected`` lists.

    Raises:
        DataError: More than the allowed share of the records has no text.
    """
    faults = {}
    for index, row in enumerate(table.require(*fields).rows):
        for field in fields:
            value = row.get(field)
            if not isinstance(value, str):
                reason = f"{table.column_name(field)} must be text. Received: {value!r:.60}."
            elif not value.strip():
                reason = f"{table.column_name(field)} is empty."
            else:
                continue
            faults[index] = Fault(table.location(index), reason)
            break
    return _without(table, faults, max_invalid_share)


def check_labels(
    table: Table, labels: Sequence[str] | None = None, *, max_invalid_share: float = 0.0
) -> tuple[Table, EncodedLabels]:
    """Checks that every record has a known label, and numbers the labels.

    A label is a class name, or a class number from 0. A name is tried first, so that classes may
    be named by digits.

    Args:
        table: The records, with the field ``label``.
        labels: The class names in their order; None: those of the records, sorted, numbers by
            their value.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, and its labels.

    Raises:
        DataError: More than the allowed share of the records has no or an unknown label, or there
            are fewer than two classes.
    """
    table.require("label")
    written = [_written(value) for value in table.column("label")]
    names = tuple(labels) if labels is not None else _names(written)
    numbers = {name: number for number, name in enumerate(names)}
    # Class numbers are understood where the names do not already say what they are.
    numbers = {str(number): number for number in range(len(names))} | numbers
    column = table.column_name("label")
    faults = {}
    for index, value in enumerate(written):
        if value == "":
            faults[index] = Fault(table.location(index), f"{column} is missing.")
        elif value not in numbers:
            known = ", ".join(names[:20])
            reason = f"{column} must be one of {known}. Received: {value!r}."
            faults[index] = Fault(table.location(index), reason + suggestion(value, names))
    kept = _without(table, faults, max_invalid_share)
    ids = [numbers[value] for index, value in enumerate(written) if index not in faults]
    if labels is None and len(names) < 2:
        raise DataError(
            f"{table.name} must hold at least two classes in {column}. Received: "
            f"{', '.join(names) or 'none'}. Check that it is the column with the classes."
        )
    return kept, EncodedLabels(np.asarray(ids, np.int32), names)


def encode_labels(table: Table, labels: Sequence[str] | None = None) -> EncodedLabels:
    """Numbers the labels of a table, every one of which must be known.

    Args:
        table: The records, with the field ``label``.
        labels: The class names in their order; None: those of the records, sorted.

    Returns:
        The labels.

    Raises:
        DataError: A label is missing or unknown, or there are fewer than two classes.
    """
    return check_labels(table, labels)[1]


def _without(table: Table, faults: dict[int, Fault], max_invalid_share: float) -> Table:
    if not faults:
        return table
    rejected = settle(
        list(faults.values()),
        total=len(table),
        source=table.name,
        max_invalid_share=max_invalid_share,
    )
    kept = table.select(index for index in range(len(table)) if index not in faults)
    return replace(kept, rejected=(*table.rejected, *rejected))


def _written(value: Any) -> str:
    """Writes a label as text: whole numbers without a fraction, nothing for a missing one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    return str(value).strip()


def _names(written: Sequence[str]) -> tuple[str, ...]:
    names = {value for value in written if value}
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))
