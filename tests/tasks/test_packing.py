"""Several examples in one row: what is learnt and answered is what it is without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tiny_decoder import write_tiny_decoder

import tfaigc
from tfaigc.errors import DataError
from tfaigc.layers.dropout import Dropout


@pytest.fixture(scope="module")
def model(tiny_classifier: Path) -> tfaigc.TextClassifier:
    model = tfaigc.TextClassifier.from_pretrained(tiny_classifier, max_length=32)
    for layer in model._flatten_layers():
        if isinstance(layer, Dropout):
            layer.rate = 0.0
    return model


@pytest.fixture(scope="module")
def records(reviews: list[dict[str, str]]) -> list[dict[str, str]]:
    """Texts of several lengths."""
    return [
        {**row, "text": row["text"] * (1 + number % 3)} for number, row in enumerate(reviews[:31])
    ]


def test_batches_of_one_shape(model: Any, records: list[dict[str, str]]) -> None:
    data = model.dataset(records, packed=True, batch_tokens=128, shuffle=True, cache=False)
    inputs, labels = data.element_spec
    assert inputs["pack_ids"].shape.as_list() == [None, 32]
    seen = 0
    for inputs, labels in data.as_numpy_iterator():
        assert inputs["token_ids"].shape == (4, 32)
        assert inputs["pack_ids"].max() == len(labels) == len(inputs["text_starts"])
        assert ((inputs["pack_ids"] > 0) == (inputs["padding_mask"] > 0)).all()
        first = inputs["token_ids"].ravel()[inputs["text_starts"]]
        assert (first == model.tokenizer.encode(["good"])[0][0]).all()
        seen += len(labels)
    assert seen == len(records)


def test_answers_are_those_of_rows_of_their_own(model: Any, records: list[dict[str, str]]) -> None:
    model.compile()
    data = model.dataset(records, packed=True, batch_size=3, cache=False)
    found = data.batch_order.restore(model.predict(data, verbose=0))
    expected = model.predict([{"text": row["text"]} for row in records])
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


def test_steps_in_parts_learn_what_all_examples_teach_at_once(
    model: Any, records: list[dict[str, str]]
) -> None:
    check_what_is_learnt(model, records)


def test_language_models_learn_the_same(tmp_path: Path, records: list[dict[str, str]]) -> None:
    writer = tfaigc.CausalLM.from_pretrained(write_tiny_decoder(tmp_path), max_length=60)
    check_what_is_learnt(writer, [{"text": row["text"][:40]} for row in records])


def check_what_is_learnt(model: Any, records: list[dict[str, str]]) -> None:
    """Compares an epoch's mean gradient and loss with those of all examples in one batch."""
    start, ends, losses = model.get_weights(), [], []
    packed = model.dataset(records, packed=True, batch_size=3, shuffle=True, cache=False)
    steps = len(packed.batch_order)
    assert steps > 2
    for data, optimizer, parts in (
        (model.dataset(records, batch_size=99, cache=False), keras.optimizers.SGD(1.0), 1),
        (packed, keras.optimizers.SGD(1.0, gradient_accumulation_steps=steps), 2),
    ):
        model.set_weights(start)
        model.compile(optimizer, gradient_accumulation_steps=parts, run_eagerly=True)
        losses.append(model.evaluate(data, return_dict=True, verbose=0)["loss"])
        model.fit(data, verbose=0)
        ends.append(model.get_weights())
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for before, whole, rows in zip(start, *ends, strict=True):
        np.testing.assert_allclose(rows, whole, atol=1e-5 + 1e-4 * np.abs(whole - before).max())


def test_tags_are_those_of_rows_of_their_own(tiny_bert: Path) -> None:
    words = [("a", "fine", "film")[: 1 + number % 3] * (1 + number % 2) for number in range(12)]
    records = [{"words": each, "tags": ["B-x", *["O"] * (len(each) - 1)]} for each in words]
    tagger = tfaigc.TokenClassifier.from_pretrained(
        tiny_bert, labels=["O", "B-x", "I-x"], max_length=24
    )
    tagger.compile(run_eagerly=True)
    own, packed = (
        tagger.evaluate(
            tagger.dataset(records, batch_size=12 if rows is None else rows, packed=rows == 2),
            return_dict=True,
            verbose=0,
        )
        for rows in (None, 2)
    )
    for name in ("loss", "accuracy"):
        assert own[name] == pytest.approx(packed[name], rel=1e-5)


def test_what_cannot_be_packed(model: Any, records: list[dict[str, str]]) -> None:
    with pytest.raises(DataError, match=r"batch_tokens must be at least 32.*Received: 31"):
        model.dataset(records, packed=True, batch_tokens=31, cache=False)
