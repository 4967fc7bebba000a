"""The token cache: equal to the tokenizer, found by everything that matters, never broken."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from tfaigc.data import EncodedTexts, cache, tokenize_cached
from tfaigc.tokenizers import Tokenizer

TEXTS = ["one two three", "", "four"]


class WordLengths:
    """Stands in for a tokenizer: an id is a word's length; pairs are a second segment."""

    fingerprint = "word lengths"

    def __init__(self) -> None:
        self.calls = 0

    def encode_arrays(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        max_length: int | None,
        truncation: str = "longest_first",
    ) -> EncodedTexts:
        self.calls += 1
        words = [text.split() for text in texts]
        seconds = [pair.split() for pair in pairs or [""] * len(texts)]
        rows = [(a + b)[:max_length] for a, b in zip(words, seconds, strict=True)]
        kinds = [
            ([0] * len(a) + [1] * len(b))[:max_length] for a, b in zip(words, seconds, strict=True)
        ]
        return EncodedTexts(
            np.array([len(word) for row in rows for word in row], np.int32),
            np.array([kind for row in kinds for kind in row], np.int32),
            np.cumsum([0, *map(len, rows)]).astype(np.int64),
        )


def ids(encoded: EncodedTexts) -> list[list[int]]:
    return [row.tolist() for row in np.split(encoded.token_ids, encoded.row_splits[1:-1])]


def test_second_use_reads_what_the_first_wrote(tmp_path: Path) -> None:
    tokenizer = WordLengths()
    for _ in range(2):
        encoded = tokenize_cached(tokenizer, TEXTS, max_length=2, directory=tmp_path)
        assert ids(encoded) == [[3, 3], [], [4]]
    assert tokenizer.calls == 1
    assert isinstance(encoded.token_ids, np.memmap)


def test_everything_that_matters_is_in_the_key(tmp_path: Path) -> None:
    tokenizer = WordLengths()
    calls = [
        lambda: tokenize_cached(tokenizer, TEXTS, max_length=8, directory=tmp_path),
        lambda: tokenize_cached(tokenizer, TEXTS, max_length=None, directory=tmp_path),
        lambda: tokenize_cached(tokenizer, TEXTS[::-1], max_length=8, directory=tmp_path),
        lambda: tokenize_cached(
            tokenizer, ["one twothree", "", "four"], max_length=8, directory=tmp_path
        ),
        lambda: tokenize_cached(tokenizer, TEXTS, TEXTS, max_length=8, directory=tmp_path),
        lambda: tokenize_cached(
            tokenizer, TEXTS, TEXTS, max_length=8, truncation="only_first", directory=tmp_path
        ),
        lambda: tokenize_cached(tokenizer, TEXTS, ["", "", ""], max_length=8, directory=tmp_path),
    ]
    for call in calls:
        call()
    tokenizer.fingerprint = "another"
    calls[0]()
    assert tokenizer.calls == len(calls) + 1
    assert len(list(tmp_path.iterdir())) == len(calls) + 1


def test_chunks_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_CHUNK", 2)
    texts = [f"{'x' * (i % 5 + 1)} y" for i in range(7)]
    cached = tokenize_cached(WordLengths(), texts, texts, max_length=3, directory=tmp_path)
    plain = WordLengths().encode_arrays(texts, texts, 3)
    memory = tokenize_cached(WordLengths(), texts, texts, max_length=3, enabled=False)
    for name in EncodedTexts._fields:
        np.testing.assert_array_equal(getattr(cached, name), getattr(plain, name))
        np.testing.assert_array_equal(getattr(memory, name), getattr(plain, name))


@pytest.mark.parametrize("texts", [[], [""]])
def test_nothing_to_tokenize(tmp_path: Path, texts: list[str]) -> None:
    for _ in range(2):
        encoded = tokenize_cached(WordLengths(), texts, max_length=None, directory=tmp_path)
        assert len(encoded.token_ids) == 0
        assert len(encoded.row_splits) == len(texts) + 1


@pytest.mark.parametrize("damage", ["truncate", "remove", "manifest"])
def test_damaged_entries_are_made_again(tmp_path: Path, damage: str) -> None:
    tokenizer = WordLengths()
    tokenize_cached(tokenizer, TEXTS, max_length=None, directory=tmp_path)
    entry = next(tmp_path.iterdir())
    if damage == "truncate":
        (entry / "token_ids").write_bytes(b"\0" * 4)
    elif damage == "remove":
        (entry / "row_splits").unlink()
    else:
        (entry / "sizes.json").write_text("{")
    for _ in range(2):
        encoded = tokenize_cached(tokenizer, TEXTS, max_length=None, directory=tmp_path)
        assert ids(encoded) == [[3, 3, 5], [], [4]]
    assert tokenizer.calls == 2


def test_unwritable_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "_write_arrays", full)
    with caplog.at_level(logging.WARNING, logger="tfaigc"):
        encoded = tokenize_cached(WordLengths(), TEXTS, max_length=None, directory=tmp_path)
    assert ids(encoded) == [[3, 3, 5], [], [4]]
    assert "stay in memory" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_few_texts_stay_out_of_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "cache_directory", lambda: tmp_path)
    assert ids(tokenize_cached(WordLengths(), TEXTS, max_length=None)) == [[3, 3, 5], [], [4]]
    assert list(tmp_path.iterdir()) == []
    tokenize_cached(WordLengths(), ["a b"] * 1_000, max_length=None)
    assert len(list((tmp_path / "tokens").iterdir())) == 1


def test_a_directory_that_cannot_be_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    encoded = tokenize_cached(WordLengths(), TEXTS, max_length=None, directory=tmp_path / "file")
    assert ids(encoded) == [[3, 3, 5], [], [4]]
    assert len(caplog.messages) == 1


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    old, new = tmp_path / ".writing-old", tmp_path / ".writing-new"
    for path in (old, new):
        path.mkdir()
    os.utime(old, (0, 0))
    tokenize_cached(WordLengths(), TEXTS, max_length=None, directory=tmp_path)
    assert not old.exists()
    assert new.exists()


def test_writers_at_the_same_time(tmp_path: Path) -> None:
    texts = [f"{'x' * (i % 9 + 1)} y" for i in range(500)]
    plain = WordLengths().encode_arrays(texts, None, None)

    def work(_: int) -> EncodedTexts:
        return tokenize_cached(WordLengths(), texts, max_length=None, directory=tmp_path)

    with ThreadPoolExecutor(8) as pool:
        for encoded in pool.map(work, range(24)):
            np.testing.assert_array_equal(encoded.token_ids, plain.token_ids)
            np.testing.assert_array_equal(encoded.row_splits, plain.row_splits)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_real_tokenizer(tmp_path: Path) -> None:
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    rust = tokenizers.Tokenizer(
        tokenizers.models.WordLevel(
            {word: number for number, word in enumerate([*specials, "a", "film"])}, "[UNK]"
        )
    )
    rust.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    rust.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    rust.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.from_file(tmp_path / "tokenizer.json")
    texts, pairs = ["a film", "", "film"], ["film", "a", "a a a"]
    cached = tokenize_cached(tokenizer, texts, pairs, max_length=6, directory=tmp_path / "tokens")
    plain = tokenizer.encode_arrays(texts, pairs, 6)
    for name in EncodedTexts._fields:
        np.testing.assert_array_equal(getattr(cached, name), getattr(plain, name))
    assert ids(cached) == tokenizer.encode(texts, pairs, max_length=6)
