"""The encoder: embeddings, then blocks in which every token sees every other."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers import (
    LayerFactory,
    Layout,
    PackedLayout,
    PaddedLayout,
    TransformerBlock,
    TransformerEmbeddings,
    attention_bias,
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
            max_positions=config.max_positions,
            num_segments=config.num_segments,
            norm_epsilon=config.norm_epsilon,
            dropout=config.hidden_dropout,
            factory=factory,
        )
        self.blocks = [
            TransformerBlock(
                hidden_size=config.hidden_size,
                num_heads=config.num_heads,
                intermediate_size=config.intermediate_size,
                activation_name=config.activation,
                norm_epsilon=config.norm_epsilon,
                hidden_dropout=config.hidden_dropout,
                attention_dropout=config.attention_dropout,
                factory=factory,
                name=f"block_{index}",
            )
            for index in range(config.num_layers)
        ]

    def build(self, input_shape: Any) -> None:
        """Builds embeddings and blocks."""
        self.embeddings.build(None)
        for block in self.blocks:
            block.build(None)

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
            positions=layout.to_rows(positions_in_text(token_ids, pack_ids)),
            segment_ids=layout.to_rows(segment_ids),
            training=training,
        )
        bias = attention_bias(
            padding_mask, causal=self.config.causal, pack_ids=pack_ids, dtype=self.compute_dtype
        )
        for block in self.blocks:
            rows = block(rows, layout=layout, bias=bias, training=training)
        return layout.to_grid(rows)


def positions_in_text(token_ids: Any, pack_ids: Any = None) -> Any:
    """Counts tokens from 0 in each text.

    Args:
        token_ids: int, (batch, length).
        pack_ids: int, (batch, length), or None: positions start again where the id changes.

    Returns:
        int32, (batch, length).

    Example:
        >>> ids = ops.array([[5, 6, 7, 8]])
        >>> positions_in_text(ids, ops.array([[1, 1, 2, 2]])).numpy().tolist()
        [[0, 1, 0, 1]]
    """
    length = ops.shape(token_ids)[1]
    columns = ops.broadcast_to(ops.arange(length, dtype="int32")[None, :], ops.shape(token_ids))
    if pack_ids is None:
        return columns
    earlier = ops.concatenate([pack_ids[:, :1], pack_ids[:, :-1]], axis=1)
    starts = ops.where(ops.equal(pack_ids, earlier), 0, columns)
    # The start of a token's own text is the last start at or before it.
    start_of_text = ops.max(
        ops.where(
            ops.arange(length)[None, :, None] >= ops.arange(length)[None, None, :],
            starts[:, None, :],
            0,
        ),
        axis=-1,
    )
    return columns - start_of_text
