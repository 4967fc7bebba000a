"""What each task's records must say, and how they are split by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

from tfaigc.data import (
    Table,
    check_examples,
    check_label_lists,
    check_numbers,
    check_tags,
)
from tfaigc.errors import DataError
from tfaigc.tagging import find_spans, scheme_of_labels

_MOST_SHOWN = 12


@dataclass(frozen=True)
class Targets:
    """What records say is right.

    Attributes:
        values: One row a record.
        names: The names of classes or numbers, in their order; may be empty for numbers.
    """

    values: np.ndarray
    names: tuple[str, ...]

    def take(self, rows: np.ndarray) -> Targets:
        """Takes some of the records' targets, by position."""
        return replace(self, values=self.values[rows])


def text_fields(table: Table) -> tuple[str, ...]:
    """Names the fields of a table that must hold text: one, and a second where there is one."""
    return ("text", "text_pair") if "text_pair" in table.columns else ("text",)


class TargetKind(Protocol):
    """One kind of target.

    Attributes:
        columns: Our names of all columns that it reads, if they are there.
        field: Our name of the column that holds it; None where it has no names.
        by_class: Whether names are classes, which may come from the data.
        group_field: Our name of the column whose equal values splits must not share; None: there
            is none.
    """

    columns: ClassVar[tuple[str, ...]]
    field: ClassVar[str | None]
    by_class: ClassVar[bool]
    group_field: ClassVar[str | None] = None

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Checks records, and reads their targets.

        Args:
            table: The records.
            names: The names in their order; None: those of the data.
            max_invalid_share: Share of the records that may be dropped.

        Returns:
            The table without dropped records, and the targets.

        Raises:
            DataError: A field is missing, or too many records cannot be used.
        """
        ...

    def strata(self, targets: Targets) -> np.ndarray:
        """Numbers what splits shall hold in equal proportions: int, (records,)."""
        ...

    def check(self, table: Table, targets: Targets) -> None:
        """Refuses records from which nothing can be learnt."""
        ...

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Says what the targets are: a title and a line."""
        ...


class OneClass:
    """A class in ``label``."""

    columns: ClassVar[tuple[str, ...]] = ("text", "text_pair", "label")
    field: ClassVar[str | None] = "label"
    by_class: ClassVar[bool] = True
    group_field: ClassVar[str | None] = None

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads class numbers, int32, (records,)."""
        kept, encoded = check_examples(
            table, *text_fields(table), labels=names, max_invalid_share=max_invalid_share
        )
        return kept, Targets(encoded.ids, encoded.names)

    def strata(self, targets: Targets) -> np.ndarray:
        """Splits hold the classes in equal proportions."""
        return targets.values

    def check(self, table: Table, targets: Targets) -> None:
        """Refuses records of one class alone."""
        present = np.unique(targets.values)
        if len(present) < 2:
            only = ", ".join(targets.names[number] for number in present) or "none"
            _refuse_one_class(table, self.field, only)

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Counts the classes."""
        counts = np.bincount(targets.values, minlength=len(targets.names))
        return "classes", _counted(targets.names, counts)


class SeveralClasses:
    """A list of classes in ``labels``."""

    columns: ClassVar[tuple[str, ...]] = ("text", "text_pair", "labels")
    field: ClassVar[str | None] = "labels"
    by_class: ClassVar[bool] = True
    group_field: ClassVar[str | None] = None

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads 0 or 1 for each class, int32, (records, classes)."""
        kept, belongs, known = check_label_lists(
            table, *text_fields(table), labels=names, max_invalid_share=max_invalid_share
        )
        return kept, Targets(belongs, known)

    def strata(self, targets: Targets) -> np.ndarray:
        """Splits hold each record's rarest class in equal proportions."""
        counts = targets.values.sum(axis=0)
        rarity = np.where(targets.values == 1, counts, len(targets.values) + 1)
        without = targets.values.sum(axis=1) == 0
        return np.where(without, len(targets.names), rarity.argmin(axis=1))

    def check(self, table: Table, targets: Targets) -> None:
        """Refuses records that say the same of every class."""
        shares = targets.values.mean(axis=0)
        if not ((shares > 0) & (shares < 1)).any():
            only = ", ".join(np.asarray(targets.names)[shares > 0]) or "none"
            _refuse_one_class(table, self.field, f"the same in each row ({only})")

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Counts the classes."""
        return "classes", _counted(targets.names, targets.values.sum(axis=0))


class WithoutStrata:
    """Targets by which records are not sorted."""

    group_field: ClassVar[str | None] = None

    def strata(self, targets: Targets) -> np.ndarray:
        """Splits are drawn from all records alike."""
        return np.zeros(len(targets.values), np.int32)


class Numbers(WithoutStrata):
    """A number in ``label``, or a list of them where they have names."""

    columns: ClassVar[tuple[str, ...]] = ("text", "text_pair", "label")
    field: ClassVar[str | None] = "label"
    by_class: ClassVar[bool] = False

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads numbers, float32, (records, numbers)."""
        kept, values = check_numbers(
            table,
            *text_fields(table),
            count=len(names or ("",)),
            max_invalid_share=max_invalid_share,
        )
        return kept, Targets(values, tuple(names or ()))

    def check(self, table: Table, targets: Targets) -> None:
        """Refuses numbers that are all the same."""
        if len(targets.values) and (targets.values == targets.values[0]).all():
            raise DataError(
                f"{table.name} must hold at least two different numbers in "
                f"{table.column_name('label')}. Received: {targets.values[0].tolist()} in each "
                "row. Check that it is the column with the numbers."
            )

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Gives range and mean."""
        columns = targets.values.T.astype("float64")
        names = [f"{name}: " for name in targets.names] or [""]
        shown = [
            f"{name}{column.min():g} to {column.max():g}, mean {column.mean():.4g}"
            for name, column in zip(names, columns, strict=True)
        ]
        return "numbers", "; ".join(shown[:_MOST_SHOWN])


class Tags(WithoutStrata):
    """A tag for each word, in ``tags``."""

    columns: ClassVar[tuple[str, ...]] = ("words", "tags")
    field: ClassVar[str | None] = "tags"
    by_class: ClassVar[bool] = True

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads tags' numbers, for each record int32, (words,)."""
        kept, encoded = check_tags(table, labels=names, max_invalid_share=max_invalid_share)
        values = np.empty(len(kept), object)
        values[:] = encoded.ids
        return kept, Targets(values, encoded.names)

    def check(self, table: Table, targets: Targets) -> None:
        """Refuses records of one tag alone."""
        present = np.unique(np.concatenate(list(targets.values)))
        if len(present) < 2:
            _refuse_one_class(table, "tags", ", ".join(targets.names[each] for each in present))

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Counts entities by type, or tags."""
        if scheme_of_labels(targets.names) is None:
            numbers = np.concatenate(list(targets.values))
            return "tags", _counted(
                targets.names, np.bincount(numbers, minlength=len(targets.names))
            )
        counts = Counter(
            span.label
            for numbers in targets.values
            for span in find_spans([targets.names[each] for each in numbers])
        )
        return "entities", _counted(sorted(counts), [counts[each] for each in sorted(counts)])


def _refuse_one_class(table: Table, field: str | None, only: str) -> None:
    raise DataError(
        f"{table.name} must hold at least two classes in {table.column_name(str(field))}. "
        f"Received: {only}. Check that it is the column with the classes."
    )


def _counted(names: Sequence[str], counts: Sequence[int] | np.ndarray) -> str:
    listed = ", ".join(
        f"{name} {count:,}" for name, count in zip(names[:_MOST_SHOWN], counts, strict=False)
    )
    return listed + (f" and {len(counts) - _MOST_SHOWN} more" if len(counts) > _MOST_SHOWN else "")
