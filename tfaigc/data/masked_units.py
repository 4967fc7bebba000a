"""What masking hides as a whole: tokens, words, or spans of words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tfaigc.errors import ConfigError

Array = npt.NDArray[Any]

MASK_UNITS = ("tokens", "words", "spans")
"""What may be hidden as a whole."""
# Spans of more words are not drawn; the chance of each length is 0.8 that of the next shorter one.
_LONGEST = 10
_CHANCES = 0.8 ** np.arange(_LONGEST)
_UP_TO = np.cumsum(_CHANCES) / np.sum(_CHANCES)


def check_mask_unit(unit: str) -> None:
    """Refuses a unit that is none.

    Raises:
        ConfigError: It is not one of ``MASK_UNITS``.
    """
    if unit not in MASK_UNITS:
        raise ConfigError(
            f"mask_unit must be one of {', '.join(MASK_UNITS)}. Received: {unit!r}. "
            "Pass mask_unit='tokens'."
        )


def choose_units(free: Array, begins: Array, draws: Array, probability: float) -> Array:
    """Chooses each unit by a chance of its own, and one in any case.

    Args:
        free: bool, (batch, length): what may be chosen.
        begins: bool, (batch, length): where units begin.
        draws: From 0 to 1, (batch, length).
        probability: The chance of each.

    Returns:
        bool, (batch, length): the tokens of the chosen ones.

    Example:
        >>> begins, draws = np.array([[True, False, True]]), np.array([[0.1, 0.9, 0.5]])
        >>> choose_units(begins | True, begins, draws, 0.15)
        array([[ True,  True, False]])
    """
    first = np.maximum.accumulate(np.where(begins, np.arange(begins.shape[1]), 0), axis=1)
    drawn = np.where(free, np.take_along_axis(draws, first, axis=1), np.inf)
    return free & ((drawn < probability) | (drawn == drawn.min(initial=np.inf)))


def choose_spans(
    free: Array, begins: Array, texts: Array, draws: Array, probability: float
) -> tuple[Array, Array]:
    """Chooses spans of whole words (Joshi et al., arXiv:1907.10529, section 3.1).

    Spans begin at any word and have up to ten, short ones more often: 3.8 on average. They are
    taken one after the other until ``probability`` of a row's tokens is hidden. The last one ends
    early there, and whether it has the word that no longer fits whole is left to chance, so that
    the share is met on average, in short rows too. A batch has one word of them in any case.

    Args:
        free: bool, (batch, length): what may be chosen.
        begins: bool, (batch, length): where words begin, and what may not be chosen.
        texts: int, (batch, length): which columns spans may have in common.
        draws: From 0 to 1, (3, batch, length): the order of spans, their lengths, and in the first
            column, whether a last word is taken.
        probability: The share of tokens.

    Returns:
        The tokens of spans, bool, and the columns in which these begin, int64, (batch, length); a
        word that is in several belongs to the one that was taken first.
    """
    rows, counts = np.arange(len(free))[:, None], begins.sum(axis=1)
    columns = np.argsort(~begins, axis=1, kind="stable")[:, : max(counts.max(initial=0), 1)]
    word_of = np.cumsum(begins, axis=1) - 1
    sizes = np.zeros(columns.shape, np.int64)
    np.add.at(sizes, (rows, word_of), free)

    place, length = (each[rows, columns] for each in draws[:2])
    place = np.where(sizes > 0, place, np.inf)
    more = np.searchsorted(_UP_TO, length, side="right")
    taken, first = _first_spans(place, more, texts[rows, columns])
    order = np.argsort(taken, axis=1, kind="stable")
    before = np.cumsum(sizes[rows, order], axis=1) - sizes[rows, order]
    over = before + draws[2, :, :1] * sizes[rows, order]
    over -= probability * free.sum(axis=1, keepdims=True)
    over = np.where(sizes[rows, order] > 0, over, np.inf)
    hidden = np.zeros(columns.shape, np.bool_)
    hidden[rows, order] = (over < 0) | (over == over.min(initial=np.inf))
    return free & hidden[rows, word_of], columns[rows, first][rows, word_of]


def _first_spans(place: Array, more: Array, texts: Array) -> tuple[Array, Array]:
    """Finds the span that hides each word first, if one begins at each.

    Args:
        place: float64, (batch, words): the spans' order.
        more: int64, (batch, words): how many words they have behind their first.
        texts: int64, (batch, words): which words spans may have in common.

    Returns:
        Its place, float64, and the word that it begins at, int64, (batch, words).
    """
    taken = place.copy()
    words = np.arange(place.shape[1])
    first = np.tile(words, (len(place), 1))
    for back in range(1, min(_LONGEST, place.shape[1])):
        reaches = (more[:, :-back] >= back) & (texts[:, :-back] == texts[:, back:])
        earlier = reaches & (place[:, :-back] < taken[:, back:])
        taken[:, back:] = np.where(earlier, place[:, :-back], taken[:, back:])
        first[:, back:] = np.where(earlier, words[:-back], first[:, back:])
    return taken, first
