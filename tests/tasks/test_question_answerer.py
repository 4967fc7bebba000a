"""QuestionAnswerer: questions and contexts in; pieces of the contexts out."""

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
from tfaigc.tasks.answering.graph import answer_in_graph
from tfaigc.workflows.saved_models import ask_saved_model

WORKS = ["the film", "a moving story", "movie", "the great plot"]
PEOPLE = ["warm actor", "gorgeous", "dull flat actor", "bleak"]
# Each has something that could go wrong: nothing, edges, other scripts, what a tokenizer removes,
# bytes that NUL stands for, special tokens, spaces of all kinds, and more tokens than fit.
CONTEXTS = [
    "",
    " the film,the plot. ",
    "Straße İstanbul é\u0301t\u00e9 \u200b \u00ad ™ ﬁne",
    "他在北京看the film。สวัสดีactor",
    "[CLS] the [MASK] film [SEP] warm",
    "\u2003tab\tnew\nline\r\nfilm\u00a05\u202fEUR\x1c\u2028👩\u200d👩 \ufffd\u3000",
    "x" * 120 + " film",
    "the great film was very moving and the story of a bleak actor is not dull . " * 5,
]
QUESTIONS = [{"question": "of two", "context": context} for context in CONTEXTS]


def questions() -> list[dict[str, Any]]:
    """Of each of sixteen contexts one for the work, one for the person, and one in vain."""
    return [
        {"question": question, "context": context, "answers": answers}
        for work in WORKS
        for person in PEOPLE
        for context in [f"{work} is of {person} ."]
        for question, answers in [
            ("the one", [{"text": work, "answer_start": 0}]),
            ("of two", {"text": [person], "answer_start": [context.index(person)]}),
            ("never", []),
        ]
    ]


@pytest.fixture(scope="module")
def trained(tiny_bert: Path) -> tfaigc.QuestionAnswerer:
    model = tfaigc.QuestionAnswerer.from_pretrained(
        tiny_bert, max_length=16, doc_stride=4, allow_no_answer=True, seed=1
    )
    model.compile(learning_rate=3e-3, lr_scheduler_type="constant")
    model.fit(questions() * 3, batch_size=8, epochs=8, verbose=0)
    return model


def test_learns_and_answers(trained: tfaigc.QuestionAnswerer) -> None:
    report = trained.report(questions())
    assert report.metrics["f1"] > 0.9
    assert report.metrics["no_answer_accuracy"] == 1.0
    measured = trained.evaluate(questions(), verbose=0, return_dict=True)
    assert measured["accuracy"] > 0.8
    context = "Movie  is of bleak ."
    one, two, none = trained.infer(
        [{"question": q, "context": context} for q in ("the one", "of two", "never")], n_best=3
    )
    assert [one["answer"], two["answer"], none["answer"]] == ["Movie", "bleak", ""]
    for found in (one, two, none):
        for each in (found, *found["n_best"]):
            assert context[each["start"] : each["end"]] == each["answer"]
        assert 0 < found["score"] <= 1
        assert (found["null_score"] > 0) == (found is none)
        assert len({each["answer"] for each in found["n_best"]}) == 3
    assert one["n_best"][0] == {key: one[key] for key in ("answer", "score", "start", "end")}
    assert trained.infer([]) == []


def test_answers_are_found_wherever_they_stand(trained: tfaigc.QuestionAnswerer) -> None:
    context = "film . " * 9 + "the great plot is of gorgeous . " + "all of it . " * 9
    row = {"question": "of two", "context": context}
    start = context.index("gorgeous")
    batches = trained.dataset([{**row, "answers": [{"text": "gorgeous", "answer_start": start}]}])
    inputs, labels = next(iter(batches))
    found = {
        trained.tokenizer.decode([ids[first : last + 1]])[0]
        for ids, (first, last) in zip(inputs["token_ids"].numpy(), labels.numpy(), strict=True)
    }
    # Of the examples only those that have the answer learn it; the first token says "none".
    assert found == {"gorgeous", ""}
    assert (labels.numpy() == 0).all(axis=1).sum() < len(labels)
    [logits] = trained.predict([row])
    assert [len(each) for each in logits] == inputs["padding_mask"].numpy().sum(axis=1).tolist()


def test_examples_are_cut_as_transformers_cuts_them(trained: tfaigc.QuestionAnswerer) -> None:
    from transformers import BertTokenizerFast

    reference = BertTokenizerFast(
        tokenizer_object=Tokenizer.from_str(trained.tokenizer._encoder.text)
    )
    rows = [row for row in QUESTIONS if row["context"]]
    expected = reference(
        [row["question"] for row in rows],
        [row["context"] for row in rows],
        truncation="only_second",
        max_length=16,
        stride=4,
        return_overflowing_tokens=True,
    )["input_ids"]
    encoded = trained.examples(trained.read(rows)).encoded
    found = np.split(encoded.token_ids, encoded.row_splits[1:-1])
    assert [ids.tolist() for ids in found] == expected


def test_the_files_are_those_of_transformers(
    trained: tfaigc.QuestionAnswerer, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    trained.save_pretrained(tmp_path)
    reference = AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()
    row = questions()[1]
    encoded = AutoTokenizer.from_pretrained(tmp_path)(
        row["question"], row["context"], return_tensors="pt"
    )
    with torch.no_grad():
        expected = reference(**encoded)
    [[logits]] = trained.predict([row])
    np.testing.assert_allclose(logits[:, 0], expected.start_logits[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(logits[:, 1], expected.end_logits[0].numpy(), atol=1e-5)
    again = tfaigc.QuestionAnswerer.from_pretrained(tmp_path)
    assert again.settings() == trained.settings()
    assert again.infer([row]) == trained.infer([row])


def test_the_export_answers_as_the_model(trained: tfaigc.QuestionAnswerer, tmp_path: Path) -> None:
    version = trained.export(tmp_path)
    answers = ask_saved_model(str(version), QUESTIONS)
    for found, expected in zip(answers, trained.infer(QUESTIONS), strict=True):
        assert found == {
            name: pytest.approx(value, abs=1e-5) if isinstance(value, float) else value
            for name, value in expected.items()
        }
    metadata = json.loads((version / "assets.extra" / "tfaigc.json").read_text())
    assert metadata["task"] == "question_answering"
    signatures = metadata["export"]["signatures"]
    assert set(signatures) == {"serving_default", "tokens", "tokenize"}
    assert set(signatures["serving_default"]["inputs"]) == {"question", "context"}


def tokenizer(kind: str) -> tfaigc.Tokenizer:
    """Trains a tokenizer on a few words; it can spell all others."""
    special = ["<s>", "<unk>", "<sep>"]
    if kind == "Unigram":
        rust = Tokenizer(models.Unigram())
        rust.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer: Any = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    else:
        rust = Tokenizer(models.BPE())
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=330,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    rust.train_from_iterator([WORDS, *CONTEXTS] * 3, trainer)
    if kind == "Unigram":
        # As XLNet's: the token of the whole text comes last.
        rust.post_processor = processors.TemplateProcessing(
            single="$A <sep> <s>",
            pair="$A <sep> $B:1 <sep>:1 <s>:2",
            special_tokens=[("<s>", 0), ("<sep>", 2)],
        )
    else:
        rust.post_processor = processors.RobertaProcessing(("<sep>", 2), ("<s>", 0))
    return tfaigc.Tokenizer(rust.to_str(), config={"cls_token": "<s>"})


@pytest.mark.parametrize(("kind", "null"), [("byte-level", 0), ("Unigram", -1)])
def test_the_graph_answers_as_python_does(kind: str, null: int) -> None:
    own = tokenizer(kind)
    config = tiny_bert_config(vocab_size=own.vocabulary_size, type_vocab_size=3).to_dict()
    model = tfaigc.QuestionAnswerer(
        tfaigc.Backbone(config, pooler=False, seed=3),
        own,
        max_length=24,
        allow_no_answer=True,
        null_score_diff_threshold=0.05,
    )
    found = answer_in_graph(
        model,
        tf.constant([row["question"] for row in QUESTIONS]),
        tf.constant([row["context"] for row in QUESTIONS]),
    )
    texts = {field: [row[field] for row in QUESTIONS] for field in ("question", "context")}
    for name, values in model.expected_answers(texts, {}).items():
        received = found[name].numpy()
        if values.dtype == object:
            assert [each.decode() for each in received] == values.tolist()
        else:
            np.testing.assert_allclose(received, values, atol=1e-5)
    row = {**QUESTIONS[1], "answers": []}
    inputs, labels = next(iter(model.dataset([row])))
    last = int(inputs["padding_mask"].numpy().sum()) - 1
    assert labels.numpy().tolist() == [[0 if null == 0 else last] * 2]


def test_padding_has_no_part_in_the_loss(trained: tfaigc.QuestionAnswerer) -> None:
    import torch

    rows = questions()[:5]
    inputs, labels = next(iter(trained.dataset(rows)))
    logits = trained(inputs)
    losses = []
    for own, mask, target in zip(
        logits.numpy(), inputs["padding_mask"].numpy(), labels.numpy(), strict=True
    ):
        edges = torch.tensor(own[mask == 1]).T
        losses.append(torch.nn.functional.cross_entropy(edges, torch.tensor(target).long()).item())
    assert float(trained.default_loss()(labels, logits)) == pytest.approx(np.mean(losses), abs=1e-6)


def test_what_tokens_cannot_say_is_told(
    trained: tfaigc.QuestionAnswerer, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"question": "of two", "context": "the films"}
    with caplog.at_level(logging.WARNING, logger="tfaigc"):
        trained.dataset([{**row, "answers": [{"text": "ilm", "answer_start": 5}]}])
    assert "records[0] ('ilm' as 'film')" in caplog.text
    nothing = {**row, "context": "a \u200b b", "answers": [{"text": "\u200b", "answer_start": 2}]}
    with pytest.raises(DataError, match=r"records\[0\]: The tokenizer makes nothing of the answer"):
        trained.dataset([nothing])
    with pytest.raises(DataError, match=r"records\[1\]: a question must have fewer than 9 tokens"):
        trained.infer([row, {"question": "a " * 9, "context": "the film " * 4}])
    # A server's batch may hold the questions of several people. What fits whole needs no overlap.
    fits = {"question": "a " * 9, "context": "the film"}
    asked = [row["question"], "a " * 9, fits["question"]]
    contexts = [row["context"], "the film " * 4, fits["context"]]
    served = answer_in_graph(trained, tf.constant(asked), tf.constant(contexts))
    for place, answer in zip((0, 2), trained.infer([row, fits]), strict=True):
        assert served["answer"][place] == answer["answer"]
        assert float(served["score"][place]) == pytest.approx(answer["score"], abs=1e-5)
    assert [served[name][1] for name in ("answer", "score", "start", "end")] == ["", 0, 0, 0]
    with pytest.raises(DataError, match="must have a column 'question'"):
        trained.infer(["of two"])
    with pytest.raises(ConfigError, match="an answer is looked for in a row of its own"):
        trained.dataset(questions(), packed=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"doc_stride": 124}, "doc_stride must be at least 0 and at most 123"),
        ({"max_answer_length": 0}, "max_answer_length must be at least 1"),
    ],
)
def test_arguments_out_of_range(tiny_bert: Path, arguments: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tfaigc.QuestionAnswerer.from_pretrained(tiny_bert, **arguments)
