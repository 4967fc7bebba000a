"""``fit`` when losses diverge or memory runs out, and steps that are computed in parts."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfaigc.data import BatchOrder, EncodedTexts, Table, make_dataset
from tfaigc.errors import ConfigError
from tfaigc.tasks.fine_tuning import FineTunedModel
from tfaigc.training import callbacks as training_callbacks
from tfaigc.training.callbacks import DivergenceError

EXAMPLES = 43


class Tiny(FineTunedModel):
    """Averages embeddings and classifies; may run out of memory, or lose its weights once."""

    def __init__(self, *, most_rows: int = 1000, spoil_at: tuple[int, ...] = ()) -> None:
        super().__init__()
        keras.utils.set_random_seed(3)
        self.embedding = keras.layers.Embedding(20, 4)
        self.dense = keras.layers.Dense(2)
        self.most_rows = most_rows
        self.spoil_at = list(spoil_at)
        self(dict.fromkeys(("token_ids", "padding_mask"), np.ones((1, 2), "int32")))

    def call(self, inputs: Any, training: bool = False) -> Any:
        rows = inputs["token_ids"].shape[0]
        if training and rows is not None and rows > self.most_rows:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        mask = keras.ops.cast(inputs["padding_mask"], "float32")[..., None]
        total = keras.ops.sum(self.embedding(inputs["token_ids"]) * mask, axis=1)
        return self.dense(total / keras.ops.sum(mask, axis=1))

    def train_step(self, data: Any) -> Any:
        logs = super().train_step(data)
        if self.spoil_at and int(self.optimizer.iterations) == self.spoil_at[0]:
            self.spoil_at.pop(0)
            self.dense.kernel.assign(self.dense.kernel * np.nan)
        return logs

    def default_loss(self) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def default_metrics(self) -> list[Any]:
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def dataset(self, records: Any, **order_settings: Any) -> Any:
        lengths = np.array([len(record["text"]) for record in records])
        splits = np.concatenate([[0], lengths.cumsum()])
        ids = np.array([ord(letter) % 20 for record in records for letter in record["text"]])
        texts = EncodedTexts(ids.astype("int32"), np.zeros_like(ids, "int32"), splits)
        labels = np.array([record["label"] for record in records], "int32")
        order = BatchOrder(lengths, **order_settings)
        dataset = make_dataset(texts, order, labels=labels)
        dataset.records = Table(list(records), "records", range(len(records)), unit="")
        return dataset


def records() -> list[dict[str, Any]]:
    generator = np.random.default_rng(5)
    letters = "abcdefghijklmnop"
    texts = ["".join(generator.choice(list(letters), size)) for size in range(1, EXAMPLES + 1)]
    return [{"text": text, "label": int("a" in text)} for text in texts]


def fit(model: Tiny, *, parts: int = 1, batch_size: int = 16, **settings: Any) -> list[np.ndarray]:
    """Trains three epochs of steps; returns the weights."""
    model.compile(
        keras.optimizers.SGD(0.5),
        gradient_accumulation_steps=parts,
        run_eagerly=settings.pop("run_eagerly", True),
    )
    model.fit(records(), batch_size=batch_size, epochs=3, verbose=0, **settings)
    return [weight.numpy() for weight in model.weights]


@pytest.fixture(scope="module")
def whole() -> list[np.ndarray]:
    return fit(Tiny())


def assert_close(left: list[np.ndarray], right: list[np.ndarray]) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6, rtol=0)


@pytest.mark.parametrize(("parts", "run_eagerly"), [(4, False), (16, True)])
def test_parts_are_worth_the_whole(whole: list[np.ndarray], parts: int, run_eagerly: bool) -> None:
    # 43 examples in steps of 16: the last step's 11 examples make parts of unequal sizes.
    model = Tiny()
    assert_close(fit(model, parts=parts, batch_size=16 // parts, run_eagerly=run_eagerly), whole)
    assert int(model.optimizer.iterations) == 9


def test_parts_have_the_metrics_of_the_whole() -> None:
    seen = []
    for parts in (1, 5):
        model = Tiny()
        model.compile(keras.optimizers.SGD(0.0), gradient_accumulation_steps=parts)
        data = model.dataset(records(), batch_size=16)
        seen.append(model.fit(data, verbose=0).history)
    assert seen[0]["accuracy"] == seen[1]["accuracy"]
    assert seen[0]["loss"] == pytest.approx(seen[1]["loss"], rel=1e-6)


@pytest.mark.parametrize("parts", [1, 3])
def test_an_example_counts_alike_in_batches_of_any_size(parts: int) -> None:
    whole, model = Tiny(), Tiny()
    tokens = model.dataset(records(), batch_tokens=100, shuffle=True)
    steps = len(tokens.batch_order)
    assert steps > 10
    losses = []
    # The mean of an epoch's gradients: that of all examples at once.
    for each, data, optimizer in (
        (whole, whole.dataset(records(), batch_size=EXAMPLES), keras.optimizers.SGD(1.0)),
        (model, tokens, keras.optimizers.SGD(1.0, gradient_accumulation_steps=steps)),
    ):
        each.compile(optimizer, gradient_accumulation_steps=parts)
        losses.append(each.fit(data, verbose=0).history["loss"][0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert_close(model.get_weights(), whole.get_weights())


def test_less_than_one_part_is_refused() -> None:
    with pytest.raises(ConfigError, match="gradient_accumulation_steps must be at least 1"):
        Tiny().compile(gradient_accumulation_steps=0)


@pytest.mark.parametrize("with_checkpoints", [False, True])
def test_out_of_memory_halves_the_batch_and_goes_on_where_it_was(
    whole: list[np.ndarray],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    with_checkpoints: bool,
) -> None:
    callbacks = training_callbacks.standard(tmp_path) if with_checkpoints else []
    # Shuffled batches come in any order, so the short one, of 11, may come first.
    model = Tiny(most_rows=5)
    assert_close(fit(model, callbacks=callbacks), whole)
    assert int(model.optimizer.iterations) == 9
    told = [line for line in caplog.messages if "Out of memory" in line]
    assert [line.split(" from here on")[0][-7:] for line in told] == ["2 parts", "4 parts"]
    assert "of at most 4 examples" in told[-1]
    if with_checkpoints:
        history = training_callbacks.read_history(tmp_path / "history.jsonl")
        assert [line["epoch"] for line in history if line["event"] == "epoch"] == [1, 2, 3]


def test_memory_that_never_suffices_ends_the_run() -> None:
    with pytest.raises(tf.errors.ResourceExhaustedError):
        fit(Tiny(most_rows=0))


def test_a_diverged_run_goes_back_and_on_at_half_the_rate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callbacks = training_callbacks.standard(tmp_path, on_nan="rollback", log_every_steps=1)
    model = Tiny(spoil_at=(1, 5))
    weights = fit(model, callbacks=callbacks)
    assert all(np.isfinite(weight).all() for weight in weights)
    assert int(model.optimizer.iterations) == 9
    told = [line.rsplit("/", 1)[-1] for line in caplog.messages if "Going back" in line]
    assert told == [f"step-{step:08d} with half the learning rate." for step in (0, 3)]
    history = training_callbacks.read_history(tmp_path / "history.jsonl")
    rates = [line["learning_rate"] for line in history if line["event"] == "step"]
    assert rates == [0.25] * 3 + [0.125] * 6
    lines = (tmp_path / "diverged-step-00000002.jsonl").read_text().splitlines()
    assert {json.loads(line)["text"] for line in lines} <= {each["text"] for each in records()}


def test_a_run_that_keeps_diverging_is_stopped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callbacks = training_callbacks.standard(tmp_path, on_nan="rollback")
    with caplog.at_level(logging.WARNING), pytest.raises(DivergenceError, match="nan at epoch 1"):
        fit(Tiny(spoil_at=(1,) * 9), callbacks=callbacks)
    assert sum("Going back" in line for line in caplog.messages) == 3


def test_without_rollback_the_run_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match="nan at epoch 1, step 2"):
        fit(Tiny(spoil_at=(1,)), callbacks=training_callbacks.standard(tmp_path))
