"""One Transformer block: self-attention, then a feed-forward network, each with a residual."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.layers.attention import Memory
from tfaigc.layers.cache import AttentionCache
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout
from tfaigc.layers.plain_attributes import PlainAttributes


class TransformerBlock(PlainAttributes, keras.layers.Layer):
    """A block with its norms after the residual sums (arXiv:1706.03762, section 3.1), or before.

    Args:
        attention: Mixes each row with others.
        feed_forward: Transforms each row alone.
        hidden_size: Width of the rows.
        norm_epsilon: Added to the variance in the layer norms.
        attention_dropout: Share of what attention adds that training drops.
        feed_forward_dropout: Share of what the feed-forward network adds that training drops.
        factory: Makes the elementary layers.
        norm_bias: Whether the norms have biases.
        pre_norm: Whether the norms stand before attention and feed-forward network
            (arXiv:2002.04745) instead of after the residual sums.
        attention_norm: Whether attention has a norm.
        norm_kind: Kind of the norms; see ``LayerFactory.norm``.
        parallel_residual: Whether the feed-forward network reads what attention reads (Wang and
            Komatsuzaki, GPT-J-6B, 2021), through a norm of its own; only with ``pre_norm``.
        cross_attention: Mixes each row with an encoder's, after ``attention``; or None.
    """

    def __init__(
        self,
        *,
        attention: keras.layers.Layer,
        feed_forward: keras.layers.Layer,
        hidden_size: int,
        norm_epsilon: float,
        attention_dropout: float,
        feed_forward_dropout: float,
        factory: LayerFactory,
        norm_bias: bool = True,
        pre_norm: bool = False,
        attention_norm: bool = True,
        norm_kind: str = "layer",
        parallel_residual: bool = False,
        cross_attention: keras.layers.Layer | None = None,
        name: str,
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.pre_norm = pre_norm
        self.parallel_residual = parallel_residual
        self.attention = attention
        self.feed_forward = feed_forward
        self.attention_norm = (
            factory.norm(norm_kind, norm_epsilon, name="attention_norm", use_bias=norm_bias)
            if attention_norm
            else None
        )
        self.cross_attention = cross_attention
        self.cross_attention_norm = (
            factory.norm(norm_kind, norm_epsilon, name="cross_attention_norm", use_bias=norm_bias)
            if cross_attention is not None
            else None
        )
        self.feed_forward_norm = factory.norm(
            norm_kind, norm_epsilon, name="feed_forward_norm", use_bias=norm_bias
        )
        self.dropout = factory.dropout(attention_dropout, name="dropout")
        self.feed_forward_dropout = self.dropout
        if feed_forward_dropout != attention_dropout:
            self.feed_forward_dropout = factory.dropout(
                feed_forward_dropout, name="feed_forward_dropout"
            )

    def build(self, input_shape: Any) -> None:
        """Builds the parts for rows of ``hidden_size``."""
        for part in (
            self.attention,
            self.attention_norm,
            self.cross_attention,
            self.cross_attention_norm,
            self.feed_forward,
            self.feed_forward_norm,
        ):
            if part is not None:
                part.build((None, self.hidden_size))

    def call(
        self,
        rows: Any,
        *,
        layout: Layout,
        bias: Any,
        angles: Any = None,
        distances: Any = None,
        global_tokens: Any = None,
        memory: Memory | None = None,
        cache: AttentionCache | None = None,
        training: bool = False,
    ) -> Any:
        """Takes (rows, hidden) to (rows, hidden).

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length).
            angles: What ``rotary_angles`` returned, for attention with rotary positions.
            distances: What ``RelativeEmbeddings`` returned, for disentangled attention, or
                ``RelativeWaves``, for relative attention.
            global_tokens: Which tokens are global and the bias on their scores, for attention
                with global tokens.
            memory: An encoder's rows, for blocks with cross-attention.
            cache: The tokens before these; see ``Attention``.
            training: Whether dropout is active.
        """
        extra = {
            "angles": angles,
            "distances": distances,
            "global_tokens": global_tokens,
            "cache": cache,
        }
        extra = {name: value for name, value in extra.items() if value is not None}
        before = self._norm(self.attention_norm, rows, training) if self.pre_norm else rows
        mixed = self.attention(before, layout=layout, bias=bias, training=training, **extra)
        entered, rows = rows, rows + self.dropout(mixed, training=training)
        if self.cross_attention is not None:
            rows = self._look_at(memory, rows, layout, training)
        if self.pre_norm:
            read = entered if self.parallel_residual else rows
            transformed = self._norm(self.feed_forward_norm, read, training)
            transformed = self.feed_forward(transformed, training=training)
            return rows + self.feed_forward_dropout(transformed, training=training)
        if self.cross_attention is None:
            rows = self._norm(self.attention_norm, rows, training)
        transformed = self.feed_forward(rows, training=training)
        rows = rows + self.feed_forward_dropout(transformed, training=training)
        return self._norm(self.feed_forward_norm, rows, training)

    def _look_at(self, memory: Memory | None, rows: Any, layout: Layout, training: bool) -> Any:
        """Adds what cross-attention finds; norms before it, or before it and after it."""
        assert self.cross_attention is not None
        if not self.pre_norm:
            rows = self._norm(self.attention_norm, rows, training)
        before = self._norm(self.cross_attention_norm, rows, training) if self.pre_norm else rows
        mixed = self.cross_attention(before, layout=layout, memory=memory, training=training)
        rows = rows + self.dropout(mixed, training=training)
        return rows if self.pre_norm else self._norm(self.cross_attention_norm, rows, training)

    def _norm(self, norm: Any, rows: Any, training: bool) -> Any:
        return rows if norm is None else norm(rows, training=training)
