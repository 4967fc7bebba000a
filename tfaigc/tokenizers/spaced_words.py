"""Texts tokenized by what stands between their spaces, each different word once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.errors import DataError
from tfaigc.tokenizers import inputs
from tfaigc.tokenizers.encoded_texts import EncodedTexts, collect

if TYPE_CHECKING:
    from tfaigc.tokenizers.rust_encoder import RustEncoder

# What changes or splits a text here without looking across a space, and what splits at spaces.
_LOCAL = {"BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents"}
_SPLITTING = {"BertPreTokenizer", "Whitespace", "WhitespaceSplit"}
_SPLITTING_FURTHER = {"Digits", "Punctuation"}

# Texts at a time, and the different words that are remembered: they bound the memory.
_CHUNK = 16_384
_MOST_WORDS = 250_000


def splits_at_spaces(spec: Mapping[str, Any]) -> bool:
    """Says whether what stands between spaces has the same tokens wherever it stands.

    Args:
        spec: tokenizer.json, parsed.

    Returns:
        Whether that is known for all of its parts.

    Example:
        >>> splits_at_spaces({"pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {}})
        True
    """
    splitters = {part["type"] for part in _parts(spec.get("pre_tokenizer"), "pretokenizers")}
    changes = {part["type"] for part in _parts(spec.get("normalizer"), "normalizers")}
    return (
        bool(splitters & _SPLITTING)
        and splitters <= _SPLITTING | _SPLITTING_FURTHER
        and changes <= _LOCAL
        and not spec["model"].get("dropout")
        and all(map(_is_within_a_word, spec.get("added_tokens", ())))
    )


def _parts(part: Mapping[str, Any] | None, members: str) -> list[Mapping[str, Any]]:
    if part is None:
        return []
    return list(part[members]) if part["type"] == "Sequence" else [part]


def _is_within_a_word(added: Mapping[str, Any]) -> bool:
    """Whether an added token is found alike in a word and in a text."""
    content: str = added["content"]
    return " " not in content and (content.isascii() or not added["normalized"])


class SpacedWords:
    """Tokenizes texts by looking up their words; the Rust tokenizer sees each word once.

    Natural texts repeat their words, and a look-up takes a hundredth of the time of tokenizing.
    Threads may share one; words are remembered from call to call.

    Args:
        encoder: A tokenizer for which ``splits_at_spaces`` holds.
        truncation_side: Where texts are cut, "right" or "left".
    """

    def __init__(self, encoder: RustEncoder, *, truncation_side: str) -> None:
        self._encoder = encoder
        self._cuts_left = truncation_side == "left"
        probe = next(encoder.encodings(["a"], None, None, "longest_first"))[0]
        before = probe.special_tokens_mask.index(0)
        behind = sum(probe.special_tokens_mask[before:])
        self._prefix, self._suffix = probe.ids[:before], probe.ids[len(probe) - behind :]
        self._segment_id: int = probe.type_ids[before]
        # Segments that differ are left to the Rust tokenizer.
        self.is_uniform = len({*probe.type_ids}) == 1
        self._lock = threading.Lock()
        self._forget()

    def encode(self, texts: Sequence[str], max_length: int | None) -> EncodedTexts:
        """Turns texts into flat arrays of token ids and segment ids.

        Args:
            texts: The texts.
            max_length: The most tokens of an example, special tokens included.

        Returns:
            What the Rust tokenizer gives.

        Raises:
            DataError: A text is not valid Unicode.
        """
        empty = np.zeros(0, np.int32)
        parts, lengths = [empty], [np.zeros(0, np.int64)]
        for token_ids, kept in self._rows(texts, max_length):
            parts.append(token_ids)
            lengths.append(kept)
        row_splits = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.concatenate(lengths), out=row_splits[1:])
        token_ids = np.concatenate(parts)
        return EncodedTexts(token_ids, np.full_like(token_ids, self._segment_id), row_splits)

    def _rows(
        self, texts: Sequence[str], max_length: int | None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Gives the tokens of some texts at a time, int32, with their numbers by text, int64."""
        for start in range(0, len(texts), _CHUNK):
            with self._lock:
                numbers = self._numbers.__getitem__
                rows = [[*map(numbers, text.split(" "))] for text in texts[start : start + _CHUNK]]
                try:
                    known = self._learn_words()
                except DataError as error:
                    self._forget()
                    fault = inputs.find_lone_surrogate(list(texts), name="texts")
                    raise DataError(fault or str(error)) from error
                if len(self._numbers) > _MOST_WORDS:
                    self._forget()
            yield self._lay_out(rows, known, max_length)

    def _forget(self) -> None:
        self._numbers, self._known = _Numbers(), collect([])

    def _learn_words(self) -> EncodedTexts:
        """Tokenizes the words that are new; returns the tokens of all, by number."""
        known = self._known
        new = list(itertools.islice(self._numbers, len(known.row_splits) - 1, None))
        if new:
            found = self._encoder.encodings(new, None, None, "longest_first", special_tokens=False)
            self._known = _joined(known, collect(found))
        return self._known

    def _lay_out(
        self, rows: list[list[int]], known: EncodedTexts, max_length: int | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Puts the words' tokens and the special ones in their places."""
        words = np.fromiter(itertools.chain.from_iterable(rows), np.int64)
        ends = np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)))
        sizes = np.diff(known.row_splits)[words]
        # Each text has a word, if an empty one.
        totals = np.add.reduceat(sizes, np.concatenate([[0], ends[:-1]]))
        tokens = known.token_ids[_ranges(known.row_splits[words], sizes)]

        before, added = len(self._prefix), len(self._prefix) + len(self._suffix)
        kept = totals if max_length is None else np.minimum(totals, max_length - added)
        firsts = np.cumsum(totals) - totals + (totals - kept if self._cuts_left else 0)
        lengths = kept + added
        begins = np.cumsum(lengths) - lengths
        laid_out = np.empty(lengths.sum(), np.int32)
        laid_out[_ranges(begins + before, kept)] = tokens[_ranges(firsts, kept)]
        for place, token in enumerate(self._prefix):
            laid_out[begins + place] = token
        for place, token in enumerate(self._suffix):
            laid_out[begins + before + kept + place] = token
        return laid_out, lengths


class _Numbers(dict[str, int]):
    """Numbers words from 0 on, in the order in which they are asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


def _joined(one: EncodedTexts, other: EncodedTexts) -> EncodedTexts:
    return EncodedTexts(
        np.concatenate([one.token_ids, other.token_ids]),
        np.concatenate([one.segment_ids, other.segment_ids]),
        np.concatenate([one.row_splits, other.row_splits[1:] + one.row_splits[-1]]),
    )


def _ranges(firsts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Lists each range's numbers: int64, all behind each other."""
    skipped = firsts - (np.cumsum(sizes) - sizes)
    return np.asarray(np.repeat(skipped, sizes) + np.arange(sizes.sum()))
