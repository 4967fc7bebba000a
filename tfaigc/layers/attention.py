"""Scaled dot-product attention with several heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from tfaigc.layers.attention_heads import attend, merge_heads, split_heads
from tfaigc.layers.cache import AttentionCache
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout
from tfaigc.layers.plain_attributes import PlainAttributes
from tfaigc.layers.rotary import rotate


@dataclass(frozen=True)
class Memory:
    """What rows look at, if not at each other: an encoder's activations.

    Args:
        rows: float, (rows, hidden).
        layout: Where each row lies in the grid.
        bias: float, broadcastable to (batch, heads, own length, memory's length), added to the
            scores.
        heads: What ``Attention.keys_and_values`` made of the rows, where that was done before;
            None: it is done anew.
    """

    rows: Any
    layout: Layout
    bias: Any
    heads: tuple[Any, Any] | None = None


class Attention(PlainAttributes, keras.layers.Layer):
    """Multi-head attention (Vaswani et al., arXiv:1706.03762, section 3.2).

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
        bias: Any = None,
        angles: Any = None,
        memory: Memory | None = None,
        cache: AttentionCache | None = None,
        training: bool = False,
    ) -> Any:
        """Mixes into each token those that it may attend to: of its own text, or of a memory.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length), added to the scores;
                None with a memory, which has its own.
            angles: What ``rotary_angles`` returned, or None: queries and keys are not turned.
            memory: What the tokens attend to; None: each other.
            cache: The tokens before these, to which they attend too, and behind which they are
                written; None: there are none. ``bias`` is for all its columns then.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        seen = Memory(rows, layout, bias) if memory is None else memory
        query = self.query(rows)
        if self.query_norm is None:
            query = query * self.scale
        query = split_heads(layout.to_grid(query), self.num_heads)
        if self.query_norm is not None:
            query = self.query_norm(query, training=training) * self.scale
        if angles is not None:
            query = rotate(query, angles)
        key, value = seen.heads or self.keys_and_values(seen, angles=angles, training=training)
        if cache is not None:
            key, value = cache.extend(key, value)
        mixed = attend(query, key, value, bias=seen.bias, dropout=self.dropout, training=training)
        return self.output_projection(layout.to_rows(merge_heads(mixed)))

    def keys_and_values(
        self, seen: Memory, *, angles: Any = None, training: bool = False
    ) -> tuple[Any, Any]:
        """Computes what queries look at.

        Args:
            seen: The rows that are looked at.
            angles: What ``rotary_angles`` returned for them, or None.
            training: Whether dropout is active.

        Returns:
            Keys and values, float, (batch, key heads, length, head size).
        """
        key, value = (
            split_heads(seen.layout.to_grid(part(seen.rows)), self.num_key_value_heads)
            for part in (self.key, self.value)
        )
        if self.key_norm is not None:
            key = self.key_norm(key, training=training)
        return (key if angles is None else rotate(key, angles)), value
