"""Frozen layers: what training leaves alone, what it does not compute, and what it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.families.weights import variables_of
from tfaigc.layers.dropout import Dropout


@pytest.fixture
def load(tiny_classifier: Path) -> Any:
    def load(*, frozen: int | str | None = "none") -> tfaigc.TextClassifier:
        model = tfaigc.TextClassifier.from_pretrained(tiny_classifier, max_length=32)
        for layer in model.network.head._flatten_layers():
            if isinstance(layer, Dropout):
                layer.rate = 0.0
        if frozen != "none":
            model.freeze(frozen)
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        return model

    return load


def parts_in_backward_pass(model: Any, data: tf.data.Dataset) -> set[str]:
    """Traces a step; returns which of some parts its gradients are computed through."""
    step = tf.function(model.train_step).get_concrete_function(data.element_spec)
    names = [op.name for op in step.graph.get_operations() if "gradient_tape" in op.name]
    parts = ("embeddings", "block_0", "block_1", "summary", "classifier")
    return {part for part in parts if any(re.search(rf"/{part}(_\d+)?/", name) for name in names)}


@pytest.mark.parametrize(
    ("frozen", "computed"),
    [
        ("none", {"embeddings", "block_0", "block_1", "classifier"}),
        (1, {"block_1", "classifier"}),
        (None, {"classifier"}),
    ],
)
def test_the_backward_pass_ends_above_what_is_frozen(
    load: Any, reviews: Any, frozen: Any, computed: set[str]
) -> None:
    model = load(frozen=frozen)
    data = model.dataset(reviews, cache=False)
    assert parts_in_backward_pass(model, data) - {"summary"} == computed


def test_what_is_frozen_stays_and_the_rest_learns(load: Any, reviews: Any) -> None:
    model = load(frozen=1)
    before = {path: variable.numpy() for path, variable in variables_of(model.network).items()}
    model.fit(model.dataset(reviews[:16], cache=False), verbose=0)
    changed = {
        path.partition("encoder/")[2].partition("/")[0] or "head"
        for path, variable in variables_of(model.network).items()
        if not np.array_equal(variable.numpy(), before[path])
    }
    assert "block_1" in changed
    assert not changed & {"embeddings", "block_0"}


def test_kept_features_teach_what_the_backbone_would(load: Any, reviews: Any) -> None:
    ends = []
    for cache_features in (False, True):
        model = load(frozen=None)
        data = model.dataset(reviews, shuffle=True, cache=False, cache_features=cache_features)
        model.fit(data, validation_data=data, verbose=0)
        ends.append([weight.numpy() for weight in model.weights])
    assert list(data.element_spec[0]) == ["features"]
    for tokens, features in zip(*ends, strict=True):
        np.testing.assert_allclose(features, tokens, atol=1e-5, rtol=0)


def test_what_cannot_be_frozen_or_kept(load: Any, reviews: Any) -> None:
    model = load()
    with pytest.raises(ConfigError, match=r"must be 0 to 2 in this checkpoint. Received: 3"):
        model.freeze(3)
    with pytest.raises(ConfigError, match=r"Received: one that is trained. Call model.freeze"):
        model.dataset(reviews, cache_features=True)
    with pytest.raises(ConfigError, match="Features have no rows to share"):
        model.dataset(reviews, cache_features=True, packed=True)
