"""Token ids of many texts in flat arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
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
