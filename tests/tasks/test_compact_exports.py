"""Exports whose large weights are stored in fewer bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tiny_decoder import write_tiny_decoder

import tfaigc
from tfaigc.errors import ExportError
from tfaigc.export import ask, read_metadata
from tfaigc.export.compact import CompactWeights
from tfaigc.export.inspection import stored_bytes
from tfaigc.export.weights import WEIGHT_DTYPES
from tfaigc.recipe import output_keys

SIZES = {"hidden_size": 64, "intermediate_size": 512, "num_hidden_layers": 2}


@pytest.fixture(scope="module")
def classifier(tiny_bert: Path) -> tfaigc.TextClassifier:
    config = json.loads((tiny_bert / "config.json").read_text(encoding="utf-8"))
    tokenizer = tfaigc.Tokenizer.from_pretrained(tiny_bert)
    model = tfaigc.TextClassifier.from_scratch(
        config | SIZES, tokenizer, labels=["negative", "positive"], max_length=16
    )
    # Weights as a trained model has them, of which some stick out.
    random = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(random.standard_t(4, weight.shape) * 0.1)
    return model


def test_an_export_is_smaller_and_says_what_that_changes(
    classifier: tfaigc.TextClassifier, reviews: list[dict[str, str]], tmp_path: Path
) -> None:
    version = classifier.export(tmp_path / "reviews", dtype="bfloat16-weights")
    told = read_metadata(version)["weights"]
    assert told["float32_bytes"] == 4 * classifier.count_params()
    assert stored_bytes(version) == pytest.approx(told["bytes"], abs=2000)
    assert told["bytes"] / told["float32_bytes"] == pytest.approx(0.5, abs=0.03)
    assert told["measured_on"] == "6 questions"
    assert 0 < told["largest_changes"]["probabilities"] < 0.1
    assert told["changed_rows"] == {"label": 0}
    assert "- weights: bfloat16-weights, " in (version / "model_card.md").read_text("utf-8")
    texts = [review["text"] for review in reviews]
    expected = [answer["score"] for answer in classifier.infer(texts)]
    change = np.abs(np.array(ask(version, {"text": texts})["score"]) - expected).max()
    assert 1e-6 < change < 0.1


def test_a_decoder_writes_with_them(tmp_path: Path) -> None:
    model = tfaigc.CausalLM.from_pretrained(write_tiny_decoder(tmp_path / "decoder"))
    version = model.export(tmp_path / "served", dtype="int8", max_new_tokens=4)
    told = read_metadata(version)["weights"]
    assert told["bytes"] < 0.7 * told["float32_bytes"]
    assert set(told["changed_rows"]) == {"response"}
    assert len(ask(version, {"text": ["the good", ""]})["response"]) == 2


@pytest.mark.parametrize(("dtype", "error"), [("bfloat16-weights", 1 / 256), ("int8", 1 / 254)])
def test_values_are_rounded_by_channel(dtype: str, error: float) -> None:
    model = keras.Sequential([keras.layers.Embedding(80, 64), keras.layers.Dense(80)])
    model.build((None, 5))
    table, kernel, bias = model.weights
    random = np.random.default_rng(0)
    table.assign(random.normal(size=table.shape) * np.logspace(-3, 3, 80)[:, None])
    kernel.assign(random.normal(size=kernel.shape) * np.logspace(-3, 3, 80)[None])
    kernel.value[:, 3].assign(np.zeros(64))
    bias.assign(random.normal(size=bias.shape))
    weights = CompactWeights(model, dtype=dtype)
    found = list(weights.widened())
    for own, widened, axis in ((table, found[0], 1), (kernel, found[1], 0)):
        largest = np.abs(own.numpy()).max(axis=axis, keepdims=True)
        assert (np.abs(widened - own.numpy()) <= largest * error * 1.001).all()
        assert (widened != own.numpy()).any()
    np.testing.assert_array_equal(found[2], bias.numpy())
    np.testing.assert_array_equal(weights.stored[0].rows([3, 79, 3]), found[0][[3, 79, 3]])
    with weights.standing_in(model):
        inside = model(np.array([[1, 2]]))
    for weight, value in zip(model.weights, found, strict=True):
        weight.assign(value)
    np.testing.assert_array_equal(inside, model(np.array([[1, 2]])))


def test_what_cannot_be_stored_so_is_refused(
    classifier: tfaigc.TextClassifier, tmp_path: Path
) -> None:
    dtype: Any = "int4"
    with pytest.raises(ExportError, match=r"dtype must be one of .* Received: 'int4'"):
        classifier.export(tmp_path, dtype=dtype)
    broken = keras.Sequential([keras.layers.Dense(80)])
    broken.build((None, 80))
    broken.weights[0].assign(np.full((80, 80), np.nan))
    with pytest.raises(ExportError, match=r"must be finite\. Received: .*kernel"):
        CompactWeights(broken, dtype="int8")
    assert not list(tmp_path.iterdir())
    assert output_keys.WEIGHT_DTYPES == WEIGHT_DTYPES
