"""TokenClassifier: words and tags in; entities and tags, with their places, out."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest import WORDS, tiny_bert_config
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

import tfaigc
from tfaigc.errors import ConfigError, DataError
from tfaigc.tasks.problems import make_tags
from tfaigc.tasks.tagging.graph import tag_texts
from tfaigc.workflows.saved_models import ask_saved_model

LABELS = ["O", "B-WORK", "I-WORK", "B-PER", "I-PER"]
WORKS = [["the", "film"], ["a", "moving", "story"], ["movie"], ["the", "great", "plot"]]
PEOPLE = [["warm", "actor"], ["gorgeous"], ["dull", "flat", "actor"], ["bleak"]]
# Each has something that could go wrong: nothing, edges, endings, other scripts, what a tokenizer
# removes, bytes that NUL stands for, special tokens, and more tokens than fit.
TEXTS = [
    "",
    " the film,the plot. ",
    "The Film's (gorgeous) story…",
    "Straße İstanbul é\u0301t\u00e9 \u200b \u00ad ™ ﬁne",
    "他在北京看the film。สวัสดีactor",
    "[CLS] the [MASK] film [SEP] warm",
    "tab\tnew\nline\r\nfilm\u00a05\u202fEUR 👩\u200d👩 \ufffd",
    "x" * 120 + " film",
    "the great film was very moving and the story of a bleak actor is not dull . " * 5,
]


def sentences() -> list[dict[str, Any]]:
    """Sixteen of them, with a work and a person in each."""
    return [
        {
            "words": [*work, "is", "of", *person, "."],
            "tags": [
                *("B-WORK", *["I-WORK"] * (len(work) - 1)),
                *("O", "O", "B-PER", *["I-PER"] * (len(person) - 1), "O"),
            ],
        }
        for work in WORKS
        for person in PEOPLE
    ]


@pytest.fixture(scope="module")
def trained(tiny_bert: Path) -> tfaigc.TokenClassifier:
    model = tfaigc.TokenClassifier.from_pretrained(tiny_bert, labels=LABELS, max_length=16, seed=1)
    model.compile(learning_rate=3e-3, lr_scheduler_type="constant")
    model.fit(sentences() * 3, batch_size=8, epochs=8, verbose=0)
    return model


def test_learns_and_finds_entities(trained: tfaigc.TokenClassifier) -> None:
    report = trained.report(sentences())
    assert report.metrics["f1"] > 0.9
    measured = trained.evaluate(sentences(), verbose=0, return_dict=True)
    assert measured["f1"] == pytest.approx(report.metrics["f1"])
    assert measured["accuracy"] == pytest.approx(report.metrics["accuracy"])
    [answer] = trained.infer(["The  film is of gorgeous."])
    found = [
        (each["text"], each["label"], each["start"], each["end"]) for each in answer["entities"]
    ]
    assert found == [("The  film", "WORK", 0, 9), ("gorgeous", "PER", 16, 24)]
    assert all(0.5 < each["score"] <= 1 for each in answer["entities"])


def test_words_and_the_text_that_they_make_are_the_same(trained: tfaigc.TokenClassifier) -> None:
    words = [each["words"] for each in sentences()]
    of_words, of_texts = trained.infer(words), trained.infer([" ".join(each) for each in words])
    assert [each["entities"] for each in of_words] == [each["entities"] for each in of_texts]
    assert [len(each["tags"]) for each in of_words] == [len(each) for each in words]
    assert of_words == trained.infer([{"words": each} for each in words])
    assert trained.infer([]) == []


def test_no_word_goes_without_an_answer(trained: tfaigc.TokenClassifier) -> None:
    words = sentences()[5]["words"] * 20
    [logits] = trained.predict([{"words": words}])
    assert logits.shape == (len(words), len(LABELS))
    # Deep inside, repeated words look alike.
    tags = trained.infer([words])[0]["tags"]
    assert tags[14:21] == tags[70:77] == sentences()[5]["tags"]
    # What the tokenizer makes nothing of is outside of entities.
    assert trained.infer([["the", "\u200b", "film"]])[0]["tags"][1] == "O"


def test_first_tokens_carry_the_tags(
    trained: tfaigc.TokenClassifier, tiny_bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"words": ["filmstory", "x\u0301", "(a)"], "tags": ["B-WORK", "I-WORK", "O"]}
    inputs, labels = next(iter(trained.dataset([row])))
    tokens = [trained.tokenizer.token(each) for each in inputs["token_ids"][0].numpy()[:11]]
    expected = {"film": 1, "x": 2, "(": 0}
    assert [expected.get(each, -100) for each in tokens] == labels[0].numpy()[:11].tolist()
    every = tfaigc.TokenClassifier.from_pretrained(tiny_bert, labels=LABELS, label_all=True)
    _, labels = next(iter(every.dataset([row])))
    assert [each for each in labels[0].numpy() if each != -100] == [1, *[2] * 6, 0, 0, 0]
    with caplog.at_level(logging.INFO, logger="tfaigc"):
        trained.dataset([{"words": ["a"] * 20, "tags": ["O"] * 20}])
        trained.dataset([row, {"words": ["a", "\u200b"], "tags": ["O", "B-WORK"]}])
    assert "6 of 20 words (30.0 %) lie outside of max_length=16 tokens" in caplog.text
    assert "not learnt from: records[1], word 2 ('\\u200b')." in caplog.text


def test_the_files_are_those_of_transformers(
    trained: tfaigc.TokenClassifier, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    trained.save_pretrained(tmp_path)
    reference = AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    assert list(reference.config.id2label.values()) == LABELS
    words = sentences()[5]["words"]
    encoded = AutoTokenizer.from_pretrained(tmp_path)(
        words, is_split_into_words=True, return_tensors="pt"
    )
    firsts = [encoded.word_ids().index(place) for place in range(len(words))]
    with torch.no_grad():
        expected = reference(**encoded).logits[0, firsts].numpy()
    np.testing.assert_allclose(trained.predict([{"words": words}])[0], expected, atol=1e-5)
    again = tfaigc.TokenClassifier.from_pretrained(tmp_path)
    assert again.labels == tuple(LABELS)
    assert again.max_length == 16
    turned = tfaigc.TokenClassifier.from_pretrained(tmp_path, labels=LABELS[::-1])
    assert turned.infer([words])[0]["tags"] == trained.infer([words])[0]["tags"]


def test_the_export_answers_as_the_model(trained: tfaigc.TokenClassifier, tmp_path: Path) -> None:
    version = trained.export(tmp_path)
    answers = ask_saved_model(str(version), [{"text": text} for text in TEXTS])
    for found, expected in zip(answers, trained.infer(TEXTS), strict=True):
        scores = [
            [piece.pop("score") for piece in answer["entities"]] for answer in (found, expected)
        ]
        np.testing.assert_allclose(*scores, atol=1e-5)
        assert found == expected
    metadata = json.loads((version / "assets.extra" / "tfaigc.json").read_text())
    assert metadata["task"] == "token_classification"
    assert set(metadata["export"]["signatures"]) == {"serving_default", "tokens", "tokenize"}


def tokenizer(kind: str) -> tfaigc.Tokenizer:
    """Trains a tokenizer on a few words; it can spell all others."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if kind == "Unigram":
        rust = Tokenizer(models.Unigram())
        rust.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer: Any = trainers.UnigramTrainer(
            vocab_size=200,
            special_tokens=["<s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        )
    else:
        rust = Tokenizer(models.BPE())
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=kind == "trimmed")
        trainer = trainers.BpeTrainer(
            vocab_size=330, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False
        )
    rust.train_from_iterator([WORDS, *TEXTS] * 3, trainer)
    rust.post_processor = processors.TemplateProcessing(
        single="<s> $A <s>", special_tokens=[("<s>", 0)]
    )
    if kind == "trimmed":
        rust.post_processor = processors.RobertaProcessing(("<s>", 0), ("<s>", 0))
    return tfaigc.Tokenizer(rust.to_str())


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("byte-level", LABELS), ("trimmed", ["NOUN", "VERB", "DET"]), ("Unigram", LABELS)],
)
def test_the_graph_cuts_texts_as_python_does(kind: str, labels: list[str]) -> None:
    own = tokenizer(kind)
    config = tiny_bert_config(vocab_size=own.vocabulary_size).to_dict()
    model = tfaigc.TokenClassifier(
        tfaigc.Backbone(config, pooler=False, seed=3), own, labels=labels, max_length=16
    )
    found = tag_texts(model, tf.constant(TEXTS))
    expected = model.expected_answers({"text": TEXTS}, {})
    for name, values in expected.items():
        received = found[name].numpy()
        if values.dtype == object:
            assert [[each.decode() for each in row] for row in received] == values.tolist()
        else:
            np.testing.assert_allclose(received, values, atol=1e-5)
    # Words are found whatever the tokens begin with.
    words = ["the", "\u00e9", "北", "-"]
    assert len(model.infer([words * 9])[0]["tags"]) == 36
    _, targets = next(iter(model.dataset([{"words": words, "tags": labels[:1] * 4}])))
    assert (targets.numpy() == 0).sum() == len(words)


def test_tags_of_words_that_are_no_entities(tiny_bert: Path, tmp_path: Path) -> None:
    rows = [{"words": ["the", "film", "was", "good"], "tags": ["DET", "NOUN", "VERB", "ADJ"]}]
    labels = ["ADJ", "DET", "NOUN", "VERB"]
    model = tfaigc.TokenClassifier.from_pretrained(tiny_bert, labels=labels)
    assert model.monitor == "accuracy"
    report = model.report(rows)
    assert report.metrics.keys() >= {"accuracy", "macro_f1", "sentence_accuracy"}
    assert "tags are wrong" in report.save(tmp_path).read_text()
    [answer] = model.infer(["the film"])
    assert [each["text"] for each in answer["words"]] == ["the", "film"]
    assert {each["label"] for each in answer["words"]} <= set(labels)


def test_the_loss_is_the_mean_over_tokens_that_count() -> None:
    import torch

    random = np.random.default_rng(0)
    logits = random.normal(size=(3, 5, 4)).astype("float32")
    targets = random.choice([-100, 0, 1, 2, 3], (3, 5)).astype("int32")
    weights = [1.0, 2.0, 0.5, 1.0]
    flat = torch.tensor(logits).reshape(-1, 4), torch.tensor(targets).reshape(-1).long()
    problem = make_tags(["a", "b", "c", "d"])
    smoothed = problem.loss(label_smoothing=0.2)(targets, logits)
    expected = torch.nn.CrossEntropyLoss(label_smoothing=0.2)(*flat)
    assert float(smoothed) == pytest.approx(expected.item(), abs=1e-6)
    each = torch.nn.CrossEntropyLoss(weight=torch.tensor(weights), reduction="none")(*flat)
    weighted = problem.loss(class_weights=weights)(targets, logits)
    mean = each.sum().item() / (targets >= 0).sum()
    assert float(weighted) == pytest.approx(mean, abs=1e-6)


def test_a_checkpoint_in_another_scheme_is_trained_in_it(tiny_bert: Path) -> None:
    labels = ["O", "B-PER", "I-PER", "E-PER", "S-PER"]
    model = tfaigc.TokenClassifier.from_pretrained(tiny_bert, labels=labels)
    row = {"words": ["a", "b", "c", "d"], "tags": ["B-PER", "I-PER", "O", "B-PER"]}
    _, targets = next(iter(model.dataset([row])))
    assert targets[0].numpy()[1:5].tolist() == [1, 3, 0, 4]


def test_what_cannot_be_learnt_is_named(trained: tfaigc.TokenClassifier, tmp_path: Path) -> None:
    path = tmp_path / "bad.conll"
    path.write_text("a O\nb O\n\nc O\nd B-PLACE\n")
    with pytest.raises(DataError, match=r"bad.conll, line 4: tags\[1\] \('d'\).*'B-PLACE'"):
        trained.dataset(path)
    with pytest.raises(DataError, match="must have a column 'tags'"):
        trained.report([["a", "b"]])
    with pytest.raises(ConfigError, match="class_weights must be 5 numbers"):
        trained.compile(class_weights=[1.0])
