"""Words split into their longest pieces.

A SavedModel has to track table resources; a constant needs nothing of the kind. TensorFlow Text's
FastWordpieceTokenizer (Song et al., 2021, https://arxiv.org/abs/2012.15524) keeps its vocabulary in
a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers.models import Pieces

# What TensorFlow Text allows.
_LONGEST_PIECE = 256
# A mark of its own in TensorFlow Text's trie: as a piece it crashes the process that meets it.
_RESERVED = "\x11"

# No byte of valid UTF-8, so texts, which are made valid first, cannot contain it.
SUFFIX = b"\xff"


def match_pieces(
    pieces: Mapping[bytes, int], *, unknown: bytes, longest: int
) -> Callable[[Any, Any], Pieces]:
    """Makes a function that splits words into the longest pieces, from left to right.

    Args:
        pieces: Non-empty pieces in UTF-8, with their ids; those that continue a word begin with
            `SUFFIX`.
        unknown: The piece that stands for words that the pieces cannot make up.
        longest: Words of more bytes are unknown.

    Returns:
        A function from words, string (n,), valid UTF-8, and their numbers of characters, int32
        (n,), to their pieces. What is unknown stands for as many characters as are said.

    Raises:
        TokenizerError: A piece is too long, or contains the character NUL.
    """
    for piece in pieces:
        if b"\0" in piece or len(piece.removeprefix(SUFFIX)) > _LONGEST_PIECE:
            raise TokenizerError(
                f"A token must have at most {_LONGEST_PIECE} bytes, none of them NUL, to run in "
                f"the graph. Received: {piece.removeprefix(SUFFIX).decode()!r}. "
                "Use encode, or remove it from tokenizer.json."
            )
    changes = _stand_ins(pieces)
    listed = [_change(piece, changes[-1:]) for piece in pieces]
    built = tf_text.FastWordpieceTokenizer(
        listed,
        suffix_indicator=SUFFIX,
        unknown_token=_change(unknown, changes[-1:]),
        no_pretokenization=True,
        max_bytes_per_word=longest,
        token_out_type=tf.int32,
    )
    model = np.asarray(built._model)
    ids = np.fromiter(pieces.values(), np.int32, len(pieces))

    sizes = np.array([len(piece.removeprefix(SUFFIX).decode()) for piece in pieces], np.int32)

    def apply(words: Any, lengths: Any) -> Pieces:
        for character, stand_in in changes:
            words = tf.strings.regex_replace(words, character, stand_in)
        # A constant inside the graph, so that nothing has to be captured or tracked.
        tokenizer = tf_text.FastWordpieceTokenizer(
            model_buffer=tf.constant(model), token_out_type=tf.int32
        )
        matched = tokenizer.tokenize(words)
        numbers, splits = matched.flat_values, matched.row_splits
        behind = tf.cumsum(tf.gather(tf.constant(sizes), numbers))
        before = tf.concat([[0], behind], axis=0)
        found = Pieces(tf.gather(tf.constant(ids), numbers), splits, before[:-1], behind - 1)
        rows = found.rows()
        begun = tf.gather(tf.gather(before, splits[:-1]), rows)
        # A word of one piece is unknown, or as long as the piece.
        alone = tf.gather(tf.equal(matched.row_lengths(), 1), rows)
        lasts = tf.where(alone, tf.gather(lengths, rows) - 1, found.lasts - begun)
        return found._replace(firsts=found.firsts - begun, lasts=lasts)

    return apply


def _stand_ins(pieces: Mapping[bytes, int]) -> list[tuple[str, str]]:
    """Lists which characters give way to which ones, so that `_RESERVED` is never met.

    Where no piece has it, any character that no piece has will do in its place. Otherwise one such
    character takes its place in pieces and words, and gives way to another one first.
    """
    used = set(b"".join(piece.removeprefix(SUFFIX) for piece in pieces).decode())
    unused = (chr(code) for code in range(1, 0xD800) if chr(code) not in {*used, _RESERVED})
    changes = [(_RESERVED, next(unused))]
    if _RESERVED in used:
        first, second = changes[0][1], next(unused)
        changes.insert(0, (f"\\x{{{ord(first):x}}}", second))
    return changes


def _change(piece: bytes, changes: list[tuple[str, str]]) -> bytes:
    for character, stand_in in changes:
        piece = piece.replace(character.encode(), stand_in.encode())
    return piece
