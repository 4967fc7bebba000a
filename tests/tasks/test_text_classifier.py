"""TextClassifier: loading, training, answering, saving and exporting."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import tiny_bert_config, write_tiny_tokenizer

import tfaigc
from tfaigc.errors import CheckpointError, ConfigError, DataError, TrainingError
from tfaigc.export import ask

NAMES = ["negative", "positive"]
Records = list[dict[str, str]]


@pytest.fixture(scope="module")
def trained(tiny_bert: Path, reviews: Records) -> tfaigc.TextClassifier:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES, seed=1)
    model.compile(learning_rate=3e-3)
    model.fit(reviews, batch_size=8, epochs=8, verbose=0)
    return model


def test_learns_and_answers(trained: tfaigc.TextClassifier, reviews: Records) -> None:
    texts = [record["text"] for record in reviews]
    answers = trained.infer(texts)
    right = [
        answer["label"] == record["label"] for answer, record in zip(answers, reviews, strict=True)
    ]
    assert np.mean(right) > 0.9
    for answer in answers:
        assert answer["score"] == pytest.approx(answer["probabilities"][answer["label"]])
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0)
    assert trained.evaluate(reviews, verbose=0, return_dict=True)["accuracy"] == np.mean(right)
    assert trained.report(reviews).metrics["accuracy"] == pytest.approx(np.mean(right))


def test_answers_do_not_depend_on_batches_or_order(
    trained: tfaigc.TextClassifier, reviews: Records
) -> None:
    texts = ["a", *[record["text"] + " really" * (i % 7) for i, record in enumerate(reviews)]]
    whole = trained.predict(texts, batch_size=64)
    np.testing.assert_allclose(trained.predict(texts, batch_size=3), whole, atol=1e-5)
    np.testing.assert_allclose(trained.predict(texts[::-1])[::-1], whole, atol=1e-5)
    dataset = trained.dataset([{"text": text, "label": 0} for text in texts], batch_size=5)
    np.testing.assert_allclose(keras.Model.predict(trained, dataset, verbose=0), whole, atol=1e-5)


def test_labels_may_be_numbers(tiny_bert: Path) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
    rows = [{"text": "good", "label": 1}, {"text": "bad", "label": "negative"}]
    batches = list(model.dataset(rows))
    assert batches[0][1].numpy().tolist() == [1, 0]


def test_head_and_labels_come_with_the_checkpoint(tiny_classifier: Path) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_classifier)
    turned = tfaigc.TextClassifier.from_pretrained(tiny_classifier, labels=NAMES[::-1])
    assert model.labels == tuple(NAMES)
    logits = model.predict(["a fine film"])
    np.testing.assert_allclose(turned.predict(["a fine film"]), logits[:, ::-1], atol=1e-6)


def test_a_fresh_head_is_announced(tiny_classifier: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tfaigc"):
        tfaigc.TextClassifier.from_pretrained(tiny_classifier, labels=["ham", "spam"])
    assert "fresh classifier for ham, spam" in caplog.text
    assert "negative, positive" in caplog.text


def test_another_tasks_head_is_not_taken(tmp_path: Path) -> None:
    import torch
    from transformers import BertForTokenClassification

    write_tiny_tokenizer(tmp_path)
    torch.manual_seed(0)
    BertForTokenClassification(tiny_bert_config(num_labels=2)).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"Pass labels="):
        tfaigc.TextClassifier.from_pretrained(tmp_path)
    assert tfaigc.TextClassifier.from_pretrained(tmp_path, labels=NAMES).labels == tuple(NAMES)


def test_checkpoint_without_labels_needs_some(tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match=r"Pass labels="):
        tfaigc.TextClassifier.from_pretrained(tiny_bert)


def test_nothing_to_answer(trained: tfaigc.TextClassifier) -> None:
    assert trained.infer([]) == []


@pytest.mark.parametrize("max_length", [0, 2])
def test_max_length_without_room_for_text(tiny_bert: Path, max_length: int) -> None:
    with pytest.raises(ConfigError, match=f"max_length.*Received: {max_length}"):
        tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES, max_length=max_length)


@pytest.mark.parametrize("max_length", [129, 1024])
def test_max_length_above_the_checkpoint(tiny_bert: Path, max_length: int) -> None:
    message = rf"at most 128 for this checkpoint. Received: {max_length}. Pass max_length=128"
    with pytest.raises(ConfigError, match=message):
        tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES, max_length=max_length)


def test_tensors_without_a_place(tiny_classifier: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.numpy import load_file, save_file

    broken = Path(shutil.copytree(tiny_classifier, tmp_path / "broken"))
    tensors = load_file(broken / "model.safetensors")
    missing = tensors.pop("bert.encoder.layer.1.output.dense.bias")
    save_file(tensors, broken / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"Missing: .*encoder.layer.1.output.dense.bias"):
        tfaigc.TextClassifier.from_pretrained(broken)
    tensors |= {"bert.encoder.layer.1.output.dense.bias": missing, "bert.adapter": missing}
    save_file(tensors, broken / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"Unknown: bert.adapter"):
        tfaigc.TextClassifier.from_pretrained(broken)
    tensors.pop("bert.adapter")
    tensors["bert.encoder.layer.1.output.dense.bias"] = missing[:-1].copy()
    save_file(tensors, broken / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"must have the shape \(32,\).*\(31,\)"):
        tfaigc.TextClassifier.from_pretrained(broken)


def test_problem_type_is_honoured(tmp_path: Path, tiny_classifier: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(tiny_classifier, tmp_path / "multi"))
    stated = json.loads((copy / "config.json").read_text())
    stated["problem_type"] = "multi_label_classification"
    (copy / "config.json").write_text(json.dumps(stated))
    assert tfaigc.TextClassifier.from_pretrained(copy).multi_label
    assert not tfaigc.TextClassifier.from_pretrained(copy, multi_label=False).multi_label
    stated["problem_type"] = "regression"
    (copy / "config.json").write_text(json.dumps(stated))
    with pytest.raises(ConfigError, match=r"problem_type.*Received: 'regression'.*TextRegressor"):
        tfaigc.TextClassifier.from_pretrained(copy)


def test_saved_model_loads_in_transformers(trained: tfaigc.TextClassifier, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    trained.save_pretrained(tmp_path)
    texts = ["a gorgeous film", "Dull; très bleak!", ""]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    reference = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        logits = reference(**tokenizer(texts, padding=True, return_tensors="pt")).logits.numpy()
    np.testing.assert_allclose(trained.predict(texts), logits, atol=1e-5)
    assert reference.config.id2label == dict(enumerate(NAMES))
    again = tfaigc.TextClassifier.from_pretrained(tmp_path)
    assert again.labels == trained.labels
    np.testing.assert_array_equal(again.predict(texts), trained.predict(texts))


def test_export_answers_as_the_model(trained: tfaigc.TextClassifier, tmp_path: Path) -> None:
    version = trained.export(tmp_path / "reviews")
    assert version == tmp_path / "reviews" / "1"
    texts = ["a gorgeous film", "", "dull " * 300, "日本語 [SEP] Straße"]
    answers = ask(version, {"text": texts})
    expected = trained.infer(texts)
    assert answers["label"] == [answer["label"] for answer in expected]
    np.testing.assert_allclose(
        answers["probabilities"], [list(a["probabilities"].values()) for a in expected], atol=1e-5
    )


def test_pairs(tiny_bert: Path, tmp_path: Path) -> None:
    pairs = [
        {"text": "a good film", "text_pair": "a fine movie", "label": "positive"},
        {"text": "a bad film", "text_pair": "gorgeous " * 200, "label": "negative"},
    ]
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES, max_length=16)
    model.compile()
    model.fit(pairs, epochs=1, verbose=0)
    batch, _ = next(iter(model.dataset(pairs)))
    assert batch["segment_ids"].numpy().max() == 1
    answers = model.infer(pairs)
    asked = ask(
        model.export(tmp_path / "pairs"),
        {name: [pair[name] for pair in pairs] for name in ("text", "text_pair")},
    )
    np.testing.assert_allclose(asked["score"], [a["score"] for a in answers], atol=1e-5)
    model.save_pretrained(tmp_path / "model")
    assert tfaigc.TextClassifier.from_pretrained(tmp_path / "model").takes_pairs


def test_keras_arguments_win(tiny_bert: Path, reviews: Records) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
    model.compile(optimizer="sgd", metrics=[])
    history = model.fit(reviews, epochs=1, validation_data=reviews[:8], verbose=0)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert set(history.history) == {"loss", "val_loss"}


def test_schedule_ends_with_the_run(tiny_bert: Path, reviews: Records) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
    model.compile(learning_rate=1.0, warmup_steps=2)
    rates: list[float] = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda step, logs: rates.append(float(model.optimizer.learning_rate))
    )
    model.fit(reviews, batch_size=8, epochs=2, verbose=0, callbacks=[watch])
    expected = [0, 0.5, *np.linspace(1, 0.1, 10)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_a_killed_run_ends_with_the_same_weights(
    tiny_bert: Path, reviews: Records, tmp_path: Path
) -> None:
    import os
    import signal

    def interrupt(step: int, logs: Any) -> None:
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    def train(directory: Path, *others: keras.callbacks.Callback) -> Any:
        model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
        model.compile(learning_rate=1e-2)
        data = model.dataset(reviews, batch_size=8, shuffle=True)
        callbacks = tfaigc.callbacks.standard(directory, monitor="loss")
        tfaigc.callbacks.attach(callbacks, data)
        point = tfaigc.callbacks.resume(callbacks, model)
        callbacks = [*others, *callbacks]
        model.fit(data, epochs=2, initial_epoch=point.epoch, callbacks=callbacks)
        return model.get_weights()

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", keras.callbacks.LambdaCallback(on_train_batch_end=interrupt))
    resumed, whole = train(tmp_path / "broken"), train(tmp_path / "whole")
    assert all(np.array_equal(a, b) for a, b in zip(resumed, whole, strict=True))


def test_fit_needs_compile(tiny_bert: Path, reviews: Records) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
    with pytest.raises(TrainingError, match=r"Call model.compile\(\) first"):
        model.fit(reviews)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "fine"}, "label"),
        ({"text": "fine", "label": "neutral"}, "neutral"),
        ({"text": "", "label": "positive"}, "text"),
        ({"label": "positive"}, "text"),
    ],
)
def test_unusable_records(
    tiny_bert: Path, reviews: Records, record: dict[str, Any], message: str
) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
    with pytest.raises(DataError, match=message):
        model.dataset([*reviews[:3], record])


def test_mixed_precision_exports_float32(tiny_bert: Path, tmp_path: Path) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES, dtype="mixed_bfloat16")
    assert model.backbone.encoder.blocks[0].compute_dtype == "bfloat16"
    precise = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES)
    assert np.asarray(model.predict(["good"])).dtype == "float32"
    answers = ask(model.export(tmp_path / "half"), {"text": ["good"]})
    expected = precise.infer(["good"])[0]["score"]
    np.testing.assert_allclose(answers["score"], [expected], atol=1e-5)


def test_equal_seeds_train_equal_models(tiny_bert: Path, reviews: Records) -> None:
    def train(seed: int) -> Any:
        model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=NAMES, seed=seed)
        model.compile(learning_rate=1e-3)
        model.fit(model.dataset(reviews, batch_size=8, shuffle=True), epochs=1, verbose=0)
        return model.get_weights()

    first, same, other = train(1), train(1), train(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_tokenizer_with_too_many_tokens(tmp_path: Path) -> None:
    vocabulary = write_tiny_tokenizer(tmp_path)
    config = tiny_bert_config(vocab_size=len(vocabulary) - 1)
    tokenizer = tfaigc.Tokenizer.from_pretrained(tmp_path)
    backbone = tfaigc.Backbone(config.to_dict(), pooler=True)
    with pytest.raises(ConfigError, match="no more tokens than the model's vocab_size"):
        tfaigc.TextClassifier(backbone, tokenizer, labels=NAMES)
