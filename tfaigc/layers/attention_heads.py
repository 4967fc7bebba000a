"""What every kind of attention does with its heads."""

from __future__ import annotations

from typing import Any

from keras import ops


def split_heads(grid: Any, num_heads: int) -> Any:
    """Gives each head its share of the width.

    Args:
        grid: float, (batch, length, heads * head size).
        num_heads: Number of heads.

    Returns:
        float, (batch, heads, length, head size).
    """
    batch, length, width = ops.shape(grid)
    split = ops.reshape(grid, (batch, length, num_heads, width // num_heads))
    return ops.transpose(split, (0, 2, 1, 3))


def merge_heads(heads: Any) -> Any:
    """Puts the heads side by side again: undoes ``split_heads``."""
    batch, num_heads, length, head_size = ops.shape(heads)
    return ops.reshape(ops.transpose(heads, (0, 2, 1, 3)), (batch, length, num_heads * head_size))


def score_rows(heads: Any, rows: Any) -> Any:
    """Multiplies each head's queries, or keys, with rows that all texts of a batch share.

    Args:
        heads: float, (batch, heads, length, head size).
        rows: float, (1, heads, rows, head size).

    Returns:
        float, (batch, heads, length, rows).
    """
    turned = ops.swapaxes(rows, 2, 3)
    if heads.shape[1] == 1:
        # On CPUs TensorFlow 2.21 reads beyond a matrix that a whole batch shares: one alone is
        # repeated, several are not taken for one.
        turned = ops.broadcast_to(turned, (ops.shape(heads)[0], *ops.shape(turned)[1:]))
    return ops.matmul(heads, turned)


def attend(
    query: Any, key: Any, value: Any, *, bias: Any, dropout: Any, training: bool = False
) -> Any:
    """Mixes values by how well their keys match the queries (arXiv:1706.03762, section 3.2.1).

    Args:
        query: float, (batch, heads, length, head size), scaled.
        key: float, (batch, key heads, key length, head size). The number of key heads divides
            that of the heads: so many heads in a row share one (arXiv:2305.13245).
        value: float, as ``key``.
        bias: float, broadcastable to (batch, heads, length, key length), added to the scores.
        dropout: The layer that drops weights.
        training: Whether it is active.

    Returns:
        float, (batch, heads, length, head size).
    """
    batch, num_heads, length, head_size = ops.shape(query)
    _, num_key_heads, key_length, _ = ops.shape(key)
    is_shared = num_key_heads != num_heads
    if is_shared:
        # Queries that share keys stand below each other, so that nothing need be repeated.
        query = ops.reshape(query, (batch, num_key_heads, -1, head_size))
    scores = ops.matmul(query, ops.swapaxes(key, 2, 3))
    if is_shared:
        scores = ops.reshape(scores, (batch, num_heads, length, key_length))
    weights = dropout(ops.softmax(scores + bias, axis=-1), training=training)
    if is_shared:
        weights = ops.reshape(weights, (batch, num_key_heads, -1, key_length))
    mixed = ops.matmul(weights, value)
    return ops.reshape(mixed, (batch, num_heads, length, head_size)) if is_shared else mixed
