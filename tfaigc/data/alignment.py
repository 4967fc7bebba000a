"""Which tokens belong to which words of a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Places: TypeAlias = npt.NDArray[np.int64]
Spans: TypeAlias = npt.NDArray[np.int64]


def joined_spans(words: Sequence[str]) -> Spans:
    """Finds words in the text that they make with single spaces between.

    Args:
        words: The words.

    Returns:
        int64, (words, 2): each one's first character, and the one behind its last.

    Example:
        >>> joined_spans(["New", "York"]).tolist()
        [[0, 3], [4, 8]]
    """
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    ends = np.cumsum(lengths + 1) - 1
    return np.stack([ends - lengths, ends], axis=1)


def byte_places(text: str) -> Places:
    """Lists where each character begins in UTF-8, and where the text ends.

    Args:
        text: The text.

    Returns:
        int64, (characters + 1,).

    Example:
        >>> byte_places("aé.").tolist()
        [0, 1, 3, 4]
    """
    if text.isascii():
        return np.arange(len(text) + 1)
    return np.fromiter(accumulate((len(each.encode()) for each in text), initial=0), np.int64)


def words_of_tokens(offsets: npt.NDArray[np.int32], ends: Places) -> Places:
    """Finds the word that each token of a text belongs to.

    A token belongs to the word that its last byte is of, because tokens may begin with the space
    before a word; one that is nothing but space, to the word behind it.

    Args:
        offsets: int32, (tokens, 2): the bytes that each token stands for, as
            ``Tokenizer.encode_arrays`` gives them.
        ends: int64, (words,): the byte behind each word's last, in order.

    Returns:
        int64, (tokens,): the word's place; -1 for special tokens and what is behind all words.

    Example:
        >>> offsets = np.array([[0, 0], [0, 3], [3, 8], [8, 9], [0, 0]])
        >>> words_of_tokens(offsets, np.array([3, 8])).tolist()
        [-1, 0, 1, -1, -1]
    """
    places = np.maximum(offsets[:, 0], offsets[:, 1] - 1)
    words = np.searchsorted(ends, places, side="right")
    return np.where((offsets[:, 1] > 0) & (words < len(ends)), words, -1)


def first_tokens(words: Places, count: int) -> Places:
    """Finds the token that each word begins with.

    Args:
        words: int64, (tokens,): the word of each token, -1 for none.
        count: Number of words.

    Returns:
        int64, (words,): the token's place; -1 for words without a token of their own.

    Example:
        >>> first_tokens(np.array([-1, 0, 0, 2]), 3).tolist()
        [1, -1, 3]
    """
    found = np.full(count + 1, -1)
    # Of several values for one place the last stays.
    found[words[::-1]] = np.arange(len(words))[::-1]
    return found[:count]


def label_tokens(
    words: Iterable[Places],
    labels: Sequence[npt.NDArray[np.int32]],
    *,
    ignored: int,
    inside: npt.NDArray[np.int32] | None = None,
) -> npt.NDArray[np.int32]:
    """Gives words' labels to their tokens.

    Args:
        words: For each text int64, (tokens,): the word of each token, -1 for none.
        labels: For each text int32, (words,): the words' labels.
        ignored: What tokens without a label get.
        inside: int32, (labels,): the label that a word's further tokens get, by the word's own;
            None: they have none.

    Returns:
        int32, (tokens,): the labels of all texts' tokens.

    Example:
        >>> label_tokens([np.array([-1, 0, 0, 1])], [np.array([3, 5])], ignored=-100).tolist()
        [-100, 3, -100, 5]
    """
    found = []
    for of_tokens, of_words in zip(words, labels, strict=True):
        firsts = first_tokens(of_tokens, len(of_words))
        row = np.full(len(of_tokens), ignored, np.int32)
        if inside is not None:
            row[of_tokens >= 0] = inside[of_words[of_tokens[of_tokens >= 0]]]
        row[firsts[firsts >= 0]] = of_words[firsts >= 0]
        found.append(row)
    return np.concatenate(found)
