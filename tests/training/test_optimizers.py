"""The default optimizer decays matrices only and equals PyTorch's AdamW."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfaigc.errors import ConfigError
from tfaigc.training import fused_adamw
from tfaigc.training.optimizers import AdamW, adamw


@pytest.fixture(params=[1_000_000, 1], ids=["small table", "large table"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_adamw, "_LARGE_TABLE", request.param)


def _model() -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,), dtype="int32")
    hidden = keras.layers.Embedding(20, 8)(inputs)
    hidden = keras.layers.LayerNormalization()(hidden)
    return keras.Model(inputs, keras.layers.Dense(3)(hidden[:, 0]))


_random = np.random.default_rng(0)
IDS, TARGETS = _random.integers(0, 20, (32, 4)), _random.integers(0, 3, 32)


def _train(model: keras.Model, **compile_arguments: Any) -> list[np.ndarray[Any, Any]]:
    model.compile(
        optimizer=adamw(model, 0.01, weight_decay=0.1, max_grad_norm=0.5),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **compile_arguments,
    )
    model.fit(IDS, TARGETS, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return [weight.T if weight.ndim == 2 else weight for weight in model.get_weights()]


def _train_in_torch(weights: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    import torch

    table, scale, shift, kernel, bias = (torch.tensor(each) for each in weights)
    kernel = kernel.T
    parameters = [each.requires_grad_() for each in (table, scale, shift, kernel, bias)]
    optimizer = torch.optim.AdamW(
        [
            {"params": [table, kernel], "weight_decay": 0.1},
            {"params": [scale, shift, bias], "weight_decay": 0.0},
        ],
        lr=0.01,
    )
    for step in range(12):
        rows = slice(step % 4 * 8, step % 4 * 8 + 8)
        hidden = torch.nn.functional.embedding(torch.tensor(IDS[rows, 0]), table)
        hidden = torch.nn.functional.layer_norm(hidden, (8,), scale, shift, eps=1e-3)
        logits = torch.nn.functional.linear(hidden, kernel, bias)
        torch.nn.functional.cross_entropy(logits, torch.tensor(TARGETS[rows])).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()
        optimizer.zero_grad()
    turned = [table.T, scale, shift, kernel, bias]
    return [each.detach().numpy() for each in turned]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("compile_arguments", [{}, {"run_eagerly": True}, {"jit_compile": True}])
def test_equals_the_adamw_of_pytorch(compile_arguments: dict[str, Any]) -> None:
    model = _model()
    expected = _train_in_torch(model.get_weights())
    for mine, reference in zip(_train(model, **compile_arguments), expected, strict=True):
        np.testing.assert_allclose(mine, reference, atol=1e-5)


def test_clips_by_the_length_of_repeated_rows_added_up() -> None:
    rows = tf.IndexedSlices(tf.ones((3, 2)), tf.constant([4, 1, 4]), tf.constant([6, 2]))
    dense = tf.constant([2.0, 4.0])
    clipped, other, nothing = fused_adamw.clip_by_global_norm([rows, dense, None], 1.0)
    length = np.sqrt(2 * 2.0**2 + 2 * 1.0**2 + 2.0**2 + 4.0**2)
    expected = np.zeros((6, 2))
    expected[[4, 1]] = [[2 / length] * 2, [1 / length] * 2]
    np.testing.assert_allclose(tf.convert_to_tensor(clipped), expected, rtol=1e-6)
    np.testing.assert_allclose(other, dense / length, rtol=1e-6)
    assert nothing is None
    assert np.array_equal(fused_adamw.clip_by_global_norm([dense], 9.0)[0], dense)


def test_a_gradient_without_end_makes_all_of_them_nan() -> None:
    gradients = fused_adamw.clip_by_global_norm([tf.constant([1.0]), tf.constant([np.inf])], 1.0)
    assert all(np.isnan(each).all() for each in gradients)


def test_only_matrices_decay() -> None:
    model = _model()
    optimizer = adamw(model, 0.1, weight_decay=0.5)
    before = model.get_weights()
    optimizer.apply([keras.ops.zeros_like(v) for v in model.trainable_variables], model.weights)
    for variable, old in zip(model.weights, before, strict=True):
        factor = 0.95 if len(variable.shape) == 2 else 1.0
        np.testing.assert_allclose(variable.numpy(), old * factor, rtol=1e-6)


def test_survives_serialization() -> None:
    config = keras.optimizers.serialize(adamw(_model(), 0.01))
    assert isinstance(keras.optimizers.deserialize(config), AdamW)


@pytest.mark.parametrize(
    "arguments", [{"weight_decay": -0.1}, {"max_grad_norm": 0.0}, {"max_grad_norm": -1.0}]
)
def test_arguments_out_of_range(arguments: dict[str, float]) -> None:
    name, value = next(iter(arguments.items()))
    with pytest.raises(ConfigError, match=f"{name} must be .* Received: {value}"):
        adamw(_model(), 0.01, **arguments)
