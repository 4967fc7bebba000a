"""Token ids of many texts in flat arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np


class EncodedTexts(NamedTuple):
    """Token ids of many texts, one behind the other.

    Attributes:
        token_ids: int32, (tokens,).
        segment_ids: int32, (tokens,).
        row_splits: int64, (texts + 1,). Text i owns tokens row_splits[i] to row_splits[i + 1].
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    row_splits: np.ndarray


class LocatedTexts(NamedTuple):
    """Token ids of many texts, and what in the texts they stand for.

    Attributes:
        token_ids: int32, (tokens,).
        segment_ids: int32, (tokens,).
        row_splits: int64, (texts + 1,). Text i owns tokens row_splits[i] to row_splits[i + 1].
        offsets: int32, (tokens, 2): the bytes of its text that each token stands for, from the
            first to the one behind the last; (0, 0) for special tokens that were added.
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    row_splits: np.ndarray
    offsets: np.ndarray


def collect(chunks: Iterable[Sequence[Any]]) -> EncodedTexts:
    """Copies the Rust tokenizer's results into flat arrays.

    Args:
        chunks: `tokenizers.Encoding`s, some at a time.

    Returns:
        The ids of all texts.

    Example:
        >>> collect([]).row_splits
        array([0])
    """
    flat = itertools.chain.from_iterable
    empty = np.zeros(0, np.int32)
    token_ids, segment_ids, lengths = [empty], [empty], [empty]
    for encodings in chunks:
        ids = [encoding.ids for encoding in encodings]
        counts = np.fromiter(map(len, ids), np.int32, len(ids))
        total = int(counts.sum())
        types = flat(encoding.type_ids for encoding in encodings)
        token_ids.append(np.fromiter(flat(ids), np.int32, total))
        segment_ids.append(np.fromiter(types, np.int32, total))
        lengths.append(counts)
    row_splits = np.zeros(sum(map(len, lengths)) + 1, np.int64)
    np.cumsum(np.concatenate(lengths), out=row_splits[1:])
    return EncodedTexts(np.concatenate(token_ids), np.concatenate(segment_ids), row_splits)


def collect_with_offsets(
    chunks: Iterable[Sequence[Any]], texts: Sequence[str], pairs: Sequence[str] | None
) -> LocatedTexts:
    """Copies the Rust tokenizer's results, offsets included, into flat arrays.

    Args:
        chunks: `tokenizers.Encoding`s, some at a time.
        texts: The texts.
        pairs: Their pairs, if any.

    Returns:
        The ids and offsets of all texts.
    """
    offsets = [np.zeros((0, 2), np.int32)]

    def listen() -> Iterator[Sequence[Any]]:
        for encodings in chunks:
            for encoding in encodings:
                index = len(offsets) - 1
                pair = None if pairs is None else pairs[index]
                offsets.append(_byte_offsets(encoding, texts[index], pair))
            yield encodings

    encoded = collect(listen())
    return LocatedTexts(*encoded, np.concatenate(offsets))


def _byte_offsets(encoding: Any, text: str, pair: str | None) -> np.ndarray:
    """Counts in bytes what the Rust tokenizer counts in characters."""
    spans = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    if text.isascii() and (pair is None or pair.isascii()):
        return spans.astype(np.int32)
    found = _byte_places(text)[np.minimum(spans, len(text))]
    if pair is not None:
        in_pair = np.array([index == 1 for index in encoding.sequence_ids], bool)
        spans_in_pair = _byte_places(pair)[np.minimum(spans, len(pair))]
        found = np.where(in_pair[:, None], spans_in_pair, found)
    return found.astype(np.int32)


def _byte_places(text: str) -> np.ndarray:
    """Lists where each character of a text begins in UTF-8, and where the last one ends."""
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
    sizes = 1 + sum((codes >= least).astype(np.int64) for least in (0x80, 0x800, 0x10000))
    return np.concatenate([[0], np.cumsum(sizes)])
