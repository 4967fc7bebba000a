"""Self-attention in which a few tokens see all, with projections of their own."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.attention_heads import attend, merge_heads, split_heads
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout


class GlobalAttention(keras.layers.Layer):
    """Local attention with global tokens (Beltagy et al., arXiv:2004.05150, section 3.1).

    The scores of all pairs of tokens are computed and those too far apart left without weight: the
    result is exact, and memory grows with the square of the length.

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
        self.query = factory.dense(hidden_size, name="query")
        self.key = factory.dense(hidden_size, name="key")
        self.value = factory.dense(hidden_size, name="value")
        self.global_query = factory.dense(hidden_size, name="global_query")
        self.global_key = factory.dense(hidden_size, name="global_key")
        self.global_value = factory.dense(hidden_size, name="global_value")
        self.output_projection = factory.dense(hidden_size, name="output")
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the projections for rows of ``hidden_size``."""
        for projection in (
            self.query,
            self.key,
            self.value,
            self.global_query,
            self.global_key,
            self.global_value,
            self.output_projection,
        ):
            projection.build((None, self.hidden_size))

    def call(
        self,
        rows: Any,
        *,
        layout: Layout,
        bias: Any,
        global_tokens: Any = None,
        training: bool = False,
    ) -> Any:
        """Mixes each token with the tokens that it may attend to.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length), added to the scores.
            global_tokens: Which tokens are global, bool, (batch, length), and the bias on their
                scores; None: no token is.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        mixed = self._mix(
            rows, (self.query, self.key, self.value), layout=layout, bias=bias, training=training
        )
        if global_tokens is not None:
            is_global, global_bias = global_tokens
            seen = self._mix(
                rows,
                (self.global_query, self.global_key, self.global_value),
                layout=layout,
                bias=global_bias,
                training=training,
            )
            mixed = ops.where(is_global[:, :, None], seen, mixed)
        return self.output_projection(layout.to_rows(mixed))

    def _mix(
        self, rows: Any, projections: Any, *, layout: Layout, bias: Any, training: bool
    ) -> Any:
        """Attends once; the result is (batch, length, hidden)."""
        project_query, project_key, project_value = projections
        query = project_query(rows) * (self.hidden_size // self.num_heads) ** -0.5
        query, key, value = (
            split_heads(layout.to_grid(projected), self.num_heads)
            for projected in (query, project_key(rows), project_value(rows))
        )
        mixed = attend(query, key, value, bias=bias, dropout=self.dropout, training=training)
        return merge_heads(mixed)
