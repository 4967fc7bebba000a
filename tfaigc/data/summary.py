"""describe: the numbers that say what a set of examples is like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.data.split import first_of_duplicates
from tfaigc.data.table import Table

_PERCENTILES = {"shortest": 0, "median": 50, "p90": 90, "p99": 99, "longest": 100}


@dataclass(frozen=True)
class Summary:
    """What a set of examples is like.

    Attributes:
        examples: Number of examples.
        duplicates: Examples whose text, and second text, stood in an earlier one.
        rejected: Rows of the source that were dropped.
        classes: Number of examples per class name.
        lengths: Tokens per example: "shortest", "median", "p90", "p99", "longest".
        filled: Share of examples with `max_length` tokens: the cut ones, and the few that fit
            exactly.
    """

    examples: int
    duplicates: int
    rejected: int
    classes: Mapping[str, int]
    lengths: Mapping[str, int]
    filled: float | None

    def lines(self) -> list[str]:
        """Writes the numbers for people.

        Returns:
            One line per fact.
        """
        found = [f"{self.examples:,} examples"]
        if self.rejected:
            found.append(f"{self.rejected:,} rows dropped")
        if self.duplicates:
            found.append(f"{self.duplicates:,} exact duplicates")
        if self.classes:
            found.append(", ".join(f"{name} {count:,}" for name, count in self.classes.items()))
        if self.lengths:
            parts = ", ".join(f"{name} {length:,}" for name, length in self.lengths.items())
            found.append(f"tokens: {parts}")
        if self.filled:
            found.append(f"{self.filled:.1%} fill max_length, and may be cut")
        return found


def describe(
    table: Table,
    *,
    label_ids: np.ndarray | None = None,
    names: Sequence[str] = (),
    lengths: np.ndarray | None = None,
    max_length: int | None = None,
) -> Summary:
    """Counts what there is to know about examples before training.

    Args:
        table: The records.
        label_ids: int, (records,): each record's class.
        names: The class names.
        lengths: int, (records,): tokens of each record.
        max_length: The most tokens of an example.

    Returns:
        The numbers.

    Example:
        >>> from tfaigc.data import read_records
        >>> describe(read_records(["Fine.", "Fine.", "Dull."])).lines()
        ['3 examples', '1 exact duplicates']
    """
    classes: dict[str, int] = {}
    if label_ids is not None:
        counts: Any = np.bincount(np.asarray(label_ids), minlength=len(names))
        classes = dict(zip(names, counts.tolist(), strict=True))
    found: dict[str, int] = {}
    filled = None
    if lengths is not None and len(lengths):
        values = np.percentile(lengths, list(_PERCENTILES.values()), method="nearest")
        found = {name: int(value) for name, value in zip(_PERCENTILES, values, strict=True)}
        if max_length is not None:
            filled = float(np.mean(np.asarray(lengths) >= max_length))
    return Summary(
        examples=len(table),
        duplicates=len(table) - len(first_of_duplicates(table)),
        rejected=len(table.rejected),
        classes=classes,
        lengths=found,
        filled=filled,
    )
