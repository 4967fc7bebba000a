"""Long texts as several examples, so that nothing of them is lost."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tfaigc.data.cache import EncodedTexts

Places: TypeAlias = npt.NDArray[np.int64]


def cut_windows(
    encoded: EncodedTexts,
    *,
    max_length: int,
    affixes: tuple[int | Places, int | Places],
    overlap: int = 0,
) -> tuple[EncodedTexts, Places]:
    """Cuts texts with more than ``max_length`` tokens into several examples.

    What stands around a text, special tokens or a question, stands around each of its examples.

    Args:
        encoded: The texts.
        max_length: Most tokens of an example, those around it included.
        affixes: How many tokens stand before a text, and how many behind it: for all texts, or
            int64, (texts,), for each.
        overlap: How many tokens of a text an example has in common with the next one; fewer than
            there is room for.

    Returns:
        The examples, in the order of the texts, and for each the place of its text, int64,
        (examples,).

    Example:
        >>> ids = np.array([1, 5, 6, 7, 2, 1, 8, 2], np.int32)
        >>> texts = EncodedTexts(ids, np.zeros_like(ids), np.array([0, 5, 8]))
        >>> cut, places = cut_windows(texts, max_length=4, affixes=(1, 1))
        >>> cut.token_ids.tolist(), cut.row_splits.tolist(), places.tolist()
        ([1, 5, 6, 2, 1, 7, 2, 1, 8, 2], [0, 4, 7, 10], [0, 0, 1])
    """
    sources, row_splits, places = window_sources(
        encoded.row_splits, max_length=max_length, affixes=affixes, overlap=overlap
    )
    if len(places) == len(encoded.row_splits) - 1:
        return encoded, places
    cut = EncodedTexts(encoded.token_ids[sources], encoded.segment_ids[sources], row_splits)
    return cut, places


def window_sources(
    row_splits: Places,
    *,
    max_length: int,
    affixes: tuple[int | Places, int | Places],
    overlap: int = 0,
) -> tuple[Places, Places, Places]:
    """Finds the tokens that the examples of ``cut_windows`` are made of.

    Args:
        row_splits: int64, (texts + 1,): text i owns tokens row_splits[i] to row_splits[i + 1].
        max_length: As in ``cut_windows``.
        affixes: The same.
        overlap: The same.

    Returns:
        The places of the examples' tokens among those of the texts, int64, (tokens,); where each
        example begins among these, int64, (examples + 1,); and the place of its text, int64,
        (examples,).
    """
    splits = np.asarray(row_splits)
    before, behind = (np.broadcast_to(affix, len(splits) - 1) for affix in affixes)
    inner = np.diff(splits) - before - behind
    step = _step(max_length, before + behind, overlap)
    pieces = _count_pieces(inner, step, overlap)
    places = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(len(places)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    skipped = number * step[places]
    room = max_length - before - behind
    counts = np.minimum(room[places], inner[places] - skipped)
    lengths = counts + before[places] + behind[places]
    cuts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    example = np.repeat(np.arange(len(places)), lengths)
    column = np.arange(cuts[-1]) - cuts[:-1][example]
    text = places[example]
    # Of each example's columns the first are its text's first, and the last its last.
    sources = splits[:-1][text] + column + skipped[example]
    sources = np.where(column < before[text], splits[:-1][text] + column, sources)
    left = lengths[example] - column
    sources = np.where(left <= behind[text], splits[1:][text] - left, sources)
    return sources, cuts, places


def central_tokens(
    encoded: EncodedTexts,
    cut: EncodedTexts,
    *,
    max_length: int,
    affixes: tuple[int | Places, int | Places],
    overlap: int,
) -> Places:
    """Finds for each token of texts the example that has most of what stands on either side.

    Args:
        encoded: The texts.
        cut: What ``cut_windows`` made of them.
        max_length: As it was given to ``cut_windows``.
        affixes: The same.
        overlap: The same.

    Returns:
        int64, (tokens,): the token's place among those of the examples.

    Example:
        >>> ids = np.array([1, 5, 6, 7, 8, 2], np.int32)
        >>> texts = EncodedTexts(ids, np.zeros_like(ids), np.array([0, 6]))
        >>> how = {"max_length": 5, "affixes": (1, 1), "overlap": 2}
        >>> cut, _ = cut_windows(texts, **how)
        >>> cut.token_ids.tolist(), central_tokens(texts, cut, **how).tolist()
        ([1, 5, 6, 7, 2, 1, 6, 7, 8, 2], [0, 1, 2, 7, 8, 9])
    """
    splits = np.asarray(encoded.row_splits)
    before, behind = (np.broadcast_to(affix, len(splits) - 1) for affix in affixes)
    inner = np.diff(splits) - before - behind
    step = _step(max_length, before + behind, overlap)
    pieces = _count_pieces(inner, step, overlap)
    text = np.repeat(np.arange(len(inner)), np.diff(splits))
    column = np.arange(splits[-1]) - splits[:-1][text] - before[text]
    number = np.clip((column - overlap // 2) // step[text], 0, pieces[text] - 1)
    example = (np.cumsum(pieces) - pieces)[text] + number
    return cut.row_splits[example] + before[text] + column - number * step[text]


def _step(max_length: int, around: Places, overlap: int) -> Places:
    """Says how far examples of a text are apart; one that fits whole may leave no room for more."""
    return np.maximum(max_length - around - overlap, 1)


def _count_pieces(inner: Places, step: Places, overlap: int) -> Places:
    return np.maximum(-(-(inner - overlap) // step), 1)
