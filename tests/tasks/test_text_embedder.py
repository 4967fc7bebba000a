"""Vectors of texts: records, training, reports, saving, the SavedModel."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfaigc
from tfaigc.errors import ConfigError, DataError, TfaigcError
from tfaigc.families import read_sentence_modules

TEXTS = ["a good film", "a great film", "a bad plot", "an awful plot", "the end", "good"]
PAIRS = [{"anchor": text, "positive": text[::-1]} for text in TEXTS]
TRIPLETS = [{**pair, "negative": "nothing"} for pair in PAIRS]
SCORES = [
    {"text": text, "text_pair": text[::-1], "score": row / 5} for row, text in enumerate(TEXTS)
]
MATCHES = [
    {"text": text, "text_pair": text[::-1], "label": row % 2} for row, text in enumerate(TEXTS)
]
CLASSES = [{"text": text, "label": text.split()[-1]} for text in [*TEXTS, *map(str.upper, TEXTS)]]


@pytest.fixture(scope="module")
def embedder(tiny_bert: Path) -> tfaigc.TextEmbedder:
    return tfaigc.TextEmbedder.from_pretrained(tiny_bert, max_length=32)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_are_those_of_transformers(pooling: str, tiny_bert: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = tfaigc.TextEmbedder.from_pretrained(tiny_bert, pooling=[pooling], normalize=True)
    inputs = AutoTokenizer.from_pretrained(tiny_bert)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        tokens = AutoModel.from_pretrained(tiny_bert)(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    theirs = (tokens * mask).sum(1) / mask.sum(1) if pooling == "mean" else tokens[:, 0]
    theirs = torch.nn.functional.normalize(theirs, dim=-1)
    np.testing.assert_allclose(model.embed(TEXTS, batch_size=4), theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("records", "texts", "metric", "settings"),
    [
        (PAIRS, 2, "mrr_at_10", {}),
        (TRIPLETS, 3, "triplet_accuracy", {"objective": "triplet"}),
        (SCORES, 2, "spearman", {"matryoshka_dims": [32, 8]}),
        (MATCHES, 2, "average_precision", {}),
        (CLASSES, 1, "accuracy_at_1", {}),
    ],
    ids=["pairs", "triplets", "scores", "matches", "classes"],
)
def test_records_become_batches_and_reports(
    records: list[dict[str, Any]],
    texts: int,
    metric: str,
    settings: dict[str, Any],
    embedder: tfaigc.TextEmbedder,
) -> None:
    dataset = embedder.dataset(records, batch_size=4, cache=False)
    inputs, targets = next(iter(dataset))
    assert inputs["token_ids"].shape[:2] == (4, texts)
    vectors = embedder(inputs).numpy()
    field = "text" if "text" in records[0] else "anchor"
    alone = embedder.embed([record[field] for record in records[:4]])
    np.testing.assert_allclose(vectors[:, 0], alone, atol=1e-6)
    embedder.compile(run_eagerly=True, **settings)
    assert np.isfinite(float(embedder.compute_loss(y=targets, y_pred=vectors)))
    assert metric in embedder.report(records).metrics


def test_training_draws_texts_together(
    tiny_bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = tfaigc.TextEmbedder.from_pretrained(tiny_bert, normalize=True, dtype="mixed_bfloat16")
    before = model.report(PAIRS).metrics["mrr_at_10"]
    data = model.dataset(PAIRS, batch_size=6, shuffle=True, cache=False)
    model.compile(learning_rate=3e-3)
    losses = model.fit(data, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert model.report(PAIRS).metrics["mrr_at_10"] > before

    model = model.in_float32()
    model.save_pretrained(tmp_path / "model")
    assert read_sentence_modules(tmp_path / "model") == model.pooling
    with caplog.at_level(logging.INFO, logger="tfaigc"):
        loaded = tfaigc.TextEmbedder.from_pretrained(tmp_path / "model")
    assert "fresh" not in caplog.text
    vectors = model.embed(TEXTS)
    np.testing.assert_array_equal(loaded.embed(TEXTS), vectors)

    import tensorflow as tf

    served = tf.saved_model.load(str(model.export(tmp_path / "export")))
    assert "serving_default" in served.signatures
    found = served.signatures["embed"](text=tf.constant(TEXTS))["embedding"]
    np.testing.assert_allclose(found, vectors, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "records", "error", "message"),
    [
        ({"objective": "triplet"}, PAIRS, ConfigError, "multiple_negatives_ranking for pairs"),
        ({"matryoshka_dims": [64]}, PAIRS, ConfigError, "widths from 1 to 32"),
        ({"scale": 0}, PAIRS, ConfigError, "scale must be above 0"),
        ({"gradient_accumulation_steps": 2}, PAIRS, ConfigError, "texts of a whole step"),
        ({"objective": "ranking"}, PAIRS, ConfigError, "objective must be one of"),
        ({}, [{"text": "a"}], DataError, "which texts belong together"),
        ({}, [{**SCORES[0], "score": 4.2}], DataError, r"records\[0\].*Divide scores"),
        ({}, [{**MATCHES[0], "label": "yes"}], DataError, "1 where the texts match"),
        ({}, [{"anchor": "a", "positive": " "}], DataError, "positive is empty"),
    ],
)
def test_what_is_refused(
    settings: dict[str, Any],
    records: list[dict[str, Any]],
    error: type[TfaigcError],
    message: str,
    embedder: tfaigc.TextEmbedder,
) -> None:
    def train() -> None:
        embedder.dataset(records, cache=False)
        embedder.compile(**settings)

    with pytest.raises(error, match=message):
        train()


def test_the_loss_suits_the_records_whenever_these_come(tiny_bert: Path) -> None:
    model = tfaigc.TextEmbedder.from_pretrained(tiny_bert, max_length=32)
    model.compile(run_eagerly=True)
    vectors = model.embed([text for row in SCORES for text in (row["text"], row["text_pair"])])
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).reshape(-1, 2, 32)
    errors = (unit[:, 0] * unit[:, 1]).sum(1) - [row["score"] for row in SCORES]
    loss = model.evaluate(SCORES, verbose=0)
    assert loss == pytest.approx(np.mean(errors**2), abs=1e-5)
    with pytest.raises(ConfigError, match="say the same of their texts"):
        model.fit(SCORES, validation_data=PAIRS, verbose=0)
    model.dataset(MATCHES, cache=False)
    model.compile(objective="contrastive")
    with pytest.raises(ConfigError, match="supervised_contrastive for labelled texts"):
        model.fit(CLASSES, verbose=0)
