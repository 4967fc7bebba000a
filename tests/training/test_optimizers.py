"""The default optimizer decays matrices only and equals Keras's AdamW."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tfaigc.errors import ConfigError
from tfaigc.training.optimizers import AdamW, adamw


def _model() -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,), dtype="int32")
    hidden = keras.layers.Embedding(20, 8)(inputs)
    hidden = keras.layers.LayerNormalization()(hidden)
    return keras.Model(inputs, keras.layers.Dense(3)(hidden[:, 0]))


def _train(optimizer_of: Any, **compile_arguments: Any) -> list[np.ndarray[Any, Any]]:
    model = _model()
    model.compile(
        optimizer=optimizer_of(model),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **compile_arguments,
    )
    random = np.random.default_rng(0)
    ids, targets = random.integers(0, 20, (32, 4)), random.integers(0, 3, 32)
    model.fit(ids, targets, batch_size=8, epochs=3, shuffle=False, verbose=0)
    weights: list[np.ndarray[Any, Any]] = model.get_weights()
    return weights


@pytest.mark.parametrize("compile_arguments", [{}, {"run_eagerly": True}, {"jit_compile": True}])
def test_equals_keras_adamw(compile_arguments: dict[str, Any]) -> None:
    def ours(model: keras.Model) -> keras.optimizers.Optimizer:
        return adamw(model, 0.01, weight_decay=0.1, max_grad_norm=0.5)

    def theirs(model: keras.Model) -> keras.optimizers.Optimizer:
        optimizer = keras.optimizers.AdamW(
            0.01, weight_decay=0.1, epsilon=1e-8, global_clipnorm=0.5
        )
        vectors = [variable for variable in model.trainable_variables if len(variable.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=vectors)
        return optimizer

    for mine, reference in zip(_train(ours, **compile_arguments), _train(theirs), strict=True):
        np.testing.assert_allclose(mine, reference, atol=2e-6)


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
