"""Batches: exact contents, few shapes, one epoch after the other, resumable under fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfaigc.data import BatchOrder, EncodedTexts, EpochOrder, make_dataset
from tfaigc.errors import DataError

ROWS = [[7] * length for length in (3, 9, 17, 1, 12, 8, 30)]


def encode(rows: list[list[int]]) -> EncodedTexts:
    flat = np.array([token for row in rows for token in row], np.int32)
    splits = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return EncodedTexts(flat, (flat % 2).astype(np.int32), splits)


def distinct_rows(count: int = 50) -> list[list[int]]:
    random = np.random.Generator(np.random.PCG64(1))
    return [random.integers(1, 1000, random.integers(1, 40)).tolist() for _ in range(count)]


def test_contents() -> None:
    rows = [[5, 6, 7], [8], []]
    dataset = make_dataset(
        encode(rows), BatchOrder([3, 1, 0], 3, sort=False), pad_token_id=9, max_length=6
    )
    (batch,) = dataset.as_numpy_iterator()
    assert batch["token_ids"].tolist() == [
        [5, 6, 7, 9, 9, 9],
        [8, 9, 9, 9, 9, 9],
        [9, 9, 9, 9, 9, 9],
    ]
    assert batch["padding_mask"].tolist() == [[1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0] * 6]
    assert batch["segment_ids"].tolist() == [[1, 0, 1, 0, 0, 0], [0] * 6, [0] * 6]
    assert {array.dtype for array in batch.values()} == {np.dtype("int32")}


@pytest.mark.parametrize(
    ("max_length", "widths"),
    [(None, [32, 16, 8, 8]), (30, [30, 16, 8, 8]), (32, [32, 16, 8, 8])],
)
def test_lengths_are_rounded_up_and_capped(max_length: int | None, widths: list[int]) -> None:
    encoded = encode(ROWS)
    order = BatchOrder(np.diff(encoded.row_splits), 2)
    dataset = make_dataset(encoded, order, max_length=max_length)
    assert [batch["token_ids"].shape[1] for batch in dataset] == widths


def test_several_texts_of_an_example_stand_together() -> None:
    encoded = encode([[5, 6], [7], [8, 8, 8], [9]])
    order = BatchOrder([9, 1], 2)
    groups = np.array([0, 3, 4])
    labels = np.array([1, 0], np.int32)
    (batch,) = make_dataset(encoded, order, labels=labels, groups=groups, multiple=1)
    inputs, targets = batch
    assert inputs["token_ids"].numpy().tolist() == [
        [[5, 6, 0], [7, 0, 0], [8, 8, 8]],
        [[9, 0, 0], [0, 0, 0], [0, 0, 0]],
    ]
    assert inputs["padding_mask"].numpy().sum(axis=-1).tolist() == [[2, 1, 3], [1, 0, 0]]
    assert targets.numpy().tolist() == [1, 0]
    with pytest.raises(DataError, match="cannot share rows"):
        make_dataset(encoded, BatchOrder([9, 1], 2, row_length=9), groups=groups)


def test_batches_of_tokens_count_padding() -> None:
    encoded = encode(ROWS)
    order = BatchOrder(np.diff(encoded.row_splits), batch_tokens=48)
    shapes = [batch["token_ids"].shape for batch in make_dataset(encoded, order)]
    assert shapes == [(1, 32), (2, 24), (3, 16), (1, 8)]


def test_specification_and_cardinality() -> None:
    encoded = encode(ROWS)
    order = BatchOrder(np.diff(encoded.row_splits), 2)
    labels = np.arange(7, dtype=np.int32)
    weights = np.linspace(0, 1, 7, dtype=np.float32)
    dataset = make_dataset(encoded, order, labels=labels, weights=weights)
    assert int(dataset.cardinality()) == 4
    assert dataset.batch_order is order
    inputs, label, weight = dataset.element_spec
    assert list(inputs) == ["token_ids", "padding_mask", "segment_ids"]
    assert all(spec == tf.TensorSpec((None, None), tf.int32) for spec in inputs.values())
    assert label == tf.TensorSpec((None,), tf.int32)
    assert weight == tf.TensorSpec((None,), tf.float32)
    matrix = make_dataset(encoded, order, labels=np.zeros((7, 3), np.float32))
    assert matrix.element_spec[1] == tf.TensorSpec((None, 3), tf.float32)


def test_labels_and_weights_stay_with_their_texts() -> None:
    rows = distinct_rows()
    encoded = encode(rows)
    order = BatchOrder(np.diff(encoded.row_splits), 7, shuffle=True)
    labels = np.array([sum(row) for row in rows])
    dataset = make_dataset(encoded, order, labels=labels, weights=-labels)
    seen = []
    for inputs, label, weight in dataset.as_numpy_iterator():
        assert inputs["token_ids"].sum(axis=1).tolist() == label.tolist()
        assert (
            inputs["padding_mask"].sum(axis=1).tolist()
            == np.count_nonzero(inputs["token_ids"], axis=1).tolist()
        )
        assert weight.tolist() == (-label).tolist()
        seen += label.tolist()
    assert sorted(seen) == sorted(labels.tolist())


def test_iterations_are_epochs(tmp_path: Path) -> None:
    encoded = encode(distinct_rows())
    order = BatchOrder(np.diff(encoded.row_splits), 7, shuffle=True)
    for name, array in zip(encoded._fields, encoded, strict=True):
        array.tofile(tmp_path / name)
    mapped = EncodedTexts(
        *(
            np.memmap(tmp_path / n, a.dtype, "r")
            for n, a in zip(encoded._fields, encoded, strict=True)
        )
    )
    dataset = make_dataset(mapped, order, labels=np.arange(50))
    for epoch in range(3):
        labels = [label.tolist() for _, label in dataset.as_numpy_iterator()]
        assert labels == [batch.tolist() for batch in order.batches(epoch)]
    order.resume_at(1, 5)
    rest = [label.tolist() for _, label in dataset.take(len(order) - 5).as_numpy_iterator()]
    assert rest == [batch.tolist() for batch in order.batches(1)[5:]]


def test_parts_must_belong_together() -> None:
    encoded, order = encode(ROWS), BatchOrder([1] * 7, 2)
    with pytest.raises(DataError, match="'features': 7, 'order': 7, 'labels': 3"):
        make_dataset(encoded, order, labels=np.zeros(3))
    with pytest.raises(DataError, match="weights need labels"):
        make_dataset(encoded, order, weights=np.zeros(7))


class Recorder(keras.Model):
    """Notes which examples each step of training gets."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.seen: list[list[int]] = []

    def call(self, inputs: Any) -> Any:
        return self.dense(keras.ops.cast(inputs["token_ids"], "float32")[:, :1])

    def train_step(self, data: Any) -> dict[str, Any]:
        self.seen.append(data[1].numpy().tolist())
        return {"loss": keras.ops.mean(self(data[0]))}


def fit(
    order: BatchOrder, encoded: EncodedTexts, *others: keras.callbacks.Callback, **arguments: Any
) -> list[list[int]]:
    dataset = make_dataset(encoded, order, labels=np.arange(50))
    model = Recorder()
    model.compile(run_eagerly=True, loss="mse")
    model.fit(
        dataset, verbose=0, shuffle=False, callbacks=[EpochOrder(order), *others], **arguments
    )
    assert not model.stop_training
    return model.seen


def test_fit_sees_each_epoch_as_it_is_numbered() -> None:
    encoded = encode(distinct_rows())
    order = BatchOrder(np.diff(encoded.row_splits), 7, shuffle=True)
    wanted = [batch.tolist() for epoch in range(3) for batch in order.batches(epoch)]
    assert fit(order, encoded, epochs=3) == wanted


@pytest.mark.parametrize(
    ("step", "sizes"),
    [
        (1, {"batch_tokens": 160}),
        (5, {"batch_size": 2, "row_length": 40}),
        (7, {"batch_size": 7}),
    ],
)
def test_fit_resumes_at_the_batch(step: int, sizes: dict[str, int]) -> None:
    encoded = encode(distinct_rows())
    order = BatchOrder(np.diff(encoded.row_splits), shuffle=True, **sizes)
    assert len(order) > step
    batches = [batch for epoch in range(1, 4) for batch in order.batches(epoch)][step:]
    wanted = [batch[batch >= 0].tolist() for batch in batches]
    order.resume_at(1, step)
    assert fit(order, encoded, initial_epoch=1, epochs=4) == wanted
    assert order.first_step == 0
    # Another run over the same dataset is whole again.
    assert len(fit(order, encoded, epochs=2)) == 2 * len(order)


def test_the_place_that_another_callback_sets_counts() -> None:
    encoded = encode(distinct_rows())
    order = BatchOrder(np.diff(encoded.row_splits), 7, shuffle=True)

    def place(step: int) -> keras.callbacks.Callback:
        def begin(epoch: int, logs: Any) -> None:
            order.first_step = step if epoch == 0 else 0

        return keras.callbacks.LambdaCallback(on_epoch_begin=begin)

    assert len(fit(order, encoded, place(3), epochs=2)) == 2 * len(order) - 3
    order.resume_at(0, 5)
    assert len(fit(order, encoded, place(0), epochs=2)) == 2 * len(order)


def test_a_fit_that_fails_leaves_no_place_behind() -> None:
    encoded = encode(distinct_rows())
    order = BatchOrder(np.diff(encoded.row_splits), 7, shuffle=True)

    def fail(batch: int, logs: Any) -> None:
        raise KeyboardInterrupt

    order.resume_at(0, 5)
    with pytest.raises(KeyboardInterrupt):
        fit(order, encoded, keras.callbacks.LambdaCallback(on_train_batch_end=fail))
    assert len(fit(order, encoded)) == len(order)
