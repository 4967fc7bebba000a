"""One Transformer block: self-attention, then a feed-forward network, each with a residual."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.layers.attention import SelfAttention
from tfaigc.layers.feed_forward import FeedForward
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout


class TransformerBlock(keras.layers.Layer):
    """A block with its norms after the residual sums (arXiv:1706.03762, section 3.1).

    Args:
        hidden_size: Width of the rows.
        num_heads: Number of attention heads.
        intermediate_size: Width inside the feed-forward network.
        activation_name: Its activation, as in ``config.json``.
        norm_epsilon: Added to the variance in the layer norms.
        hidden_dropout: Share of activations that training drops before each residual sum.
        attention_dropout: Share of attention weights that training drops.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_heads: int,
        intermediate_size: int,
        activation_name: str,
        norm_epsilon: float,
        hidden_dropout: float,
        attention_dropout: float,
        factory: LayerFactory,
        name: str,
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.attention = SelfAttention(
            hidden_size=hidden_size,
            num_heads=num_heads,
            dropout=attention_dropout,
            factory=factory,
        )
        self.attention_norm = factory.layer_norm(norm_epsilon, name="attention_norm")
        self.feed_forward = FeedForward(
            hidden_size=hidden_size,
            intermediate_size=intermediate_size,
            activation_name=activation_name,
            factory=factory,
        )
        self.feed_forward_norm = factory.layer_norm(norm_epsilon, name="feed_forward_norm")
        self.dropout = factory.dropout(hidden_dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the parts for rows of ``hidden_size``."""
        for part in (
            self.attention,
            self.attention_norm,
            self.feed_forward,
            self.feed_forward_norm,
        ):
            part.build((None, self.hidden_size))

    def call(self, rows: Any, *, layout: Layout, bias: Any, training: bool = False) -> Any:
        """Takes (rows, hidden) to (rows, hidden).

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length).
            training: Whether dropout is active.
        """
        mixed = self.attention(rows, layout=layout, bias=bias, training=training)
        rows = self.attention_norm(rows + self.dropout(mixed, training=training))
        transformed = self.feed_forward(rows)
        return self.feed_forward_norm(rows + self.dropout(transformed, training=training))
