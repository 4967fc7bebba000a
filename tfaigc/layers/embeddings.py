"""The sum of token, position and segment embeddings that enters the first block."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory


class TransformerEmbeddings(keras.layers.Layer):
    """Token, learned position and segment embeddings (Devlin et al., arXiv:1810.04805, fig. 2).

    Args:
        vocabulary_size: Number of tokens.
        hidden_size: Width of the rows.
        max_positions: Number of positions that can be told apart.
        num_segments: Number of segment ids.
        norm_epsilon: Added to the variance in the layer norm.
        dropout: Share of activations that training drops.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        hidden_size: int,
        max_positions: int,
        num_segments: int,
        norm_epsilon: float,
        dropout: float,
        factory: LayerFactory,
        name: str = "embeddings",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.max_positions = max_positions
        self.token = factory.embedding(vocabulary_size, hidden_size, name="token")
        self.position = factory.embedding(max_positions, hidden_size, name="position")
        self.segment = factory.embedding(num_segments, hidden_size, name="segment")
        self.norm = factory.layer_norm(norm_epsilon, name="norm")
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the three tables and the norm."""
        for table in (self.token, self.position, self.segment):
            table.build(None)
        self.norm.build((None, self.hidden_size))

    def call(
        self, token_ids: Any, *, positions: Any, segment_ids: Any, training: bool = False
    ) -> Any:
        """Embeds tokens.

        Args:
            token_ids: int, (rows,).
            positions: int, (rows,): place of each token in its text, from 0.
            segment_ids: int, (rows,).
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        embedded = self.token(token_ids) + self._lookup_segment(segment_ids)
        embedded = embedded + self.position(positions)
        return self.dropout(self.norm(embedded), training=training)

    def _lookup_segment(self, segment_ids: Any) -> Any:
        # A product with one-hot rows: its gradient is a product too, where a lookup's gradient
        # would add thousands of rows into two, one after the other.
        return ops.matmul(
            ops.one_hot(segment_ids, self.segment.input_dim, dtype=self.compute_dtype),
            ops.cast(self.segment.embeddings, self.compute_dtype),
        )
