"""Splits: nothing twice, nothing lost, every class in its share."""

from __future__ import annotations

import numpy as np
import pytest

from tfaigc.data import (
    count_conflicts,
    first_of_duplicates,
    grouped_split,
    read_records,
    stratified_split,
)
from tfaigc.errors import DataError


def test_splits_are_stratified_complete_and_seeded() -> None:
    labels = np.repeat([0, 1, 2], [500, 300, 7])
    splits = stratified_split(labels, (0.8, 0.1, 0.1), seed=1)
    assert sorted(np.concatenate(splits).tolist()) == list(range(807))
    counts = [np.bincount(labels[split], minlength=3).tolist() for split in splits]
    assert [count[:2] for count in counts] == [[400, 240], [50, 30], [50, 30]]
    same, other = (stratified_split(labels, (0.8, 0.1, 0.1), seed=seed) for seed in (1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(splits, same, strict=True))
    assert not np.array_equal(splits[0], other[0])


def test_every_class_is_in_the_first_split() -> None:
    splits = stratified_split(np.array([0] * 20 + [1]), (0.1, 0.9), seed=0)
    assert 20 in splits[0]


@pytest.mark.parametrize("fractions", [(0.5, 0.4), (1.2, -0.2)])
def test_fractions_must_sum_to_one(fractions: tuple[float, float]) -> None:
    with pytest.raises(DataError, match="shares that sum to 1"):
        stratified_split(np.zeros(4, int), fractions, seed=0)


def test_many_small_classes_have_records_in_every_split() -> None:
    labels = np.repeat(range(6), 5)
    splits = stratified_split(labels, (0.7, 0.2, 0.1), seed=0)
    assert sorted(np.concatenate(splits).tolist()) == list(range(30))
    assert [len(split) for split in splits] == [21, 6, 3]
    assert set(labels[splits[0]]) == set(range(6))


def test_too_few_records() -> None:
    with pytest.raises(DataError, match="Every split must have a record"):
        stratified_split(np.array([0, 1]), (0.8, 0.1, 0.1), seed=0)


def test_groups_stay_together() -> None:
    groups = [f"context {number * number % 23}" for number in range(200)]
    splits = grouped_split(groups, (0.6, 0.2, 0.2), seed=1)
    assert sorted(np.concatenate(splits)) == list(range(200))
    found = [{groups[row] for row in split} for split in splits]
    assert sum(map(len, found)) == len(set(groups))
    again = grouped_split(groups, (0.6, 0.2, 0.2), seed=1)
    assert [each.tolist() for each in again] == [each.tolist() for each in splits]
    # Where no two belong together, it is the usual split.
    alone = grouped_split([*range(50)], (0.8, 0.2), seed=4)
    usual = stratified_split(np.zeros(50), (0.8, 0.2), seed=4)
    assert [each.tolist() for each in alone] == [each.tolist() for each in usual]


def test_duplicates() -> None:
    rows = [("a", "x"), ("a", "y"), ("a", "x"), ("a ", "x"), ("b", "x")]
    table = read_records([{"text": text, "text_pair": pair} for text, pair in rows])
    assert first_of_duplicates(table).tolist() == [0, 1, 3, 4]
    assert first_of_duplicates(table, seen=table.select([1, 4])).tolist() == [0, 3]
    assert first_of_duplicates(read_records(["a", "b", "a"])).tolist() == [0, 1]


def test_conflicts() -> None:
    table = read_records(["a", "b", "a", "b", "b"])
    assert count_conflicts(table, np.array([0, 1, 0, 1, 0])) == 1
    assert count_conflicts(table, np.array([0, 1, 0, 1, 1])) == 0


def test_splits_are_the_same_everywhere() -> None:
    splits = stratified_split(np.arange(20) % 2, (0.6, 0.2, 0.2), seed=7)
    # Literal, so that another version of NumPy that draws otherwise is noticed.
    assert [split.tolist() for split in splits[1:]] == [[11, 14, 16, 19], [1, 2, 10, 13]]
