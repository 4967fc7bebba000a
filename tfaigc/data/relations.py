"""What records say of which texts belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.data.checks import check_examples, check_rows, check_texts
from tfaigc.data.table import Table
from tfaigc.data.targets import read_number
from tfaigc.errors import DataError


@dataclass(frozen=True)
class Relation:
    """A way to say which texts belong together.

    Attributes:
        name: What it is called.
        texts: The fields with an example's texts.
        target: The field that says how they belong together; None: the fields' names do.
    """

    name: str
    texts: tuple[str, ...]
    target: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its records have."""
        return self.texts if self.target is None else (*self.texts, self.target)


SCORED = Relation("scored pairs", ("text", "text_pair"), "score")
SCORED_ANCHORS = Relation("scored pairs", ("anchor", "positive"), "score")
TRIPLETS = Relation("triplets", ("anchor", "positive", "negative"))
PAIRS = Relation("pairs", ("anchor", "positive"))
MATCHES = Relation("labelled pairs", ("text", "text_pair"), "label")
CLASSES = Relation("labelled texts", ("text",), "label")

RELATIONS = (SCORED, SCORED_ANCHORS, TRIPLETS, PAIRS, MATCHES, CLASSES)
"""In the order in which they are looked for."""


def relation_of(table: Table) -> Relation:
    """Tells by a table's columns what its records say.

    Raises:
        DataError: They say nothing of which texts belong together.
    """
    for relation in RELATIONS:
        if set(relation.fields) <= set(table.columns):
            return relation
    ways = "; ".join(f"{each.name}: {', '.join(each.fields)}" for each in RELATIONS)
    raise DataError(
        f"{table.name} must say which texts belong together, by one of these sets of columns: "
        f"{ways}. Received columns: {', '.join(table.columns) or 'none'}. Name them so, or map "
        "them with columns={...}."
    )


def check_relation(
    table: Table, *, max_invalid_share: float = 0.0
) -> tuple[Table, Relation, np.ndarray]:
    """Checks that every record has its texts, and says how they belong together.

    Args:
        table: The records.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records; what its records say; and (records,): scores,
        float32, or int32: 1 for pairs that match, and 0 for those that do not; classes; or zeros
        where nothing is to be said.

    Raises:
        DataError: The columns are not there, or too many records cannot be used.
    """
    relation = relation_of(table)
    if relation.target is None:
        kept = check_texts(table, *relation.texts, max_invalid_share=max_invalid_share)
        return kept, relation, np.zeros(len(kept), np.int32)
    if relation is CLASSES:
        kept, encoded = check_examples(table, *relation.texts, max_invalid_share=max_invalid_share)
        return kept, relation, encoded.ids
    kept, values = check_rows(
        table,
        *relation.texts,
        target=relation.target,
        parse=_read_score if relation.target == "score" else _read_match,
        max_invalid_share=max_invalid_share,
    )
    return (
        kept,
        relation,
        np.asarray(values, np.float32 if relation.target == "score" else np.int32),
    )


def describe_relation(relation: Relation, values: np.ndarray) -> str:
    """Says in a few words what records say.

    Example:
        >>> describe_relation(MATCHES, np.array([1, 0, 1]))
        'labelled pairs, 2 of 3 match'
    """
    if relation.target == "score":
        return f"{relation.name}, {values.min():g} to {values.max():g}, mean {values.mean():.4g}"
    if relation is MATCHES:
        return f"{relation.name}, {int(values.sum()):,} of {len(values):,} match"
    if relation is CLASSES:
        return f"{relation.name}, {len(np.unique(values))} classes"
    return relation.name


def texts_of_examples(table: Table, relation: Relation) -> Sequence[str]:
    """Lists the texts of all records, those of a record one behind the other."""
    return [str(row[field]) for row in table.rows for field in relation.texts]


def _read_score(value: Any, column: str) -> tuple[float, str]:
    """Reads a similarity; what is wrong with it is the second of the two."""
    number, fault = read_number(value, column)
    if not fault and not -1 <= number <= 1:
        fault = (
            f"{column} must be a similarity from -1 to 1. Received: {number:g}. Divide scores by "
            "the greatest that there may be."
        )
    return number, fault


def _read_match(value: Any, column: str) -> tuple[int, str]:
    """Reads whether a pair matches; what is wrong with it is the second of the two."""
    number, fault = read_number(value, column)
    if fault or number not in (0, 1):
        return 0, f"{column} must be 1 where the texts match, and else 0. Received: {value!r:.60}."
    return int(number), ""
