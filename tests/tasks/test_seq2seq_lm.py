"""Seq2SeqLM: texts for texts; what is learnt, written, stored and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from family_tokenizers import CLASSES
from tiny_seq2seq import PAIRS, write_tiny_seq2seq

import tfaigc
from tfaigc.data import SENTINELS
from tfaigc.errors import ConfigError, DataError, TokenizerError
from tfaigc.export import ask

SOURCES = [pair["source"] for pair in PAIRS]
PREFIX = "say: "


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_seq2seq("t5", tmp_path_factory.mktemp("t5"), initializer_factor=1.0)


@pytest.fixture(scope="module")
def trained(checkpoint: Path) -> tfaigc.Seq2SeqLM:
    model = tfaigc.Seq2SeqLM.from_pretrained(
        checkpoint, prefix=PREFIX, max_length=24, max_target_length=20
    )
    model.compile(learning_rate=2e-2, lr_scheduler_type="constant", warmup_steps=0)
    model.fit(PAIRS * 4, batch_size=12, epochs=8, verbose=0)
    return model


def test_it_learns_and_reports(trained: tfaigc.Seq2SeqLM, tmp_path: Path) -> None:
    report = trained.report(PAIRS)
    assert report.metrics["perplexity"] < 30
    assert report.metrics.keys() >= {"bleu", "chrf", "rouge_l", "exact_match", "edit_distance"}
    logs = trained.evaluate(PAIRS, batch_size=5, verbose=0, return_dict=True)
    for name in ("perplexity", "accuracy"):
        assert logs[name] == pytest.approx(report.metrics[name], rel=1e-4)
    page = report.save(tmp_path).read_text()
    assert "## Samples" in page
    assert "film: good" in page
    [logits] = trained.predict(PAIRS[:1])
    assert len(logits) == len(trained.tokenizer.encode(["film: good"])[0])


def test_texts_and_files_are_those_of_transformers(
    trained: tfaigc.Seq2SeqLM, tmp_path: Path
) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    trained.save_pretrained(tmp_path)
    stored = json.loads((tmp_path / "generation_config.json").read_text())
    [[seen, end]] = trained.tokenizer.encode(["film"])
    stored |= {"num_beams": 3, "length_penalty": 0.5, "min_length": 5, "max_length": 9}
    stored |= {"bad_words_ids": [[seen], [end]], "renormalize_logits": True}
    (tmp_path / "generation_config.json").write_text(json.dumps(stored))
    again = tfaigc.Seq2SeqLM.from_pretrained(tmp_path)
    assert (again.prefix, again.max_target_length) == (PREFIX, 20)
    np.testing.assert_array_equal(again.predict(PAIRS[:1])[0], trained.predict(PAIRS[:1])[0])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model, loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not loaded["missing_keys"]
    inputs = tokenizer([PREFIX + each for each in SOURCES], return_tensors="pt", padding=True)
    greedy = {"num_beams": 1, "bad_words_ids": None, "min_length": 0}
    for ours, settings, theirs in (
        (again, {}, {}),
        (trained, {"max_new_tokens": 12}, {"max_new_tokens": 12, **greedy}),
    ):
        rows = model.generate(**inputs, **theirs)
        expected = tokenizer.batch_decode(rows, skip_special_tokens=True)
        assert ours.generate(SOURCES, **settings) == expected
    assert len(set(expected)) > 1
    # Older checkpoints say it in config.json.
    (tmp_path / "generation_config.json").unlink()
    path = tmp_path / "config.json"
    path.write_text(json.dumps(stored | json.loads(path.read_text())))
    legacy = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).generation_config
    assert (legacy.num_beams, legacy.max_length) == (3, 9)
    assert tfaigc.Seq2SeqLM.from_pretrained(tmp_path).generation == again.generation


def test_pieces_of_a_stream_are_the_text(trained: tfaigc.Seq2SeqLM) -> None:
    [whole] = trained.generate(SOURCES[:1])
    pieces = list(trained.generate(SOURCES[:1], stream=True))
    assert "".join(pieces) == whole
    assert len(pieces) > 1
    assert trained.infer(PAIRS[:1]) == [{"target": whole}]


def test_the_export_writes_as_the_model(trained: tfaigc.Seq2SeqLM, tmp_path: Path) -> None:
    version = trained.export(tmp_path / "served", max_new_tokens=6)
    texts = [*SOURCES[:3], "日本", "the film " * 99]
    expected = trained.generate(texts, max_new_tokens=6)
    assert ask(version, {"text": texts})["target"] == expected


@pytest.mark.parametrize(
    ("kind", "order"),
    [("MBartTokenizer", "text </s> code"), ("MBart50Tokenizer", "code text </s>")],
)
def test_languages_are_said_as_in_transformers(kind: str, order: str) -> None:
    import transformers
    from seq2seq_cases import SEQ2SEQ_CASES

    theirs = getattr(transformers, kind)(
        **CLASSES["MBartTokenizer"][1](*CLASSES["MBartTokenizer"][2]),
        src_lang="en_XX",
        tgt_lang="de_DE",
    )
    settings = {**SEQ2SEQ_CASES["mbart"].settings, "vocab_size": len(theirs)}
    model = tfaigc.Seq2SeqLM(
        tfaigc.Backbone({"model_type": "mbart", **settings, "decoder_start_token_id": 2}),
        tfaigc.Tokenizer(theirs.backend_tokenizer.to_str(), config={"pad_token": "<pad>"}),
        source_lang="en_XX",
        target_lang="de_DE",
    )
    inputs, targets = next(iter(model.dataset(PAIRS, batch_size=12)))
    labels = theirs(text_target=[pair["target"] for pair in PAIRS], padding=True)["input_ids"]
    sources = theirs(SOURCES, padding=True)["input_ids"]
    code, width = theirs.convert_tokens_to_ids("de_DE"), len(labels[0])
    found = np.where(targets < 0, 1, targets)
    np.testing.assert_array_equal(found[:, :width], labels)
    np.testing.assert_array_equal(inputs["encoder_token_ids"][:, : len(sources[0])], sources)
    shift = transformers.models.mbart.modeling_mbart.shift_tokens_right
    import torch

    shifted = shift(torch.tensor(labels), 1).numpy()
    mask = inputs["decoder_padding_mask"].numpy()[:, :width] > 0
    np.testing.assert_array_equal(
        inputs["decoder_token_ids"].numpy()[:, :width][mask], shifted[mask]
    )
    starts = {"text </s> code": (code, None), "code text </s>": (2, code)}
    start, forced = starts[order]
    assert model.generator.start == (start,)
    assert model.generation.forced_bos_token_id == forced
    with pytest.raises(TokenizerError, match=r"Received: 'de_DD'. Did you mean 'de_DE'"):
        model.tokenizer.in_language("de_DD")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"source": "a"}, "'target'"),
        ({"source": "a", "target": " "}, r"records\[0\]: target is empty"),
        ({"source": "a", "target": None}, r"records\[0\]: target is missing"),
        ({"source": "", "target": "a"}, r"records\[0\]: source is empty"),
        ({"target": "a"}, "'source'"),
    ],
)
def test_records_without_both_texts_are_refused(
    trained: tfaigc.Seq2SeqLM, record: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        trained.dataset([record])


def test_what_does_not_fit_is_refused(trained: tfaigc.Seq2SeqLM) -> None:
    with pytest.raises(DataError, match="sources must be a list of strings"):
        trained.generate([[{"role": "user", "content": "a"}]])
    with pytest.raises(ConfigError, match="label_smoothing must be at least 0 and below 1"):
        trained.compile(label_smoothing=1.0)
    backbone = tfaigc.Backbone({"model_type": "bart", "max_position_embeddings": 40, **SMALL})
    with pytest.raises(ConfigError, match=r"max_target_length must be from 2 to 40 .*Received: 41"):
        tfaigc.Seq2SeqLM(backbone, trained.tokenizer, max_target_length=41)
    with pytest.raises(ConfigError, match="Texts can share rows where no text sees another"):
        trained.dataset(PAIRS, packed=True)


SMALL = {
    **dict.fromkeys(("encoder_layers", "decoder_layers"), 1),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "d_model"), 16),
}


def test_pretraining_goes_on_to_pairs(tmp_path: Path) -> None:
    texts = [text for pair in PAIRS for text in pair.values()]
    tokenizer = tfaigc.Tokenizer.train(
        texts, kind="unigram", vocabulary_size=180, family="t5", special_tokens=SENTINELS
    )
    sizes = {"d_model": 16, "d_kv": 8, "num_heads": 2, "d_ff": 16, "num_layers": 1}
    model = tfaigc.Seq2SeqLM.from_scratch(
        {"model_type": "t5", **sizes}, tokenizer, span_corruption=True, max_length=16
    )
    model.compile(learning_rate=1e-2)
    long = " ".join(texts)
    losses = model.fit([*texts, long], batch_size=16, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    report = model.report([*texts, long])
    logs = model.evaluate([*texts, long], batch_size=64, verbose=0, return_dict=True)
    assert logs["perplexity"] == pytest.approx(report.metrics["perplexity"], rel=1e-4)
    model.save_pretrained(tmp_path)
    again = tfaigc.Seq2SeqLM.from_pretrained(tmp_path)
    assert again.settings() == model.settings()
    with pytest.raises(ConfigError, match=r"no target\. Received: target in records.*=False"):
        again.dataset(PAIRS)
    pairs = tfaigc.Seq2SeqLM.from_pretrained(tmp_path, span_corruption=False)
    [(_, targets)] = pairs.dataset(PAIRS[:1])
    assert tokenizer.decode([targets[0].numpy()]) == [PAIRS[0]["target"]]


def test_spans_need_tokens_that_stand_for_them(checkpoint: Path) -> None:
    model = tfaigc.Seq2SeqLM.from_pretrained(checkpoint, span_corruption=True)
    with pytest.raises(ConfigError, match=r"must have 1 tokens .*<extra_id_0>.* one with 0"):
        model.dataset(["the good film"])
