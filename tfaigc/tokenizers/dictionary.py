"""Exact look-up of strings without a table resource.

A SavedModel has to track table resources; a constant needs nothing of the kind. TensorFlow Text's
FastWordpieceTokenizer (Song et al., 2021, https://arxiv.org/abs/2012.15524) keeps its vocabulary in
a constant, so it serves as dictionary too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from tfaigc.errors import TokenizerError

# What TensorFlow Text allows.
_LONGEST_PIECE = 256

# No byte of valid UTF-8, so texts, which are made valid first, cannot contain it.
SUFFIX = b"\xff"
_UNKNOWN = b"\xff\xff"


def lookup(entries: Sequence[str]) -> Callable[[Any], Any]:
    """Makes a function that finds strings in a list.

    Args:
        entries: Distinct strings, none of them empty.

    Returns:
        A function from string (n,), valid UTF-8, to int32 (n,): each string's index, or -1.

    Raises:
        TokenizerError: An entry is too long, or contains the character NUL.
    """
    find = match_pieces([entry.encode() for entry in entries], unknown=_UNKNOWN)

    def apply(texts: Any) -> Any:
        # The empty string has no match at all; its row falls back to the appended -1.
        found = find(texts)
        values = tf.concat([found.flat_values, [-1]], axis=0)
        places = tf.where(
            found.row_lengths() > 0, found.row_starts(), tf.size(found.flat_values, tf.int64)
        )
        return tf.gather(values, places)

    return apply


def match_pieces(
    pieces: Iterable[bytes], *, unknown: bytes, longest: int | None = None
) -> Callable[[Any], Any]:
    """Makes a function that splits words into the longest pieces, from left to right.

    Args:
        pieces: Distinct, non-empty pieces in UTF-8; those that continue a word begin with `SUFFIX`.
        unknown: The piece that stands for words that the pieces cannot make up.
        longest: Words of more bytes are unknown.

    Returns:
        A function from string (n,) to an int32 RaggedTensor (n, None) of indices into `pieces`,
        or -1 where `unknown` is not one of them.

    Raises:
        TokenizerError: A piece is too long, or contains the character NUL.
    """
    listed = list(pieces)
    for piece in listed:
        if b"\0" in piece or len(piece.removeprefix(SUFFIX)) > _LONGEST_PIECE:
            raise TokenizerError(
                f"A token must have at most {_LONGEST_PIECE} bytes, none of them NUL, to run in "
                f"the graph. Received: {piece.removeprefix(SUFFIX).decode()!r}. "
                "Use encode, or remove it from tokenizer.json."
            )
    absent = unknown not in listed
    if absent:
        listed.insert(0, unknown)
    built = tf_text.FastWordpieceTokenizer(
        listed,
        suffix_indicator=SUFFIX,
        unknown_token=unknown,
        no_pretokenization=True,
        max_bytes_per_word=longest or max(map(len, listed)),
        token_out_type=tf.int32,
    )
    model = np.asarray(built._model)
    offset = int(absent)

    def apply(words: Any) -> Any:
        # A constant inside the graph, so that nothing has to be captured or tracked.
        tokenizer = tf_text.FastWordpieceTokenizer(
            model_buffer=tf.constant(model), token_out_type=tf.int32
        )
        return tokenizer.tokenize(words) - offset

    return apply
