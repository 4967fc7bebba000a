"""Attention from one sequence to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout


@dataclass(frozen=True)
class Memory:
    """What a decoder looks at: an encoder's activations.

    Args:
        rows: float, (rows, hidden).
        layout: Where each row lies in the grid.
        bias: float, broadcastable to (batch, heads, decoder's length, encoder's length), added to
            the scores.
    """

    rows: Any
    layout: Layout
    bias: Any


class CrossAttention(keras.layers.Layer):
    """Multi-head attention to an encoder's activations (arXiv:1706.03762, section 3.2.3).

    Args:
        hidden_size: Width of the rows.
        num_heads: Number of heads; divides ``hidden_size`` where no head size is given.
        dropout: Share of attention weights that training drops.
        factory: Makes the elementary layers.
        use_bias: Whether the projections have biases.
        head_size: Width of a head; 0: the heads share ``hidden_size``.
        scale: What queries are multiplied with; None: the root of the head size's inverse.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_heads: int,
        dropout: float,
        factory: LayerFactory,
        use_bias: bool = True,
        head_size: int = 0,
        scale: float | None = None,
        name: str = "cross_attention",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.head_size = head_size or hidden_size // num_heads
        self.scale = self.head_size**-0.5 if scale is None else scale
        inner = self.num_heads * self.head_size
        self.query = factory.dense(inner, name="query", use_bias=use_bias)
        self.key = factory.dense(inner, name="key", use_bias=use_bias)
        self.value = factory.dense(inner, name="value", use_bias=use_bias)
        self.output_projection = factory.dense(hidden_size, name="output", use_bias=use_bias)
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the four projections."""
        for projection in (self.query, self.key, self.value):
            projection.build((None, self.hidden_size))
        self.output_projection.build((None, self.num_heads * self.head_size))

    def call(self, rows: Any, *, layout: Layout, memory: Memory, training: bool = False) -> Any:
        """Mixes into each token those of the encoder.

        Args:
            rows: float, (rows, hidden): the decoder's.
            layout: Where each of these rows lies in the grid.
            memory: The encoder's rows.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        query = self._split_heads(layout.to_grid(self.query(rows) * self.scale))
        key = self._split_heads(memory.layout.to_grid(self.key(memory.rows)))
        value = self._split_heads(memory.layout.to_grid(self.value(memory.rows)))
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) + memory.bias
        weights = self.dropout(ops.softmax(scores, axis=-1), training=training)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        batch, length = ops.shape(mixed)[:2]
        mixed = ops.reshape(mixed, (batch, length, self.num_heads * self.head_size))
        return self.output_projection(layout.to_rows(mixed))

    def _split_heads(self, grid: Any) -> Any:
        """Takes (batch, length, heads * head size) to (batch, heads, length, head size)."""
        batch, length = ops.shape(grid)[:2]
        split = ops.reshape(grid, (batch, length, self.num_heads, self.head_size))
        return ops.transpose(split, (0, 2, 1, 3))
