"""Prompts inside a SavedModel's graph."""

from __future__ import annotations

from collections.abc import Mapping
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
