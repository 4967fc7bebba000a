"""Self-attention that looks at contents and at distances apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfaigc.layers.attention_heads import attend, merge_heads, score_rows, split_heads
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout
from tfaigc.layers.relative_embeddings import scores_by_place


class DisentangledAttention(keras.layers.Layer):
    """Attention with terms for content and position (He et al., arXiv:2006.03654, section 3.1).

    Args:
        hidden_size: Width of the rows.
        num_heads: Number of heads; divides ``hidden_size``.
        dropout: Share of attention weights that training drops.
        terms: ``"c2p"``: a query's content meets the key's distance; ``"p2c"``: a key's content
            meets the query's distance.
        num_scaled: By how many terms scores are scaled down.
        shared: Whether distances are projected as contents are (arXiv:2111.09543, section 2.2).
        distance_dropout: Share of the distances' rows that training drops.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        num_heads: int,
        dropout: float,
        terms: Sequence[str],
        num_scaled: int,
        shared: bool,
        distance_dropout: float,
        factory: LayerFactory,
        name: str = "attention",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.head_size = hidden_size // num_heads
        self.scale = (self.head_size * num_scaled) ** -0.5
        self.query = factory.dense(hidden_size, name="query")
        self.key = factory.dense(hidden_size, name="key")
        self.value = factory.dense(hidden_size, name="value")
        self.output_projection = factory.dense(hidden_size, name="output")
        self.distance_key = self.distance_query = None
        if "c2p" in terms:
            self.distance_key = (
                self.key if shared else factory.dense(hidden_size, name="distance_key")
            )
        if "p2c" in terms:
            self.distance_query = (
                self.query if shared else factory.dense(hidden_size, name="distance_query")
            )
        self.dropout = factory.dropout(dropout, name="dropout")
        self.distance_dropout = factory.dropout(distance_dropout, name="distance_dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the projections for rows of ``hidden_size``."""
        for projection in (
            self.query,
            self.key,
            self.value,
            self.output_projection,
            self.distance_key,
            self.distance_query,
        ):
            if projection is not None and not projection.built:
                projection.build((None, self.hidden_size))

    def call(
        self,
        rows: Any,
        *,
        layout: Layout,
        bias: Any,
        distances: Any = None,
        training: bool = False,
    ) -> Any:
        """Mixes each token with the tokens that it may attend to.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            bias: float, broadcastable to (batch, heads, length, length), added to the scores.
            distances: float, (2 * length - 1, hidden): see ``RelativeEmbeddings``; None where
                there are no terms.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        query = split_heads(layout.to_grid(self.query(rows) * self.scale), self.num_heads)
        key = split_heads(layout.to_grid(self.key(rows)), self.num_heads)
        value = split_heads(layout.to_grid(self.value(rows)), self.num_heads)
        if self.distance_key is not None or self.distance_query is not None:
            distances = self.distance_dropout(distances, training=training)
            bias = bias + self._distance_scores(query, key, distances)
        mixed = attend(query, key, value, bias=bias, dropout=self.dropout, training=training)
        return self.output_projection(layout.to_rows(merge_heads(mixed)))

    def _distance_scores(self, query: Any, key: Any, distances: Any) -> Any:
        """Scores contents against distances; the result is (batch, heads, length, length)."""
        scores: Any = 0.0
        if self.distance_key is not None:
            rows = split_heads(self.distance_key(distances)[None], self.num_heads)
            scores = scores_by_place(score_rows(query, rows))
        if self.distance_query is not None:
            # Seen from the key, distances run the other way.
            turned = ops.flip(distances, axis=0)
            rows = split_heads(self.distance_query(turned)[None] * self.scale, self.num_heads)
            by_key = scores_by_place(score_rows(key, rows))
            scores = scores + ops.swapaxes(by_key, 2, 3)
        return scores
