"""The sum of token, position and segment embeddings that enters the first block."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.sinusoids import sinusoids


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
        norm_kind: Kind of the norm, see ``LayerFactory.norm``; None: there is no norm.
        always_project: Whether there is a dense layer between equal widths too.
        project_tokens: Whether the dense layer, which has no bias then, takes only token
            embeddings to ``hidden_size``, which is the other tables' width (Zhang et al.,
            arXiv:2205.01068).
        token: The table of tokens, where it is shared; None: it is made here.
        token_scale: Factor on token embeddings.
        sinusoidal: Whether positions are waves that training leaves alone.
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
        norm_kind: str | None = "layer",
        always_project: bool = False,
        project_tokens: bool = False,
        token: keras.layers.Embedding | None = None,
        token_scale: float = 1.0,
        sinusoidal: bool = False,
        name: str = "embeddings",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.embedding_size = embedding_size
        self.project_tokens = project_tokens
        self.sum_size = hidden_size if project_tokens else embedding_size
        self.token = token or factory.embedding(vocabulary_size, embedding_size, name="token")
        self.token_scale = token_scale
        self.position = None
        if sinusoidal:
            waves = sinusoids(num_positions, self.sum_size)
            self.position = factory.fixed_embedding(waves, name="position")
        elif num_positions:
            self.position = factory.embedding(num_positions, self.sum_size, name="position")
        self.segment = (
            factory.embedding(num_segments, self.sum_size, name="segment") if num_segments else None
        )
        self.norm = (
            factory.norm(norm_kind, norm_epsilon, name="norm", use_bias=norm_bias)
            if norm_kind is not None
            else None
        )
        self.dropout = factory.dropout(dropout, name="dropout")
        self.projection = (
            factory.dense(hidden_size, name="projection", use_bias=not project_tokens)
            if always_project or embedding_size != hidden_size
            else None
        )

    def build(self, input_shape: Any) -> None:
        """Builds the tables, the norm and the projection."""
        for table in (self.token, self.position, self.segment):
            if table is not None and not table.built:
                table.build(None)
        if self.norm is not None:
            self.norm.build((None, self.sum_size))
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
        if self.token_scale != 1:
            embedded = embedded * self.token_scale
        if self.project_tokens and self.projection is not None:
            embedded = self.projection(embedded)
        if self.segment is not None:
            embedded = embedded + self._lookup_segment(self.segment, segment_ids)
        if self.position is not None:
            embedded = embedded + self.position(positions)
        if self.norm is not None:
            embedded = self.norm(embedded, training=training)
        embedded = self.dropout(embedded, training=training)
        if self.projection is None or self.project_tokens:
            return embedded
        return self.projection(embedded)

    def _lookup_segment(self, table: Any, segment_ids: Any) -> Any:
        # A product with one-hot rows: its gradient is a product too, where a lookup's gradient
        # would add thousands of rows into two, one after the other.
        return ops.matmul(
            ops.one_hot(segment_ids, table.input_dim, dtype=self.compute_dtype),
            ops.cast(table.embeddings, self.compute_dtype),
        )
