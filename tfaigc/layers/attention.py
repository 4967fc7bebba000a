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
        num_heads: Number of heads; divides ``hidden_size`` where no head size is given.
        dropout: Share of attention weights that training drops.
        factory: Makes the elementary layers.
        use_bias: Whether the projections to queries, keys and values have biases.
        output_bias: Whether the last projection has a bias; None: as the others.
        num_key_value_heads: Number of heads of keys and values; divides ``num_heads``: that many
            query heads in a row share one (Ainslie et al., arXiv:2305.13245). 0: each has its own.
        head_size: Width of a head; 0: the heads share ``hidden_size``.
        scale: What queries are multiplied with; None: the root of the head size's inverse.
        query_key_norm: Epsilon of norms of each head's queries and keys (Henry et al.,
            arXiv:2010.04245); None: no such norms.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_heads: int,
        dropout: float,
        factory: LayerFactory,
        use_bias: bool = True,
        output_bias: bool | None = None,
        num_key_value_heads: int = 0,
        head_size: int = 0,
        scale: float | None = None,
        query_key_norm: float | None = None,
        name: str = "attention",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.num_key_value_heads = num_key_value_heads or num_heads
        self.head_size = head_size or hidden_size // num_heads
        self.scale = self.head_size**-0.5 if scale is None else scale
        inner = self.num_heads * self.head_size
        shared = self.num_key_value_heads * self.head_size
        self.query = factory.dense(inner, name="query", use_bias=use_bias)
        self.key = factory.dense(shared, name="key", use_bias=use_bias)
        self.value = factory.dense(shared, name="value", use_bias=use_bias)
        self.output_projection = factory.dense(
            hidden_size, name="output", use_bias=use_bias if output_bias is None else output_bias
        )
        self.query_norm: Any = None
        self.key_norm: Any = None
        if query_key_norm is not None:
            self.query_norm = factory.norm("rms", query_key_norm, name="query_norm")
            self.key_norm = factory.norm("rms", query_key_norm, name="key_norm")
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the four projections for rows of ``hidden_size``, and the norms."""
        for projection in (self.query, self.key, self.value):
            projection.build((None, self.hidden_size))
        self.output_projection.build((None, self.num_heads * self.head_size))
        for norm in (self.query_norm, self.key_norm):
            if norm is not None:
                norm.build((None, self.head_size))

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
        query, key = self.query(rows), self.key(rows)
        if self.query_norm is None:
            query = query * self.scale
        query = self._split_heads(layout.to_grid(query), self.num_heads)
        key = self._split_heads(layout.to_grid(key), self.num_key_value_heads)
        if self.query_norm is not None:
            query = self.query_norm(query, training=training) * self.scale
            key = self.key_norm(key, training=training)
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
        value = self._split_heads(layout.to_grid(self.value(rows)), self.num_key_value_heads)
        mixed = ops.transpose(self._mix(query, key, value, bias, training), (0, 2, 1, 3))
        batch, length = ops.shape(mixed)[:2]
        mixed = ops.reshape(mixed, (batch, length, self.num_heads * self.head_size))
        return self.output_projection(layout.to_rows(mixed))

    def _mix(self, query: Any, key: Any, value: Any, bias: Any, training: bool) -> Any:
        """Takes queries, keys and values to (batch, heads, length, head size)."""
        if self.num_key_value_heads == self.num_heads:
            scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) + bias
            weights = self.dropout(ops.softmax(scores, axis=-1), training=training)
            return ops.matmul(weights, value)
        # Queries that share keys stand below each other, so that nothing need be repeated.
        batch, _, length, _ = ops.shape(query)
        together = (batch, self.num_key_value_heads, -1)
        apart = (batch, self.num_heads, length, -1)
        scores = ops.matmul(
            ops.reshape(query, (*together, self.head_size)), ops.swapaxes(key, 2, 3)
        )
        scores = ops.reshape(scores, (batch, self.num_heads, length, length)) + bias
        weights = self.dropout(ops.softmax(scores, axis=-1), training=training)
        mixed = ops.matmul(ops.reshape(weights, (*together, length)), value)
        return ops.reshape(mixed, (*apart[:3], self.head_size))

    def _split_heads(self, grid: Any, num_heads: int) -> Any:
        """Takes (batch, length, heads * head size) to (batch, heads, length, head size)."""
        batch, length = ops.shape(grid)[:2]
        split = ops.reshape(grid, (batch, length, num_heads, self.head_size))
        return ops.transpose(split, (0, 2, 1, 3))
