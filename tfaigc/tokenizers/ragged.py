"""Operations on ragged tensors whose cost grows with the tokens, not with the longest row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def owners(splits: Any) -> Any:
    """Tells which row each value is of.

    Args:
        splits: int32 or int64, (n + 1,): where each row begins, and where the last one ends.

    Returns:
        As ``splits``, (values,).
    """
    ends = tf.scatter_nd(splits[1:, None], tf.ones_like(splits[1:]), splits[-1][None] + 1)
    return tf.cumsum(ends[:-1])


def repeat(values: Any, counts: Any) -> Any:
    """Repeats each of some values, as `tf.repeat` does, which pads all to the largest count.

    Args:
        values: (n, ...).
        counts: int32 or int64, (n,): how often.

    Returns:
        (sum of the counts, ...).
    """
    return tf.gather(values, owners(tf.pad(tf.cumsum(counts), [[1, 0]])))


def join_strings(pieces: Any) -> Any:
    """Joins the strings of each row.

    Args:
        pieces: string RaggedTensor, (n, None).

    Returns:
        string, (n,).
    """
    rows = owners(pieces.row_splits)
    joined = tf.strings.unsorted_segment_join(pieces.values, rows, pieces.nrows())
    return tf.ensure_shape(joined, [None])


def truncate(tokens: Any, limits: Any, *, side: str = "right") -> Any:
    """Keeps the first tokens of each row, or the last.

    Args:
        tokens: int32 RaggedTensor, (n, None).
        limits: int64, (n,) or ().
        side: Where tokens are cut off, "right" or "left".

    Returns:
        int32 RaggedTensor, (n, None).
    """
    lengths = tokens.row_lengths()
    limits = tf.minimum(lengths, limits)
    starts = tokens.row_starts()
    if side == "left":
        starts += lengths - limits
    kept = tf.ragged.range(starts, starts + limits)
    return kept.with_flat_values(tf.gather(tokens.flat_values, kept.flat_values))


def join(parts: Sequence[Any]) -> Any:
    """Joins tensors along the rows, as `tf.concat(parts, axis=1)` does.

    Args:
        parts: int32 RaggedTensors, (n, None).

    Returns:
        int32 RaggedTensor, (n, None).
    """
    lengths = [part.row_lengths() for part in parts]
    joined = tf.cumsum(tf.add_n(lengths))
    splits = tf.concat([[0], joined], axis=0)
    starts = splits[:-1]
    places = []
    for length in lengths:
        places.append(tf.cast(tf.ragged.range(starts, starts + length).flat_values, tf.int32))
        starts = starts + length
    values = tf.dynamic_stitch(places, [part.flat_values for part in parts])
    return tf.RaggedTensor.from_row_splits(values, splits, validate=False)


def fill(values: Any, rows: Any) -> Any:
    """Repeats the same row.

    Args:
        values: The row, (m,) or (m, k).
        rows: int64, (): how often.

    Returns:
        int32 RaggedTensor, (rows, m) or (rows, m, k).
    """
    row = tf.constant(values, tf.int32)
    tiled = tf.tile(row, tf.stack([rows, *[1] * (row.shape.rank - 1)]))
    splits = tf.range(rows + 1) * len(values)
    return tf.RaggedTensor.from_row_splits(tiled, splits, validate=False)
