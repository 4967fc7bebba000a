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
        embedding_size: Width of the tables; where it differs from ``hidden_size``, or
            ``always_project`` is true, a dense layer takes the rows from the one to the other
            (Lan et al., arXiv:1909.11942, section 3.1).
        num_positions: Number of positions that can be told apart; 0: no position table.
        num_segments: Number of segment ids; 0: no segment table.
        norm_epsilon: Added to the variance in the layer norm.
        dropout: Share of activations that training drops.
        factory: Makes the elementary layers.
        norm_bias: Whether the norm has a bias.
        always_project: Whether there is a dense layer between equal widths too.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        hidden_size: int,
        embedding_size: int,
        num_positions: int,
        num_segments: int,
        norm_epsilon: float,
        dropout: float,
        factory: LayerFactory,
        norm_bias: bool = True,
        always_project: bool = False,
        name: str = "embeddings",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.embedding_size = embedding_size
        self.token = factory.embedding(vocabulary_size, embedding_size, name="token")
        self.position = (
            factory.embedding(num_positions, embedding_size, name="position")
            if num_positions
            else None
        )
        self.segment = (
            factory.embedding(num_segments, embedding_size, name="segment")
            if num_segments
            else None
        )
        self.norm = factory.layer_norm(norm_epsilon, name="norm", use_bias=norm_bias)
        self.dropout = factory.dropout(dropout, name="dropout")
        self.projection = (
            factory.dense(hidden_size, name="projection")
            if always_project or embedding_size != hidden_size
            else None
        )

    def build(self, input_shape: Any) -> None:
        """Builds the tables, the norm and the projection."""
        for table in (self.token, self.position, self.segment):
            if table is not None:
                table.build(None)
        self.norm.build((None, self.embedding_size))
        if self.projection is not None:
            self.projection.build((None, self.embedding_size))

    def call(
        self, token_ids: Any, *, positions: Any, segment_ids: Any, training: bool = False
    ) -> Any:
        """Embeds tokens.

        Args:
            token_ids: int, (rows,).
            positions: int, (rows,): each token's row of the position table, if there is one.
            segment_ids: int, (rows,); not looked at where there is no segment table.
            training: Whether dropout is active.

        Returns:
            float, (rows, hidden).
        """
        embedded = self.token(token_ids)
        if self.segment is not None:
            embedded = embedded + self._lookup_segment(self.segment, segment_ids)
        if self.position is not None:
            embedded = embedded + self.position(positions)
        embedded = self.dropout(self.norm(embedded, training=training), training=training)
        return embedded if self.projection is None else self.projection(embedded)

    def _lookup_segment(self, table: Any, segment_ids: Any) -> Any:
        # A product with one-hot rows: its gradient is a product too, where a lookup's gradient
        # would add thousands of rows into two, one after the other.
        return ops.matmul(
            ops.one_hot(segment_ids, table.input_dim, dtype=self.compute_dtype),
            ops.cast(table.embeddings, self.compute_dtype),
        )
