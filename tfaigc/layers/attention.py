"""Scaled dot-product self-attention with several heads."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout
from tfaigc.layers.rotary import rotate


class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention (Vaswani et al., arXiv:1706.03762, section 3.2).

    Projections work on rows, so that padding may be left out of them; only the scores see the
    grid of (batch, heads, length, length).

    Args:
        hidden_size: Width of the rows.
        num_heads: Number of heads; divides ``hidden_size``.
        dropout: Share of attention weights that training drops.
        factory: Makes the elementary layers.
        use_bias: Whether the projections have biases.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_heads: int,
        dropout: float,
        factory: LayerFactory,
        use_bias: bool = True,
        name: str = "attention",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.head_size = hidden_size // num_heads
        self.query = factory.dense(hidden_size, name="query", use_bias=use_bias)
        self.key = factory.dense(hidden_size, name="key", use_bias=use_bias)
        self.value = factory.dense(hidden_size, name="value", use_bias=use_bias)
        self.output_projection = factory.dense(hidden_size, name="output", use_bias=use_bias)
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the four projections for rows of ``hidden_size``."""
        for projection in (self.query, self.key, self.value, self.output_projection):
            projection.build((None, self.hidden_size))

    def call(
        self,
        rows: Any,
        *,
        layout: Layout,
        bias: Any,
        angles: Any = None,
        training: bool = False,
    ) -> Any:
        """Mixes each token with the tokens that it may attend to.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length), added to the scores.
            angles: What ``rotary_angles`` returned, or None: queries and keys are not turned.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        query = self._split_heads(layout.to_grid(self.query(rows) * self.head_size**-0.5))
        key = self._split_heads(layout.to_grid(self.key(rows)))
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
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
