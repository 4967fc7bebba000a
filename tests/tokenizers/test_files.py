from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from conftest import wordpiece_vocabulary, write_tiny_tokenizer
from tokenizer_battery import hard_strings, train_wordpiece
from tokenizers import normalizers, pre_tokenizers

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import Tokenizer

TEXTS = hard_strings(200)


def check_transformers_agrees(tokenizer: Tokenizer, directory: Path) -> Any:
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(directory)
    loaded = AutoTokenizer.from_pretrained(str(directory))
    assert loaded(TEXTS)["input_ids"] == tokenizer.encode(TEXTS)
    again = Tokenizer.from_pretrained(directory)
    assert again.fingerprint == tokenizer.fingerprint
    assert again.encode(TEXTS) == tokenizer.encode(TEXTS)
    return loaded


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_directory_of_transformers(tmp_path: Path) -> None:
    write_tiny_tokenizer(tmp_path / "source")
    tokenizer = Tokenizer.from_pretrained(tmp_path / "source")
    assert tokenizer.model_max_length == 128
    loaded = check_transformers_agrees(tokenizer, tmp_path / "saved")
    assert loaded.pad_token == "[PAD]"
    assert loaded.model_max_length == 128
    assert type(loaded).__name__.startswith("BertTokenizer")


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_vocabulary_alone(tmp_path: Path, lowercase: bool) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "vocab.txt").write_text("\n".join(wordpiece_vocabulary()) + "\n", encoding="utf-8")
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": lowercase}
    (source / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer.from_pretrained(source)
    assert tokenizer.spec["normalizer"]["lowercase"] is lowercase
    check_transformers_agrees(tokenizer, tmp_path / "saved")


@lru_cache
def sentencepiece_model() -> bytes:
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS[:60] * 2),
        model_writer=written,
        vocab_size=500,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        control_symbols="[CLS],[SEP],[MASK],<cls>,<sep>,<mask>",
        minloglevel=2,
    )
    return written.getvalue()


BYTE_LEVEL = {
    "vocab.json": json.dumps(
        {
            **{t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>"])},
            "a": 4,
            "b": 5,
            "ab": 6,
            "\u0120": 7,
        }
    ),
    "merges.txt": "#version: 0.2\na b\n",
}


@pytest.mark.parametrize(
    ("model_type", "file"),
    [
        ("t5", "spiece.model"),
        ("albert", "spiece.model"),
        ("xlnet", "spiece.model"),
        ("xlm-roberta", "sentencepiece.bpe.model"),
        ("camembert", "sentencepiece.bpe.model"),
        ("roberta", "merges.txt"),
        ("gpt2", "merges.txt"),
        ("bert", "vocab.txt"),
        ("electra", "vocab.txt"),
    ],
)
def test_vocabularies_of_older_checkpoints(tmp_path: Path, model_type: str, file: str) -> None:
    from transformers import AutoTokenizer

    source = tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text(json.dumps({"model_type": model_type}))
    if file.endswith(".model"):
        (source / file).write_bytes(sentencepiece_model())
    elif file == "vocab.txt":
        (source / file).write_text("\n".join(wordpiece_vocabulary()), encoding="utf-8")
    else:
        for name, text in BYTE_LEVEL.items():
            (source / name).write_text(text, encoding="utf-8")
    tokenizer = Tokenizer.from_pretrained(source)
    expected = AutoTokenizer.from_pretrained(str(source))(TEXTS)["input_ids"]
    assert tokenizer.encode(TEXTS) == expected
    assert len({token for row in expected for token in row}) > 3


@pytest.mark.parametrize("stated", [{}, {"do_lower_case": False}])
@pytest.mark.parametrize("cased", [True, False])
def test_albert_with_a_wordpiece_vocabulary(
    tmp_path: Path, cased: bool, stated: dict[str, bool]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "albert"}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(stated))
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##s", *(["The"] * cased)]
    (tmp_path / "vocab.txt").write_text("\n".join(entries))
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    lowered = stated.get("do_lower_case", not cased)
    assert tokenizer.spec["normalizer"]["lowercase"] is lowered
    first = 5 if lowered else 7 if cased else 1
    assert tokenizer.encode(["The thes"]) == [[2, first, 5, 6, 3]]


def test_marian_is_written_in_python_only(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "marian"}))
    for name in ("source.spm", "target.spm"):
        (tmp_path / name).write_bytes(sentencepiece_model())
    vocabulary = {"</s>": 0, "<unk>": 1, "a": 2, "<pad>": 3}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers recommends sacremoses
        with pytest.raises(TokenizerError, match=r"MarianTokenizer is written in Python only"):
            Tokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model.gguf": "GGUF"}, r"must come with the tokenizer\.json of the checkpoint"),
        ({"spiece.model": "hello" * 99}, r"spiece\.model must be a SentencePiece model"),
        ({"vocab.json": BYTE_LEVEL["vocab.json"]}, r"must come with merges\.txt"),
        ({**BYTE_LEVEL, "vocab.json": "{"}, r"vocab\.json must be a JSON object"),
        ({"vocab.txt": "[PAD]\n[UNK]\nC\nO"}, r"AlbertTokenizer without .* in .*vocab\.txt"),
    ],
)
def test_vocabularies_that_nothing_can_be_built_from(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "albert"}))
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TokenizerError, match=message):
        Tokenizer.from_pretrained(tmp_path)


def test_a_vocabulary_of_nobody_knows_what(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\na\n")
    with pytest.raises(TokenizerError, match=r"Add tokenizer\.json, or a tokenizer_config\.json"):
        Tokenizer.from_pretrained(tmp_path)


def test_no_tokenizer_at_all(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(TokenizerError, match=r"Received: .* with model\.safetensors\."):
        Tokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_config(tmp_path: Path, text: str) -> None:
    write_tiny_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(text)
    with pytest.raises(TokenizerError, match=r"tokenizer_config\.json"):
        Tokenizer.from_pretrained(tmp_path)


def test_tokenizer_json_wins_over_its_config(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "source"
    write_tiny_tokenizer(source)
    expected = Tokenizer.from_pretrained(source).encode(TEXTS)
    edit(source / "tokenizer_config.json", lambda config: config.update(do_lower_case=False))
    with caplog.at_level(logging.WARNING):
        tokenizer = Tokenizer.from_pretrained(source)
    assert "do_lower_case=False, tokenizer.json lowercase=True" in caplog.text
    assert tokenizer.encode(TEXTS) == expected
    check_transformers_agrees(tokenizer, tmp_path / "saved")


def test_a_tokenizer_that_no_class_of_transformers_builds(tmp_path: Path) -> None:
    tokenizer = train_wordpiece(
        normalizers.Lowercase(),
        pre_tokenizer=pre_tokenizers.WhitespaceSplit(),
        prefix="@@",
        longest=7,
        vocabulary_size=300,
    )
    tokenizer.config["tokenizer_class"] = "BertTokenizer"
    loaded = check_transformers_agrees(tokenizer, tmp_path)
    assert loaded.pad_token == "[PAD]"


def test_the_special_tokens_map_is_kept(tmp_path: Path) -> None:
    write_tiny_tokenizer(tmp_path / "source")
    content = {"pad_token": "[PAD]", "cls_token": "[CLS]"}
    (tmp_path / "source" / "special_tokens_map.json").write_text(json.dumps(content))
    Tokenizer.from_pretrained(tmp_path / "source").save_pretrained(tmp_path / "saved")
    saved = (tmp_path / "saved" / "special_tokens_map.json").read_text(encoding="utf-8")
    assert json.loads(saved) == content
