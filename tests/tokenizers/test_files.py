from __future__ import annotations

import json
import logging
from collections.abc import Callable
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
