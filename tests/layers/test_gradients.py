"""The gradients that are written out, against those that TensorFlow derives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tfaigc.layers import PackedLayout, activation
from tfaigc.layers.dropout import Dropout
from tfaigc.layers.norms import LayerNorm


def gradients(function: Callable[[Any], Any], x: Any, *variables: Any) -> list[np.ndarray]:
    """Differentiates a weighted sum of a function's values."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = function(x)
        weights = tf.reshape(tf.range(tf.size(values), dtype=values.dtype), tf.shape(values))
        total = tf.reduce_sum(values * tf.cos(weights))
    return [np.asarray(tf.cast(each, tf.float32)) for each in tape.gradient(total, [x, *variables])]


def random_rows(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(3).normal(0.3, 2.0, shape), tf.float32)


def test_gelu() -> None:
    x = tf.linspace(-9.0, 9.0, 501)
    plain, written = (activation("gelu", training=training) for training in (False, True))
    np.testing.assert_allclose(written(x), plain(x), atol=1e-6)
    np.testing.assert_allclose(gradients(written, x)[0], gradients(plain, x)[0], atol=1e-6)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("epsilon", [1e-12, 0.5])
def test_layer_norm(center: bool, epsilon: float) -> None:
    x = random_rows(5, 7, 12)
    norm = LayerNorm(epsilon=epsilon, center=center)
    norm.build(x.shape)
    for index, variable in enumerate(norm.trainable_variables):
        variable.assign(random_rows(12) + index)
    np.testing.assert_allclose(norm(x, training=True), norm(x), atol=1e-5)
    weights = [variable.value for variable in norm.trainable_variables]
    written = gradients(lambda rows: norm(rows, training=True), x, *weights)
    derived = gradients(norm, x, *weights)
    assert len(written) == 2 + center
    for ours, theirs in zip(written, derived, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_layer_norm_keeps_the_dtype_of_the_policy() -> None:
    norm = LayerNorm(dtype="mixed_bfloat16")
    rows = tf.cast(random_rows(3, 8), tf.bfloat16)
    assert norm(rows, training=True).dtype == norm(rows).dtype == tf.bfloat16


def test_layout() -> None:
    mask = ops.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
    layout = PackedLayout(mask)
    cells = np.flatnonzero(np.asarray(mask))
    grid, rows = random_rows(4, 3, 5), random_rows(6, 5)

    def to_rows(grid: Any) -> Any:
        return tf.gather(tf.reshape(grid, (-1, 5)), cells)

    def to_grid(rows: Any) -> Any:
        return tf.reshape(tf.scatter_nd(cells[:, None], rows, (12, 5)), (4, 3, 5))

    np.testing.assert_array_equal(layout.to_grid(rows), to_grid(rows))
    for ours, plain, x in ((layout.to_rows, to_rows, grid), (layout.to_grid, to_grid, rows)):
        np.testing.assert_array_equal(gradients(ours, x)[0], gradients(plain, x)[0])


@pytest.mark.parametrize("shape", [(3, 5, 7), (101,), (64, 64)])
def test_dropout_drops_the_same_in_the_gradient(shape: tuple[int, ...]) -> None:
    ones = tf.ones(shape)
    layer = Dropout(0.5, seed=4)
    with tf.GradientTape() as tape:
        tape.watch(ones)
        kept = layer(ones, training=True)
        total = tf.reduce_sum(kept)
    np.testing.assert_array_equal(tape.gradient(total, ones), kept)
    assert set(np.unique(kept)) == {0.0, 2.0}


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.9, 1.0])
def test_dropout_keeps_the_mean(rate: float) -> None:
    layer = Dropout(rate, seed=1)
    kept = np.asarray(layer(ops.ones((400, 500)), training=True))
    assert abs((kept == 0).mean() - rate) < 0.004
    if rate < 1:
        assert abs(kept.mean() - 1) < 0.04
    assert layer(ops.ones((2, 2))).numpy().all()


def test_dropout_draws_anew_each_time_and_by_its_seed() -> None:
    first, same, other = (Dropout(0.5, seed=seed) for seed in (1, 1, 2))
    ones = ops.ones((40, 40))
    drawn = [np.asarray(layer(ones, training=True)) for layer in (first, same, other, first)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[3])
