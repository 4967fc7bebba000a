"""Vectors that stand for the distance between two tokens."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory


class RelativeEmbeddings(keras.layers.Layer):
    """A table with a row for each bucket of distances (He et al., arXiv:2006.03654, section 3.1).

    Args:
        hidden_size: Width of the rows.
        num_buckets: Near distances have a bucket each, far ones share some, ``num_buckets`` in
            each direction; 0: each distance has its own.
        max_distance: From this distance on, all distances share a bucket.
        max_length: Longest input, in tokens.
        norm_epsilon: Epsilon of a layer norm over the rows; None: no norm.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_buckets: int,
        max_distance: int,
        max_length: int,
        norm_epsilon: float | None,
        factory: LayerFactory,
        name: str = "relative_embeddings",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        span = num_buckets or max_distance
        self.table = factory.embedding(2 * span, hidden_size, name="table")
        self.norm = None if norm_epsilon is None else factory.layer_norm(norm_epsilon, name="norm")
        distances = np.arange(1 - max_length, max_length)
        if num_buckets:
            distances = log_buckets(distances, num_buckets, max_distance)
        self.max_length = max_length
        # The table's row for each distance from 1 - max_length on.
        self.row_of_distance = np.clip(distances + span, 0, 2 * span - 1).astype("int32")

    def build(self, input_shape: Any) -> None:
        """Builds the table and the norm."""
        self.table.build(None)
        if self.norm is not None:
            self.norm.build((None, self.hidden_size))

    def call(self, token_ids: Any) -> Any:
        """Looks up the rows of all distances in a batch.

        Args:
            token_ids: int, (batch, length).

        Returns:
            float, (2 * length - 1, hidden): the rows of the distances ``length - 1`` (a query far
            after its key) down to ``1 - length``.
        """
        length = ops.shape(token_ids)[1]
        rows = ops.convert_to_tensor(self.row_of_distance[::-1].copy(), dtype="int32")
        indices = ops.arange(2 * length - 1, dtype="int32") + (self.max_length - length)
        # Normalized before the lookup: a distance's row is the same wherever it comes up.
        table = ops.cast(self.table.embeddings, self.compute_dtype)
        table = table if self.norm is None else self.norm(table)
        return ops.take(table, ops.take(rows, indices, axis=0), axis=0)


def log_buckets(distances: np.ndarray, num_buckets: int, max_distance: int) -> np.ndarray:
    """Sorts distances into buckets: near ones alone, far ones together, by their logarithm.

    Args:
        distances: int, any shape.
        num_buckets: Buckets in each direction.
        max_distance: The distance whose bucket is the last but one.

    Returns:
        int, the same shape; a negative distance's bucket is the negative of its opposite's.

    Example:
        >>> log_buckets(np.array([-9, 0, 2, 5, 15]), 8, 16).tolist()
        [-6, 0, 2, 5, 7]
    """
    middle = num_buckets // 2
    size = np.abs(distances)
    # In float32, as the checkpoints were trained: elsewhere a logarithm may round to another side.
    ratio = np.log(np.maximum(size, middle).astype("float32") / np.float32(middle))
    scale = np.log(np.float32((max_distance - 1) / middle))
    far = np.ceil(ratio / scale * np.float32(middle - 1)) + np.float32(middle)
    return np.where(size <= middle, distances, far.astype("int64") * np.sign(distances))


def scores_by_place(scores: Any) -> Any:
    """Takes scores by distance to scores by place.

    Args:
        scores: float, (batch, heads, length, 2 * length - 1): in row i, column e is for the token
            at ``e + i + 1 - length``.

    Returns:
        float, (batch, heads, length, length): in row i, column j is for the token at j.

    Example:
        >>> by_distance = ops.array([[[[9.0, 1.0, 2.0], [3.0, 4.0, 9.0]]]])
        >>> scores_by_place(by_distance).numpy().tolist()
        [[[[1.0, 2.0], [3.0, 4.0]]]]
    """
    batch, heads, length = ops.shape(scores)[:3]
    # One more cell a row moves each row by one against the row above, when rows are cut anew.
    scores = ops.pad(scores, ((0, 0), (0, 0), (0, 0), (0, 1)))
    flat = ops.reshape(scores, (batch, heads, 2 * length * length))
    flat = flat[:, :, length - 1 : 2 * length * length - 1]
    return ops.reshape(flat, (batch, heads, length, 2 * length - 1))[:, :, :, :length]
