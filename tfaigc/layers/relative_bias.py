"""A learned bias on attention scores by the distance between two tokens."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory


class RelativeBias(keras.layers.Layer):
    """One number for each head and bucket of distances (Raffel et al., arXiv:1910.10683, 2.1).

    Args:
        num_heads: Number of attention heads.
        num_buckets: Number of buckets, half of them for tokens that come later.
        max_distance: From this distance on, all distances share a bucket.
        factory: Makes the elementary layers.
        num_rows: Rows of the table, where it has more than there are buckets.
        both_ways: Whether tokens see later ones; if not, all buckets are for those before.
    """

    def __init__(
        self,
        *,
        num_heads: int,
        num_buckets: int,
        max_distance: int,
        factory: LayerFactory,
        num_rows: int | None = None,
        both_ways: bool = True,
        name: str = "relative_bias",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        self.both_ways = both_ways
        self.table = factory.embedding(num_rows or num_buckets, num_heads, name="table")

    def build(self, input_shape: Any) -> None:
        """Builds the table."""
        self.table.build(None)

    def call(self, token_ids: Any, *, queries: Any = None) -> Any:
        """Looks the biases up.

        Args:
            token_ids: int, (batch, length).
            queries: int, (queries,): the columns of the tokens that attend; None: all of them.

        Returns:
            float, (1, heads, queries, length): the bias of query i on key j at [i, j].
        """
        columns = ops.arange(ops.shape(token_ids)[1], dtype="int32")
        distance = columns[None, :] - (columns if queries is None else queries)[:, None]
        by_distance = ops.convert_to_tensor(
            relative_buckets(self.num_buckets, self.max_distance, both_ways=self.both_ways),
            dtype="int32",
        )
        farthest = self.max_distance
        bucket = ops.take(by_distance, ops.clip(distance, -farthest, farthest) + farthest, axis=0)
        return ops.transpose(self.table(bucket), (2, 0, 1))[None]


def relative_buckets(num_buckets: int, max_distance: int, *, both_ways: bool = True) -> np.ndarray:
    """Sorts distances into buckets: near ones alone, far ones together, by their logarithm.

    Args:
        num_buckets: Number of buckets, half of them for keys that come after the query.
        max_distance: From this distance on, all distances share a bucket.
        both_ways: Whether there are buckets for keys that come after the query; if not, such keys
            count as if they stood where the query does.

    Returns:
        int32, (2 * max_distance + 1,): the bucket of each distance from ``-max_distance`` on.

    Example:
        >>> relative_buckets(8, 4).tolist()
        [3, 3, 2, 1, 0, 5, 6, 7, 7]
        >>> relative_buckets(4, 4, both_ways=False).tolist()
        [3, 3, 2, 1, 0, 0, 0, 0, 0]
    """
    half = num_buckets // 2 if both_ways else num_buckets
    exact = half // 2
    distance = np.arange(-max_distance, max_distance + 1)
    size = np.abs(distance) if both_ways else np.maximum(-distance, 0)
    # In float32, as the checkpoints were trained: elsewhere a logarithm may round to another side.
    ratio = np.maximum(size, 1).astype("float32") / np.float32(exact)
    logarithm = np.log(ratio.astype("float64")).astype("float32")
    scale = np.float32(math.log(max_distance / exact))
    far = exact + (logarithm / scale * np.float32(half - exact)).astype("int32")
    bucket = np.where(size < exact, size, np.minimum(far, half - 1))
    later = half if both_ways else 0
    return (bucket + np.where(distance > 0, later, 0)).astype("int32")
