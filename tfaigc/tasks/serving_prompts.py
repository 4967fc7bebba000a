"""Prompts and what is written behind them, inside a SavedModel's graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf


def prompts_in_graph(inputs: Mapping[str, Any], *, first: int, limit: int) -> tuple[Any, Any]:
    """Moves the padding of texts to their front.

    Args:
        inputs: ``token_ids`` and ``padding_mask``: int32, (batch, length), padded behind.
        first: The token that a text begins with which has none.
        limit: Most tokens of a prompt: of longer ones the last are kept.

    Returns:
        Token ids and their mask, int32, (batch, length).
    """
    # There is a column at least, for texts without a token.
    token_ids, mask = (
        tf.pad(inputs[name], [[0, 0], [0, 1]]) for name in ("token_ids", "padding_mask")
    )
    lengths = tf.reduce_sum(mask, axis=1)
    is_empty = tf.equal(lengths, 0)
    lengths = tf.maximum(lengths, 1)
    width = tf.reduce_max(lengths)
    token_ids = token_ids[:, :width]
    start = tf.logical_and(is_empty[:, None], tf.equal(tf.range(width), 0)[None])
    token_ids = tf.where(start, first, token_ids)
    token_ids = tf.reverse(tf.reverse_sequence(token_ids, lengths, seq_axis=1), [1])
    moved = tf.range(width)[None] >= width - lengths[:, None]
    return token_ids[:, -limit:], tf.cast(moved, tf.int32)[:, -limit:]


def texts_in_graph(tokens: Any, lengths: Any, pieces: Sequence[bytes]) -> Any:
    """Takes what was written to text.

    Args:
        tokens: int32, (rows, length).
        lengths: int32, (rows,): how many of them count.
        pieces: What each token stands for, by id.

    Returns:
        string, (rows,); bytes that are no UTF-8 become U+FFFD.
    """
    is_written = tf.range(tf.shape(tokens)[1])[None] < lengths[:, None]
    parts = tf.where(is_written, tf.gather(tf.constant(list(pieces)), tokens), "")
    joined = tf.strings.reduce_join(parts, axis=1)
    return tf.strings.unicode_transcode(joined, "UTF-8", "UTF-8", errors="replace")
