"""Scaled dot-product self-attention with several heads."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout


class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention (Vaswani et al., arXiv:1706.03762, section 3.2).

    Projections work on rows, so that padding may be left out of them; only the scores see the
    grid of (batch, heads, length, length).

    Args:
        hidden_size: Width of the rows.
        num_heads: Number of heads; divides ``hidden_size``.
        dropout: Share of attention weights that training drops.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_heads: int,
        dropout: float,
        factory: LayerFactory,
        name: str = "attention",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.head_size = hidden_size // num_heads
        self.query = factory.dense(hidden_size, name="query")
        self.key = factory.dense(hidden_size, name="key")
        self.value = factory.dense(hidden_size, name="value")
        self.output_projection = factory.dense(hidden_size, name="output")
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the four projections for rows of ``hidden_size``."""
        for projection in (self.query, self.key, self.value, self.output_projection):
            projection.build((None, self.hidden_size))

    def call(self, rows: Any, *, layout: Layout, bias: Any, training: bool = False) -> Any:
        """Mixes each token with the tokens that it may attend to.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length), added to the scores.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        query = self._split_heads(layout.to_grid(self.query(rows) * self.head_size**-0.5))
        key = self._split_heads(layout.to_grid(self.key(rows)))
        value = self._split_heads(layout.to_grid(self.value(rows)))
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) + bias
        weights = self.dropout(ops.softmax(scores, axis=-1), training=training)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        batch, length = ops.shape(mixed)[:2]
        mixed = ops.reshape(mixed, (batch, length, self.hidden_size))
        return self.output_projection(layout.to_rows(mixed))

    def _split_heads(self, grid: Any) -> Any:
        """Takes (batch, length, hidden) to (batch, heads, length, head size)."""
        batch, length = ops.shape(grid)[:2]
        split = ops.reshape(grid, (batch, length, self.num_heads, self.head_size))
        return ops.transpose(split, (0, 2, 1, 3))
