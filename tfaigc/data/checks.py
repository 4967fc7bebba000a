"""Checks of texts and labels, all of whose faults are reported together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from tfaigc.data.faults import Fault, settle
from tfaigc.data.labels import LabelSet, is_fraction, written
from tfaigc.data.table import Table
from tfaigc.errors import DataError

# More inferred classes than this, in more than half of the rows, are no classes.
_MANY_CLASSES = 20

Parse: TypeAlias = Callable[[Any, str], tuple[Any, str]]
"""Takes a target as written, and its column's name, to its value and what is wrong with it."""


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
        DataError: A field is missing, or more than the allowed share of the records has no text.
    """
    return leave_out(table, text_faults(table, fields), max_invalid_share)


def check_labels(
    table: Table, labels: Sequence[str] | None = None, *, max_invalid_share: float = 0.0
) -> tuple[Table, EncodedLabels]:
    """Checks that every record has a known label, and numbers the labels.

    A label is a class name or a class number from 0; see ``LabelSet``.

    Args:
        table: The records, with the field ``label``.
        labels: The class names in their order; None: those of the records, sorted, numbers by
            their value.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, and its labels.

    Raises:
        DataError: More than the allowed share of the records has no or an unknown label, or
            ``labels`` is None and there are fewer than two classes.
    """
    return check_examples(table, labels=labels, max_invalid_share=max_invalid_share)


def check_examples(
    table: Table,
    *fields: str,
    labels: Sequence[str] | None = None,
    max_invalid_share: float = 0.0,
) -> tuple[Table, EncodedLabels]:
    """Checks texts and labels at once, so that one message has the faults of both.

    Args:
        table: The records, with the field ``label``.
        *fields: The fields that must hold text.
        labels: The class names in their order; None: those of the records, sorted, numbers by
            their value.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, and its labels.

    Raises:
        DataError: A field is missing, more than the allowed share of the records cannot be used,
            or ``labels`` is None and there are fewer than two classes.
    """
    values = table.require(*fields, "label").column("label")
    known = LabelSet(labels) if labels is not None else _infer(values)

    def parse(value: Any, column: str) -> tuple[int | None, str]:
        number = known.number(value) if known else None
        fault = number is None
        return number, _refusal(known, value, column, given=labels is not None) if fault else ""

    kept, ids = check_rows(
        table, *fields, target="label", parse=parse, max_invalid_share=max_invalid_share
    )
    names = known.names if known else ()
    if labels is None:
        _check_inferred(kept, names)
    return kept, EncodedLabels(np.asarray(ids, np.int32), names)


def check_rows(
    table: Table, *fields: str, target: str, parse: Parse, max_invalid_share: float = 0.0
) -> tuple[Table, list[Any]]:
    """Checks texts and one target at once, so that one message has the faults of both.

    Args:
        table: The records.
        *fields: The fields that must hold text.
        target: The field that holds the target.
        parse: Reads a target.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, and the targets' values.

    Raises:
        DataError: A field is missing, or more than the allowed share of the records cannot be
            used.
    """
    reasons = text_faults(table.require(*fields, target), fields)
    column = table.column_name(target)
    values = []
    for index, written_value in enumerate(table.column(target)):
        value, fault = parse(written_value, column)
        values.append(value)
        if fault:
            reasons[index] = f"{reasons[index]} {fault}" if index in reasons else fault
    kept = leave_out(table, reasons, max_invalid_share)
    return kept, [value for index, value in enumerate(values) if index not in reasons]


def encode_labels(table: Table, labels: Sequence[str] | None = None) -> EncodedLabels:
    """Numbers the labels of a table, every one of which must be known.

    Args:
        table: The records, with the field ``label``.
        labels: The class names in their order; None: those of the records, sorted.

    Returns:
        The labels.

    Raises:
        DataError: A label is missing or unknown, or ``labels`` is None and there are fewer than
            two classes.
    """
    return check_labels(table, labels)[1]


def text_faults(table: Table, fields: Sequence[str]) -> dict[int, str]:
    """Finds the rows without text.

    Args:
        table: The records.
        fields: The fields that must hold text.

    Returns:
        What is wrong with a row, by its place.
    """
    reasons: dict[int, str] = {}
    for index, row in enumerate(table.require(*fields).rows):
        for field in fields:
            reason = _text_fault(row.get(field), table.column_name(field))
            if reason:
                reasons[index] = reason
                break
    return reasons


def _text_fault(value: Any, column: str) -> str:
    """Says what is wrong with a text; "" where nothing is."""
    if value is None:
        return f"{column} is missing."
    if not isinstance(value, str):
        return f"{column} must be text. Received: {value!r:.60} ({type(value).__name__})."
    if not value.strip():
        return f"{column} is empty."
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"{column} must be Unicode. Received: half a surrogate pair at {error.start}."
    return ""


def _infer(values: Sequence[Any]) -> LabelSet | None:
    """Collects the classes of a column that has any."""
    try:
        return LabelSet.of(values)
    except DataError:
        return None


def _refusal(known: LabelSet | None, value: Any, column: str, *, given: bool) -> str:
    """Says why a label is not taken."""
    name = written(value)
    if not given and name and is_fraction(name):
        return f"{column} must be a class name or a whole number. Received: {name}."
    return (known or LabelSet(["-"])).refusal(value, column)


def _check_inferred(table: Table, names: Sequence[str]) -> None:
    """Refuses a column of labels that is none."""
    column = table.column_name("label")
    if len(names) < 2:
        raise DataError(
            f"{table.name} must hold at least two classes in {column}. Received: "
            f"{', '.join(names) or 'none'}. Check that it is the column with the classes."
        )
    if len(names) > max(_MANY_CLASSES, len(table) // 2):
        raise DataError(
            f"{table.name} must hold several rows of each class in {column}. Received: "
            f"{len(names):,} different values in {len(table):,} rows. Check that it is the column "
            "with the classes, or pass labels=[...]."
        )


def leave_out(table: Table, reasons: Mapping[int, str], max_invalid_share: float) -> Table:
    """Drops the rows with faults, where so many may be dropped.

    Args:
        table: The records.
        reasons: What is wrong with a row, by its place.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, which its ``rejected`` lists.

    Raises:
        DataError: More than the allowed share of the records has faults.
    """
    if not reasons:
        return table
    faults = [Fault(table.location(index), reasons[index]) for index in sorted(reasons)]
    rejected = settle(
        [*table.rejected, *faults],
        total=len(table) + len(table.rejected),
        source=table.name,
        max_invalid_share=max_invalid_share,
        known=len(table.rejected),
    )
    kept = table.select(index for index in range(len(table)) if index not in reasons)
    return replace(kept, rejected=rejected)
