"""Self-attention that looks at contents, at distances as waves, and at segments."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfaigc.layers.attention_heads import attend, merge_heads, score_rows, split_heads
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout
from tfaigc.layers.relative_embeddings import scores_by_place


class RelativeWaves(keras.layers.Layer):
    """Tells how far apart two tokens are, as waves, and whether they share a segment.

    Args:
        hidden_size: Width of the waves; even.
        max_distance: From this distance on, all distances count as this one.
        dropout: Share of the waves that training drops.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        max_distance: int,
        dropout: float,
        factory: LayerFactory,
        name: str = "relative_waves",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.max_distance = max_distance
        # In float32, as the checkpoints were trained.
        exponents = np.arange(0, hidden_size, 2, dtype="float32") / np.float32(hidden_size)
        self.frequencies = 1 / np.power(np.float32(10000), exponents)
        self.dropout = factory.dropout(dropout, name="dropout")

    def call(self, segment_ids: Any, *, training: bool = False) -> tuple[Any, Any]:
        """Looks at all pairs of tokens.

        Args:
            segment_ids: int, (batch, length).
            training: Whether dropout is active.

        Returns:
            The waves, float, (2 * length - 1, hidden), of the distances ``length - 1`` (a query
            far after its key) down to ``1 - length``: all sines, then all cosines; and float,
            (batch, 1, length, length): 1 where query and key are of different segments, else 0.
        """
        length = ops.shape(segment_ids)[1]
        distances = length - 1 - ops.arange(2 * length - 1, dtype="int32")
        distances = ops.clip(distances, -self.max_distance, self.max_distance)
        angles = ops.cast(distances, "float32")[:, None] * self.frequencies
        waves = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        waves = self.dropout(ops.cast(waves, self.compute_dtype), training=training)
        differs = ops.not_equal(segment_ids[:, None, :, None], segment_ids[:, None, None, :])
        return waves, ops.cast(differs, self.compute_dtype)


class RelativeAttention(keras.layers.Layer):
    """Attention with terms for distance (Dai et al., arXiv:1901.02860, section 3.3) and segment.

    The segments' term is that of Yang et al. (arXiv:1906.08237, section 2.5).

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
        self.query = factory.dense(hidden_size, name="query", use_bias=False)
        self.key = factory.dense(hidden_size, name="key", use_bias=False)
        self.value = factory.dense(hidden_size, name="value", use_bias=False)
        self.distance = factory.dense(hidden_size, name="distance", use_bias=False)
        self.output_projection = factory.dense(hidden_size, name="output", use_bias=False)
        self.content_bias = factory.bias(hidden_size, name="content_bias")
        self.distance_bias = factory.bias(hidden_size, name="distance_bias")
        self.segment_bias = factory.bias(hidden_size, name="segment_bias")
        # One row for keys of the query's own segment, and one for all others.
        self.segment = factory.embedding(2, hidden_size, name="segment")
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the projections for rows of ``hidden_size``, the biases and the table."""
        for part in (
            self.query,
            self.key,
            self.value,
            self.distance,
            self.output_projection,
            self.content_bias,
            self.distance_bias,
            self.segment_bias,
            self.segment,
        ):
            part.build((None, self.hidden_size))

    def call(
        self, rows: Any, *, layout: Layout, bias: Any, distances: Any, training: bool = False
    ) -> Any:
        """Mixes each token with the tokens that it may attend to.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length), added to the scores.
            distances: What ``RelativeWaves`` returned.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        waves, differs = distances
        query = layout.to_grid(self.query(rows))
        by_content, by_distance, by_segment = (
            split_heads(part(query) * self.head_size**-0.5, self.num_heads)
            for part in (self.content_bias, self.distance_bias, self.segment_bias)
        )
        key, value = (
            split_heads(layout.to_grid(part(rows)), self.num_heads)
            for part in (self.key, self.value)
        )
        far = split_heads(self.distance(waves)[None], self.num_heads)
        bias = bias + scores_by_place(score_rows(by_distance, far))
        bias = bias + differs * score_rows(by_segment, self._segment_step())
        mixed = attend(by_content, key, value, bias=bias, dropout=self.dropout, training=training)
        return self.output_projection(layout.to_rows(merge_heads(mixed)))

    def _segment_step(self) -> Any:
        """Returns what another segment changes, (1, heads, 1, head size).

        What all keys have in common changes no weight, so the table's first row need not be scored.
        """
        own, other = ops.unstack(ops.cast(self.segment.embeddings, self.compute_dtype))
        return ops.reshape(other - own, (1, self.num_heads, 1, self.head_size))
