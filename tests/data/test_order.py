"""Which examples form which batch: everything once, alike in length, the same by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfaigc.data import BatchOrder
from tfaigc.data.shuffling import permutation
from tfaigc.errors import DataError

LENGTHS = np.random.Generator(np.random.PCG64(0)).integers(1, 100, 1003)


def joined(order: BatchOrder, epoch: int) -> list[int]:
    return np.concatenate(order.batches(epoch)).tolist()


def test_permutation_depends_on_its_key_alone() -> None:
    assert sorted(permutation(1000, 3, 4).tolist()) == list(range(1000))
    assert permutation(1000, 3, 4).tolist() == permutation(1000, 3, 4).tolist()
    assert permutation(1000, 3, 4).tolist() != permutation(1000, 4, 3).tolist()
    # Literal, so that another version of NumPy that draws otherwise is noticed.
    assert permutation(8, 42, 1, 0).tolist() == [1, 2, 5, 3, 6, 0, 4, 7]
    assert permutation(0, 1).tolist() == []


@pytest.mark.parametrize("arguments", [{"shuffle": True}, {"sort": True}, {"sort": False}])
@pytest.mark.parametrize("batch_size", [1, 32, 1003, 2000])
def test_every_example_is_in_one_batch(arguments: dict[str, Any], batch_size: int) -> None:
    order = BatchOrder(LENGTHS, batch_size, **arguments)
    for epoch in range(2):
        batches = order.batches(epoch)
        assert len(batches) == len(order)
        assert sorted(np.concatenate(batches).tolist()) == list(range(1003))
        assert sum(len(batch) != batch_size for batch in batches) <= 1


TOKENS = {"batch_tokens": 1000}


@pytest.mark.parametrize("arguments", [{"shuffle": True}, {"sort": True}, {"sort": False}])
def test_batches_of_tokens_hold_what_fits(arguments: dict[str, Any]) -> None:
    order = BatchOrder(LENGTHS, **TOKENS, **arguments)
    sizes = []
    for epoch in range(3):
        batches = order.batches(epoch)
        # As many in each epoch: schedules and resumed runs count on it.
        assert len(batches) == len(order)
        assert sorted(np.concatenate(batches).tolist()) == list(range(1003))
        cells = [-(-LENGTHS[batch].max() // 8) * 8 * len(batch) for batch in batches]
        assert max(cells) <= 1000
        sizes.append(sorted(map(len, batches)))
    assert sizes[0] == sizes[1] == sizes[2]
    assert order.most_rows == sizes[0][-1]
    assert order.usual_weight == order.examples_per_batch == 1003 / len(order)
    if arguments != {"sort": False}:
        assert len(order) < 1.2 * LENGTHS.sum() / 1000
        assert joined(order, 0) != joined(order, 1) or not order.shuffle


def test_epochs_and_seeds_differ_and_repeat() -> None:
    first, same, other = (BatchOrder(LENGTHS, 8, shuffle=True, seed=seed) for seed in (1, 1, 2))
    assert joined(first, 0) == joined(same, 0)
    assert joined(first, 0) != joined(first, 1)
    assert joined(first, 0) != joined(other, 0)


def test_shuffled_batches_pad_little_and_come_in_no_order_of_length() -> None:
    order = BatchOrder(LENGTHS, 16, shuffle=True)
    longest = np.array([LENGTHS[batch].max() for batch in order.batches(0)])
    padded = sum(LENGTHS[batch].max() * len(batch) for batch in order.batches(0))
    assert padded < 1.1 * LENGTHS.sum()
    assert not (np.diff(longest) <= 0).all()
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.5


def test_batches_of_different_epochs_mix_other_examples() -> None:
    order = BatchOrder(np.ones(640), 8, shuffle=True)
    first = {frozenset(batch.tolist()) for batch in order.batches(0)}
    second = {frozenset(batch.tolist()) for batch in order.batches(1)}
    assert not first & second


def test_longest_first() -> None:
    lengths = LENGTHS[joined(BatchOrder(LENGTHS, 32), 0)]
    assert (np.diff(lengths) <= 0).all()


def test_records_keep_their_order() -> None:
    assert joined(BatchOrder(LENGTHS, 32, sort=False), 5) == list(range(1003))


@pytest.mark.parametrize("sizes", [{"batch_size": 3}, {"batch_tokens": 400}])
@pytest.mark.parametrize("shuffle", [True, False])
def test_shared_rows(shuffle: bool, sizes: dict[str, int]) -> None:
    order = BatchOrder(LENGTHS, row_length=128, shuffle=shuffle, **sizes)
    for epoch in range(2):
        batches = order.batches(epoch)
        assert len(batches) == len(order)
        assert {len(batch) for batch in batches} == {order.most_rows} == {3}
        rows = np.concatenate(batches)
        assert sorted(rows[rows >= 0].tolist()) == list(range(1003))
        tokens = np.where(rows >= 0, LENGTHS[rows], 0).sum(axis=1)
        assert tokens.max() <= 128
        # Nearly full, but for the empty rows that make the last batch as large as the others.
        assert tokens.sum() > 0.97 * 128 * np.count_nonzero(tokens)
    assert (rows[: len(batches[0])].tolist() != order.batches(0)[0].tolist()) == shuffle
    outputs = np.concatenate([LENGTHS[batch[batch >= 0]] for batch in order.batches(1)])
    assert (order.restore(outputs, epoch=1) == LENGTHS).all()


@pytest.mark.parametrize("shuffle", [True, False])
def test_remainder_is_dropped_on_request(shuffle: bool) -> None:
    order = BatchOrder(LENGTHS, 32, shuffle=shuffle, drop_remainder=True)
    assert [len(batch) for batch in order.batches(0)] == [32] * 31
    assert len(order) == 31


def test_outputs_go_back_to_the_order_of_the_examples() -> None:
    for arguments in ({}, {"shuffle": True}, {"sort": False}):
        order = BatchOrder(LENGTHS, 32, **arguments)  # type: ignore[arg-type]
        outputs = np.concatenate([LENGTHS[batch] * 2 for batch in order.batches(0)])
        assert (order.restore(outputs) == LENGTHS * 2).all()
    with pytest.raises(DataError, match=r"outputs must have 1003 rows.*Received: 5"):
        order.restore(np.zeros(5))


def test_iterations_take_one_epoch_after_the_other() -> None:
    order = BatchOrder(LENGTHS, 32, shuffle=True)
    taken = [order.take_epoch() for _ in range(3)]
    assert order.epoch == 3
    for epoch, batches in enumerate(taken):
        assert np.concatenate(batches).tolist() == joined(order, epoch)


def test_resuming_skips_the_batches_that_were_seen() -> None:
    order = BatchOrder(LENGTHS, 32, shuffle=True)
    order.epoch = 2
    order.first_step = 30
    assert order.first_step == 30
    assert [batch.tolist() for batch in order.take_epoch()] == [
        batch.tolist() for batch in order.batches(2)[30:]
    ]
    assert (order.epoch, order.first_step) == (3, 0)
    assert len(order.take_epoch()) == len(order)
    # However often a dataset is read, such as once to build a model, the place is kept.
    order.epoch = 2
    assert len(order.take_epoch()) == 2
    order.resume_at(0, 0)
    order.epoch = 2
    assert len(order.take_epoch()) == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 4), "must have examples"),
        (([1], 0), "batch_size must be at least 1. Received: 0"),
        (([1], 1, {"seed": -1}), "seed must be at least 0. Received: -1"),
        (([1], None), "Either batch_size or batch_tokens .* batch_tokens=None. Pass one"),
        (([1], 2, {"batch_tokens": 8}), "Received: batch_size=2, batch_tokens=8. Pass one"),
        (([9], None, {"batch_tokens": 15}), "batch_tokens must be at least 16.*Received: 15"),
        (([9], 1, {"row_length": 8}), "row_length must be at least .* 9, and .*Received: 8"),
        (([9], None, {"batch_tokens": 63, "row_length": 64}), "at least 64.*Received: 63"),
        (([9], 1, {"row_length": 9, "drop_remainder": True}), "drop_remainder needs batches of a"),
    ],
)
def test_wrong_arguments(arguments: Any, message: str) -> None:
    lengths, batch_size, *others = arguments
    with pytest.raises(DataError, match=message):
        BatchOrder(lengths, batch_size, **dict(*others))


def test_wrong_places() -> None:
    order = BatchOrder(LENGTHS, 32)
    for epoch, step in ((0, 32), (0, -1), (-1, 0)):
        with pytest.raises(DataError, match="batch from 0 to 31"):
            order.resume_at(epoch, step)
    with pytest.raises(DataError, match="at most the number of examples, 3"):
        BatchOrder([1, 2, 3], 4, drop_remainder=True)
