"""MaskedLM: training, answers, reports, files and exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import tiny_bert_config, write_tiny_tokenizer

import tfaigc
from tfaigc.errors import ConfigError, DataError
from tfaigc.export import ask

TEXTS = [f"a {word} {thing}" for word in ("good", "bad", "fine") for thing in ("film", "plot")]
LONG = "the story of a film " * 60


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with a masked language model's head."""
    import torch
    from transformers import BertForMaskedLM

    directory = tmp_path_factory.mktemp("masked")
    write_tiny_tokenizer(directory)
    torch.manual_seed(7)
    BertForMaskedLM(tiny_bert_config()).save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def trained(checkpoint: Path) -> tfaigc.MaskedLM:
    model = tfaigc.MaskedLM.from_pretrained(checkpoint, mlm_probability=0.3, max_length=32)
    model.compile(learning_rate=3e-3, lr_scheduler_type="constant")
    model.fit(TEXTS * 20, batch_size=24, epochs=5, verbose=0)
    return model


def test_it_learns_and_reports(trained: tfaigc.MaskedLM, tmp_path: Path) -> None:
    report = trained.report([*TEXTS, LONG])
    assert report.metrics["perplexity"] < 120
    assert report.metrics["top_5_accuracy"] > 0.1
    assert "## By what the model saw" in report.to_markdown()
    report.save(tmp_path)
    # The long text became several examples.
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) > len(TEXTS) + 5
    logs = trained.evaluate([*TEXTS, LONG], batch_size=64, verbose=0, return_dict=True)
    for name in ("loss", "perplexity", "accuracy"):
        assert logs[name] == pytest.approx(report.metrics[name], rel=1e-4)
    shapes = [np.shape(logits) for logits in trained.predict(["a film", LONG])]
    assert shapes == [(4, 178), (32, 178)]


def test_answers_and_files_are_those_of_transformers(
    trained: tfaigc.MaskedLM, tmp_path: Path
) -> None:
    import transformers

    trained.save_pretrained(tmp_path)
    model, report = transformers.AutoModelForMaskedLM.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    fill = transformers.FillMaskPipeline(model=model, tokenizer=tokenizer, top_k=3)
    texts = ["a [MASK] film", "a [MASK] [MASK] is good", "[MASK] film of the story"]
    for text, answer in zip(texts, trained.infer(texts, top_k=3), strict=True):
        expected = fill(text)
        expected = expected if isinstance(expected[0], list) else [expected]
        for mask, proposals in zip(answer["masks"], expected, strict=True):
            assert [each["token_id"] for each in mask] == [each["token"] for each in proposals]
            assert [each["token"] for each in mask] == [each["token_str"] for each in proposals]
            scores = [each["score"] for each in proposals]
            np.testing.assert_allclose([each["score"] for each in mask], scores, atol=1e-5)
        if len(expected) == 1:
            assert answer["sequence"] == expected[0][0]["sequence"]
    again = tfaigc.MaskedLM.from_pretrained(tmp_path)
    assert (again.mlm_probability, again.max_length) == (0.3, 32)
    np.testing.assert_array_equal(again.predict(texts)[1], trained.predict(texts)[1])


def test_the_export_answers_as_the_model(trained: tfaigc.MaskedLM, tmp_path: Path) -> None:
    texts = ["a [MASK] film", "no mask at all", "[MASK] " * 3]
    asked = ask(trained.export(tmp_path / "served"), {"text": texts})
    for row in (0, 2):
        first = trained.infer([texts[row]])[0]["masks"][0]
        assert list(asked["tokens"][row]) == [each["token"] for each in first]
        np.testing.assert_allclose(
            asked["scores"][row], [each["score"] for each in first], atol=1e-5
        )
    assert set(asked["tokens"][1]) == {""}


@pytest.mark.parametrize("unit", ["words", "spans"])
def test_words_are_hidden_as_a_whole(unit: str, checkpoint: Path) -> None:
    model = tfaigc.MaskedLM.from_pretrained(checkpoint, mask_unit=unit, mlm_probability=0.5)
    _, targets = next(iter(model.dataset(["moving gorgeousness xyz"] * 50)))
    hidden = (targets.numpy() >= 0).sum(axis=1)
    # One token, a word and five pieces more, three pieces: sums of some of these.
    assert set(hidden) <= {0, 1, 3, 4, 6, 7, 9, 10, 5, 8}
    pieces = model.tokenizer.encode(["gorgeousness"])[0][1:-1]
    for row in targets.numpy():
        assert (pieces[1] in row) == (pieces[0] in row)


def test_a_head_is_made_where_there_is_none(
    tiny_bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="tfaigc"):
        model = tfaigc.MaskedLM.from_pretrained(tiny_bert)
    assert "Made a fresh language model's head: the checkpoint has none" in caplog.text
    assert len(model.infer(["a [MASK]"])[0]["masks"][0]) == 5


def test_what_cannot_be_used_is_refused(trained: tfaigc.MaskedLM, checkpoint: Path) -> None:
    with pytest.raises(DataError, match=r"records\[1\].*must have \[MASK\] within its first 32"):
        trained.infer(["a [MASK]", "a film"])
    with pytest.raises(DataError, match=r"within its first 32 tokens"):
        trained.infer([LONG + "[MASK]"])
    with pytest.raises(DataError, match=r"records\[0\]: text is empty"):
        trained.dataset([""])
    with pytest.raises(ConfigError, match="top_k must be at least 1"):
        trained.infer(["a [MASK]"], top_k=0)
    with pytest.raises(ConfigError, match="mlm_probability must be"):
        tfaigc.MaskedLM.from_pretrained(checkpoint, mlm_probability=1.5)
    with pytest.raises(ConfigError, match="mask_unit must be one of tokens, words, spans"):
        tfaigc.MaskedLM.from_pretrained(checkpoint, mask_unit="sentences")


def test_pairs_of_texts_are_judged_too(tmp_path: Path, tiny_bert: Path) -> None:
    import transformers

    topics = [("good", "great", "fine"), ("bad", "dull", "poor")]
    records = [
        "\n".join(f"a {word} {thing}" for word in topics[number % 2] for thing in ("film", "plot"))
        for number in range(60)
    ]
    model = tfaigc.MaskedLM.from_pretrained(tiny_bert, sentence_task="next_sentence", max_length=32)
    model.compile(learning_rate=2e-3)
    history = model.fit(records, batch_size=16, epochs=2, verbose=0).history
    assert {"loss", "tokens_perplexity", "tokens_accuracy", "sentences_accuracy"} <= set(history)
    assert history["loss"][-1] < history["loss"][0]
    report = model.report(records)
    assert "| a text of another document |" in report.to_markdown()
    logs = model.evaluate(records, batch_size=64, verbose=0, return_dict=True)
    assert logs["sentences_accuracy"] == pytest.approx(report.metrics["sentence_accuracy"])
    assert logs["tokens_perplexity"] == pytest.approx(report.metrics["perplexity"], rel=1e-4)

    model.save_pretrained(tmp_path / "model")
    reference, loaded = transformers.BertForPreTraining.from_pretrained(
        tmp_path / "model", output_loading_info=True
    )
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
    assert reference.config.architectures == ["BertForPreTraining"]
    again = tfaigc.MaskedLM.from_pretrained(tmp_path / "model")
    assert again.sentence_task == "next_sentence"
    inputs, _ = next(iter(again.dataset(records)))
    np.testing.assert_allclose(
        again(inputs)["sentences"], model(inputs)["sentences"], atol=1e-6, rtol=0
    )
    assert model.predict(["a [MASK] film"])[0].shape == (5, 178)
    assert len(model.infer(["a [MASK] film"])[0]["masks"]) == 1


def test_what_pairs_do_not_go_with(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="tfaigc"):
        model = tfaigc.MaskedLM.from_pretrained(checkpoint, sentence_task="next_sentence")
    assert "Made a fresh classifier of pairs" in caplog.text
    assert "Made a fresh pooler" in caplog.text
    records = ["one\ntwo", "three\nfour"]
    for asked in ({"packed": True}, {"batch_tokens": 64}):
        with pytest.raises(ConfigError, match=f"sentence_task.* Received: {next(iter(asked))}"):
            model.dataset(records, **asked)
    with pytest.raises(ConfigError, match="Received: gradient_accumulation_steps"):
        model.compile(gradient_accumulation_steps=2)
    with pytest.raises(DataError, match=r"records\[1\]: text must have at least two sentences"):
        model.dataset(["one\ntwo", "three"])
    with pytest.raises(ConfigError, match=r"checkpoints have: next_sentence\. .*'sentence_order'"):
        tfaigc.MaskedLM.from_pretrained(checkpoint, sentence_task="sentence_order")
