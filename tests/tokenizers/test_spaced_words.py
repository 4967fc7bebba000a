"""Looking words up gives the ids that the Rust tokenizer gives for whole texts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tokenizer_battery import hard_strings, train_wordpiece
from tokenizers import normalizers, pre_tokenizers

from tfaigc.errors import DataError
from tfaigc.tokenizers import Tokenizer, spaced_words

TEXTS = [
    *hard_strings(200),
    *map(" ".join, zip(hard_strings(99), hard_strings(99, seed=1), strict=True)),
    *("", " ", "  a  b ", "[MASK] a[SEP]b  [CLS] ", "\x1c a\x1cb", " \u0301x", "\u00a0 a \u00a0b"),
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_wordpiece(normalizers.BertNormalizer())


def changed(tokenizer: Tokenizer, config: dict[str, Any] | None = None, **parts: Any) -> Tokenizer:
    """Makes another tokenizer of one."""
    return Tokenizer(json.dumps(tokenizer.spec | parts), config=config)


def part(piece: Any) -> Any:
    """Spells a part of a tokenizer as tokenizer.json does."""
    return json.loads(piece.__getstate__())


def added(content: str, **flags: Any) -> dict[str, Any]:
    """Spells an added token."""
    usual = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": 2000, "content": content, **usual, **flags}


SPLITTERS = {
    "BERT's": pre_tokenizers.BertPreTokenizer(),
    "at white space": pre_tokenizers.WhitespaceSplit(),
    "words and digits": pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    ),
}


@pytest.mark.parametrize("max_length", [None, 2, 3, 9])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("splitter", SPLITTERS)
def test_ids_are_those_of_whole_texts(
    tokenizer: Tokenizer, splitter: str, side: str, max_length: int | None
) -> None:
    other = changed(tokenizer, {"truncation_side": side}, pre_tokenizer=part(SPLITTERS[splitter]))
    assert spaced_words.splits_at_spaces(other.spec)
    found = other.encode_arrays(TEXTS, max_length=max_length)
    rows = np.split(found.token_ids, found.row_splits[1:-1])
    assert [row.tolist() for row in rows] == other.encode(TEXTS, max_length=max_length)
    assert found.token_ids.dtype == found.segment_ids.dtype == np.int32
    assert not found.segment_ids.any()


def test_words_are_forgotten_when_there_are_many(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaced_words, "_CHUNK", 7)
    monkeypatch.setattr(spaced_words, "_MOST_WORDS", 20)
    for _ in range(2):
        found = tokenizer.encode_arrays(TEXTS).token_ids.tolist()
        assert found == [token for row in tokenizer.encode(TEXTS) for token in row]


def test_a_text_that_is_no_unicode_is_named(tokenizer: Tokenizer) -> None:
    for _ in range(2):
        with pytest.raises(DataError, match=r"texts\[1\]"):
            tokenizer.encode_arrays(["a fine film", "a fine \ud800 film"])
    assert len(tokenizer.encode_arrays(["a fine film"]).row_splits) == 2


@pytest.mark.parametrize(
    "parts",
    [
        {"pre_tokenizer": part(pre_tokenizers.Punctuation())},
        {"pre_tokenizer": part(pre_tokenizers.Metaspace())},
        {"pre_tokenizer": part(pre_tokenizers.ByteLevel())},
        {"pre_tokenizer": None},
        {"normalizer": part(normalizers.Replace("a b", "c"))},
        {"normalizer": part(normalizers.Sequence([normalizers.Strip()]))},
        {"added_tokens": [added("New York")]},
        {"added_tokens": [added("\u4e2d", normalized=True)]},
    ],
    ids=lambda parts: str(parts)[:60],
)
def test_what_looks_across_spaces(tokenizer: Tokenizer, parts: dict[str, Any]) -> None:
    assert not spaced_words.splits_at_spaces(tokenizer.spec | parts)


def test_segments_that_differ_are_kept(tokenizer: Tokenizer) -> None:
    template = json.loads(json.dumps(tokenizer.spec["post_processor"]))
    for piece in template["single"]:
        if "SpecialToken" in piece:
            piece["SpecialToken"]["type_id"] = 1
    found = changed(tokenizer, post_processor=template).encode_arrays(["a film"])
    assert found.segment_ids[[0, -1]].tolist() == [1, 1]
    assert not found.segment_ids[1:-1].any()
