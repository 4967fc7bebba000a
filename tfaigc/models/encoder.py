"""The encoder: embeddings, then blocks in which every token sees every other."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.layers import (
    LayerFactory,
    Layout,
    PackedLayout,
    PaddedLayout,
    RelativeBias,
    TransformerBlock,
    TransformerEmbeddings,
    attention_bias,
    positions_in_text,
    positions_past_padding,
)
from tfaigc.models.config import TransformerConfig


class Encoder(keras.layers.Layer):
    """A stack of Transformer blocks over embedded tokens.

    Args:
        config: The stack's settings.
        factory: Makes the elementary layers.
    """

    def __init__(
        self, config: TransformerConfig, *, factory: LayerFactory, name: str = "encoder"
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.config = config
        self.embeddings = TransformerEmbeddings(
            vocabulary_size=config.vocabulary_size,
            hidden_size=config.hidden_size,
            embedding_size=config.embedding_size or config.hidden_size,
            num_positions=0 if config.position_kind == "none" else config.max_positions,
            num_segments=config.num_segments,
            norm_epsilon=config.norm_epsilon,
            dropout=config.hidden_dropout,
            factory=factory,
            always_project=config.always_project,
        )
        self.relative_bias = self._make_relative_bias(factory) if config.relative_buckets else None
        order = config.block_order()
        numbers = list(dict.fromkeys(order))
        self.blocks = [self._make_block(number, factory) for number in numbers]
        # One block may come up several times, with the same weights.
        self.block_order = tuple(numbers.index(number) for number in order)

    def _make_block(self, number: tuple[int, ...], factory: LayerFactory) -> TransformerBlock:
        config = self.config
        return TransformerBlock(
            hidden_size=config.hidden_size,
            num_heads=config.num_heads,
            intermediate_size=config.intermediate_size,
            activation_name=config.activation,
            norm_epsilon=config.norm_epsilon,
            hidden_dropout=config.hidden_dropout,
            attention_dropout=config.attention_dropout,
            factory=factory,
            name="_".join(["block", *map(str, number)]),
        )

    def _make_relative_bias(self, factory: LayerFactory) -> RelativeBias:
        return RelativeBias(
            num_heads=self.config.num_heads,
            num_buckets=self.config.relative_buckets,
            num_rows=self.config.relative_rows or None,
            max_distance=self.config.relative_distance,
            factory=factory,
        )

    def build(self, input_shape: Any) -> None:
        """Builds the parts."""
        parts = [self.embeddings, self.relative_bias, *self.blocks]
        for part in parts:
            if part is not None:
                part.build(None)

    def call(
        self,
        token_ids: Any,
        *,
        padding_mask: Any,
        segment_ids: Any,
        pack_ids: Any = None,
        remove_padding: bool = False,
        training: bool = False,
    ) -> Any:
        """Encodes a batch.

        Args:
            token_ids: int, (batch, length).
            padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
            segment_ids: int, (batch, length).
            pack_ids: int, (batch, length), or None: several texts in one row, each under an id
                of its own; a text's tokens stand together and attend only to each other.
            remove_padding: Whether padding is left out of the dense layers. The result is the
                same but for padded cells, which are then zero; XLA cannot compile it.
            training: Whether dropout is active.

        Returns:
            float, (batch, length, hidden).
        """
        layout: Layout = (
            PackedLayout(padding_mask) if remove_padding else PaddedLayout(padding_mask)
        )
        rows = self.embeddings(
            layout.to_rows(token_ids),
            positions=self._positions(token_ids, pack_ids, layout),
            segment_ids=layout.to_rows(segment_ids),
            training=training,
        )
        bias = attention_bias(
            padding_mask, causal=self.config.causal, pack_ids=pack_ids, dtype=self.compute_dtype
        )
        if self.relative_bias is not None:
            bias = bias + self.relative_bias(token_ids)
        for index in self.block_order:
            rows = self.blocks[index](rows, layout=layout, bias=bias, training=training)
        return layout.to_grid(rows)

    def _positions(self, token_ids: Any, pack_ids: Any, layout: Layout) -> Any:
        """Finds each row's row in the position table, or None where there is no table."""
        if self.config.position_kind == "none":
            return None
        if self.config.position_kind == "past_padding":
            positions = positions_past_padding(
                token_ids, padding_id=self.config.position_padding_id, pack_ids=pack_ids
            )
        else:
            positions = positions_in_text(token_ids, pack_ids)
        return layout.to_rows(positions)
