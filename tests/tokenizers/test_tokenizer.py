from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from tokenizer_battery import hard_strings, train_wordpiece
from tokenizers import normalizers

from tfaigc.errors import ConfigError, DataError, TokenizerError
from tfaigc.tokenizers import Tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_wordpiece(normalizers.BertNormalizer())


def test_encode_arrays_hold_what_encode_gives(tokenizer: Tokenizer) -> None:
    texts, pairs = hard_strings(50), hard_strings(50, seed=1)
    encoded = tokenizer.encode_arrays(texts, pairs, 12)
    rows = np.split(encoded.token_ids, encoded.row_splits[1:-1])
    assert [row.tolist() for row in rows] == tokenizer.encode(texts, pairs, 12)
    assert encoded.token_ids.dtype == encoded.segment_ids.dtype == np.int32
    assert encoded.row_splits.dtype == np.int64
    assert max(np.diff(encoded.row_splits)) == 12
    assert set(encoded.segment_ids.tolist()) == {0, 1}


def test_more_texts_than_one_chunk(tokenizer: Tokenizer) -> None:
    texts = [f"the {number}" for number in range(5000)]
    assert tokenizer.encode(texts) == [tokenizer.encode([text])[0] for text in texts]
    assert len(tokenizer.encode_arrays(texts).row_splits) == 5001


def test_no_texts(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode([]) == []
    assert tokenizer.encode_arrays([]).row_splits.tolist() == [0]
    assert tokenizer.decode([]) == []


def test_truncation_and_padding_in_the_file_are_ignored(tokenizer: Tokenizer) -> None:
    spec = json.loads(json.dumps(tokenizer.spec))
    spec["truncation"] = {
        "max_length": 3,
        "strategy": "LongestFirst",
        "stride": 0,
        "direction": "Right",
    }
    spec["padding"] = {
        "strategy": {"Fixed": 64},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    other = Tokenizer(json.dumps(spec))
    texts = hard_strings(20)
    assert other.encode(texts) == tokenizer.encode(texts)
    assert other.fingerprint == tokenizer.fingerprint


def test_a_limit_does_not_outlive_its_call(tokenizer: Tokenizer) -> None:
    before = tokenizer.encode(["the running of the words"])
    tokenizer.encode(["the running of the words"], max_length=3)
    assert tokenizer.encode(["the running of the words"]) == before
    assert pickle.loads(pickle.dumps(tokenizer)).fingerprint == tokenizer.fingerprint


def test_decode_skips_special_tokens(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(["the running"])
    assert tokenizer.decode(ids) == ["the running"]
    assert tokenizer.decode(np.array(ids)) == ["the running"]


def test_properties(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocabulary_size == 2000
    assert tokenizer.pad_token_id == 0
    assert tokenizer.model_max_length is None
    assert tokenizer.num_special_tokens() == 2
    assert tokenizer.num_special_tokens(pair=True) == 3
    assert tokenizer.token_id("[SEP]") == 3
    assert tokenizer.token_id("no such token") is None
    assert len(tokenizer.fingerprint) == 64


def test_the_config_is_read(tokenizer: Tokenizer) -> None:
    text = json.dumps(tokenizer.spec)
    config = {"pad_token": {"content": "[MASK]"}, "model_max_length": 99}
    other = Tokenizer(text, config=config)
    assert (other.pad_token_id, other.model_max_length) == (4, 99)
    assert Tokenizer(text, config={"model_max_length": 1e30}).model_max_length is None


def test_the_fingerprint_follows_the_spec(tokenizer: Tokenizer) -> None:
    spec = json.loads(json.dumps(tokenizer.spec))
    spec["normalizer"]["lowercase"] = False
    assert Tokenizer(json.dumps(spec)).fingerprint != tokenizer.fingerprint
    assert Tokenizer(json.dumps(tokenizer.spec, indent=3)).fingerprint == tokenizer.fingerprint


@pytest.mark.parametrize(
    ("texts", "pairs", "message"),
    [
        ("a text", None, r"texts must be a list of strings\. Received: one str\. Pass \[text\]\."),
        (["a"], "b", r"pairs must be a list of strings\. Received: one str\."),
        (["a", None], None, r"texts\[1\] must be a string\. Received: NoneType \(None\)"),
        (["a", 3.5], None, r"texts\[1\] must be a string\. Received: float \(3\.5\)"),
        (["a"], [b"b"], r"pairs\[0\] must be a string\. Received: bytes"),
        (["a", "b"], ["c"], r"Received: 2 texts and 1 pairs"),
        (7, None, r"texts must be a list of strings\. Received: int"),
        (["a", "b\ud800"], None, r"texts\[1\] must be valid Unicode\. .*U\+D800.* character 1"),
        (["a"], ["\udfff"], r"pairs\[0\] must be valid Unicode"),
    ],
)
def test_what_is_not_text_is_refused(
    tokenizer: Tokenizer, texts: object, pairs: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        tokenizer.encode(texts, pairs)  # type: ignore[arg-type]


@pytest.mark.parametrize("max_length", [0, 1, -3, 2.5, True, "8"])
def test_limits_without_room_are_refused(tokenizer: Tokenizer, max_length: object) -> None:
    with pytest.raises(ConfigError, match="max_length must be"):
        tokenizer.encode(["a"], max_length=max_length)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_length must be"):
        tokenizer.in_graph(["a"], max_length=max_length)  # type: ignore[arg-type]


def test_files_that_are_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"readable UTF-8 file.*missing\.json"):
        Tokenizer.from_file(tmp_path / "missing.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(TokenizerError, match="must be readable by the tokenizers package"):
        Tokenizer.from_file(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_bytes(b"\xff\xfe")
    with pytest.raises(TokenizerError, match="readable UTF-8 file"):
        Tokenizer.from_pretrained(tmp_path)
