"""Splits that share no text, each with the classes in the same proportions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from tfaigc.data.shuffling import permutation
from tfaigc.data.table import Table
from tfaigc.errors import DataError

# What is read of a record, unless somebody says it more exactly.
_READ = ("text", "text_pair")


def first_of_duplicates(
    table: Table, *, fields: Sequence[str] = _READ, seen: Table | None = None
) -> np.ndarray:
    """Finds the records whose text has not been seen before.

    Two records are duplicates where all that is read of them is equal to the character.

    Args:
        table: The records.
        fields: What is read of a record.
        seen: Records that count as seen from the start, such as those of another split.

    Returns:
        int64: the positions of the first record of each text.
    """
    known = set(_texts(seen, fields)) if seen is not None else set()
    kept = []
    for index, text in enumerate(_texts(table, fields)):
        if text not in known:
            known.add(text)
            kept.append(index)
    return np.asarray(kept, np.int64)


def count_conflicts(table: Table, targets: np.ndarray, *, fields: Sequence[str] = _READ) -> int:
    """Counts the texts that stand under more than one label.

    Args:
        table: The records.
        targets: Each record's class, (records,), or numbers, (records, ...).
        fields: What is read of a record.

    Returns:
        The number of distinct texts whose records disagree; of duplicates the first is kept.
    """
    found: dict[Hashable, set[bytes]] = {}
    for text, target in zip(_texts(table, fields), np.asarray(targets), strict=True):
        found.setdefault(text, set()).add(target.tobytes())
    return sum(len(labels) > 1 for labels in found.values())


def stratified_split(
    label_ids: np.ndarray, fractions: Sequence[float], *, seed: int, unit: str = "records"
) -> list[np.ndarray]:
    """Cuts records into splits with the classes in the same proportions.

    Args:
        label_ids: int, (records,): each record's class.
        fractions: The share of each split; they sum to 1.
        seed: Equal seeds give equal splits.
        unit: What messages call so many of them.

    Returns:
        The positions of each split's records, in the order of the records. Every class has at
        least one record in the first split.

    Raises:
        DataError: The fractions do not sum to 1, or a split would be empty.
    """
    if not fractions or abs(sum(fractions) - 1) > 1e-6 or min(fractions) < 0:
        raise DataError(
            f"fractions must be shares that sum to 1. Received: {list(fractions)}. "
            "Pass (0.8, 0.1, 0.1)."
        )
    label_ids = np.asarray(label_ids)
    joined = _cut_classes(label_ids, fractions, seed)
    if any(share > 0 and not len(rows) for share, rows in zip(fractions, joined, strict=True)):
        # Many small classes, each of which alone is rounded to none in a split.
        joined = _cut_classes(label_ids, fractions, seed, carry=True)
    for share, rows in zip(fractions, joined, strict=True):
        if share > 0 and not len(rows):
            raise DataError(
                f"Every split must have a record. Received: {len(label_ids)} {unit} for shares "
                f"of {', '.join(f'{share:g}' for share in fractions)}. Give more records, or "
                "files of their own for validation and test."
            )
    return joined


def _cut_classes(
    label_ids: np.ndarray, fractions: Sequence[float], seed: int, *, carry: bool = False
) -> list[np.ndarray]:
    """Cuts each class by itself, or with what rounding has left of those before it."""
    splits: list[list[np.ndarray]] = [[] for _ in fractions]
    shares = np.cumsum(fractions)
    begin = 0
    for number, label in enumerate(np.unique(label_ids)):
        rows = np.flatnonzero(label_ids == label)
        rows = rows[permutation(len(rows), seed, number)]
        ends = np.round(shares * (begin + len(rows))) - np.round(shares * begin)
        ends = np.maximum.accumulate(np.maximum(ends.astype(int), 1))
        for split, part in zip(splits, np.split(rows, ends[:-1]), strict=True):
            split.append(part)
        begin += len(rows) if carry else 0
    return [np.sort(np.concatenate(split)) for split in splits]


def grouped_split(
    groups: Sequence[Any], fractions: Sequence[float], *, seed: int
) -> list[np.ndarray]:
    """Cuts records into splits that share no group, such as the questions on one context.

    Args:
        groups: What records of a group have in common, one a record.
        fractions: The share of each split, of the groups; they sum to 1.
        seed: Equal seeds give equal splits.

    Returns:
        The positions of each split's records, in the order of the records.

    Raises:
        DataError: The fractions do not sum to 1, or a split would be empty.

    Example:
        >>> [rows.tolist() for rows in grouped_split(["a", "b", "a", "c"], (0.6, 0.4), seed=0)]
        [[1, 3], [0, 2]]
    """
    numbers: dict[Hashable, int] = {}
    of_records = [numbers.setdefault(_hashable(group), len(numbers)) for group in groups]
    parts = stratified_split(
        np.zeros(len(numbers), np.int32),
        fractions,
        seed=seed,
        unit="groups of records that must stay together",
    )
    return [np.flatnonzero(np.isin(of_records, part)) for part in parts]


def _texts(table: Table, fields: Sequence[str]) -> list[Hashable]:
    rows = ([row.get(field) for field in fields] for row in table.rows)
    return [tuple(_hashable(each) for each in row) for row in rows]


def _hashable(value: Any) -> Hashable:
    if isinstance(value, np.ndarray):
        # What is printed of a large one leaves most of it out.
        return value.shape, value.tobytes()
    return value if isinstance(value, str) else repr(value)
