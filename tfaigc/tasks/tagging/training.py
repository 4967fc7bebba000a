"""Words' tags as labels of tokens."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from tfaigc.data import (
    IGNORED,
    EncodedTexts,
    Table,
    byte_places,
    first_tokens,
    joined_spans,
    label_tokens,
    words_of_tokens,
)
from tfaigc.tokenizers import Tokenizer

_log = logging.getLogger("tfaigc")

_SHOWN = 3


def encode_labelled(
    tokenizer: Tokenizer,
    table: Table,
    labels: Sequence[np.ndarray],
    *,
    max_length: int,
    inside: np.ndarray | None,
) -> tuple[EncodedTexts, np.ndarray]:
    """Tokenizes sentences, and gives their words' labels to the tokens.

    The log says how many words are cut off, and which have no token.

    Args:
        tokenizer: The model's.
        table: The sentences: ``words``, and as ``text`` the same with single spaces between.
        labels: For each sentence int32, (words,).
        max_length: Most tokens of a sentence.
        inside: As in ``label_tokens``.

    Returns:
        The tokens, and int32, (tokens,): their labels, ``IGNORED`` for those that have none.
    """
    texts = [str(text) for text in table.column("text")]
    located = tokenizer.encode_arrays(texts, max_length=max_length, return_offsets=True)
    offsets = np.split(located.offsets, located.row_splits[1:-1])
    words = [
        words_of_tokens(of_tokens, byte_places(text)[joined_spans(listed)[:, 1]])
        for of_tokens, text, listed in zip(offsets, texts, table.column("words"), strict=True)
    ]
    _say_what_is_cut(table, words, max_length)
    of_tokens = label_tokens(words, labels, ignored=IGNORED, inside=inside)
    return EncodedTexts(*located[:3]), of_tokens


def _say_what_is_cut(table: Table, words: Sequence[np.ndarray], max_length: int) -> None:
    """Says which words training does not see."""
    missing = [
        np.flatnonzero(first_tokens(of_tokens, len(listed)) < 0)
        for of_tokens, listed in zip(words, table.column("words"), strict=True)
    ]
    is_full = [len(of_tokens) == max_length for of_tokens in words]
    lost = sum(len(places) for places, full in zip(missing, is_full, strict=True) if full)
    total = sum(map(len, table.column("words")))
    if lost:
        _log.info(
            "%s: %s of %s words (%.1f %%) lie outside of max_length=%d tokens; they are not "
            "learnt from.",
            *(table.name, f"{lost:,}", f"{total:,}", 100 * lost / total, max_length),
        )
    without = [
        f"{table.location(row)}, word {place + 1} ({table.rows[row]['words'][place]!r:.40})"
        for row, places in enumerate(missing)
        for place in places
        if not is_full[row]
    ]
    if without:
        more = f" and {len(without) - _SHOWN:,} more" if len(without) > _SHOWN else ""
        _log.warning(
            "%s: the tokenizer makes nothing of some words; they are not learnt from: %s%s.",
            *(table.name, "; ".join(without[:_SHOWN]), more),
        )
