"""The pieces of a text that a model tags: its words, or the tokens of scripts without spaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfaigc.data import byte_places, first_tokens, joined_spans, words_of_tokens
from tfaigc.tagging import split_words
from tfaigc.tagging.words import Kind, kind_of


def units_of_words(
    words: Sequence[str], text: str, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the tokens that given words begin with.

    Args:
        words: The words.
        text: The same with single spaces between.
        offsets: int32, (tokens, 2): the bytes that each token stands for.

    Returns:
        int64, (words,): the first token of each, -1 for words without a token of their own; and
        int64, (words, 2): the words' characters.
    """
    spans = joined_spans(words)
    of_tokens = words_of_tokens(offsets, byte_places(text)[spans[:, 1]])
    return first_tokens(of_tokens, len(words)), spans


def units_of_text(text: str, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds what is tagged in a text that nobody has cut into words.

    That are the words of ``split_words``, and within those of scripts without spaces every token.

    Args:
        text: The text.
        offsets: int32, (tokens, 2): the bytes that each token stands for.

    Returns:
        int64, (units,): the first token of each; and int64, (units, 2): the units' characters.
    """
    places = byte_places(text)
    words = np.array(split_words(text), np.int64).reshape(-1, 2)
    of_tokens = words_of_tokens(offsets, places[words[:, 1]])
    starts = np.searchsorted(places, offsets[:, 0], side="right") - 1
    unspaced = [each < len(text) and kind_of(text[each]) is Kind.UNSPACED for each in starts]
    first = of_tokens != np.concatenate([[-1], of_tokens[:-1]])
    heads = np.flatnonzero((of_tokens >= 0) & (first | np.array(unspaced, bool)))
    spans = words[of_tokens[heads]]
    spans[:, 0] = np.where(first[heads], spans[:, 0], starts[heads])
    # Within a word a unit ends where the next one begins.
    same = np.flatnonzero(of_tokens[heads[:-1]] == of_tokens[heads[1:]])
    spans[same, 1] = starts[heads[same + 1]]
    return heads, spans
