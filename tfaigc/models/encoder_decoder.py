"""Two stacks: one reads a text, the other writes one and looks at what the first made of it."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.layers import LayerFactory, Memory, attention_bias, make_layout
from tfaigc.models.config import TransformerConfig
from tfaigc.models.stack import TransformerStack


class EncoderDecoder(keras.layers.Layer):
    """An encoder, and a decoder with cross-attention (Vaswani et al., arXiv:1706.03762, fig. 1).

    Args:
        config: The encoder's settings; ``config.decoder`` holds the decoder's.
        factory: Makes the elementary layers.

    Attributes:
        encoder: The first stack.
        decoder: The second.
        token: The table of token embeddings that both share, or else one that nothing reads; None
            where there is neither.
    """

    def __init__(
        self, config: TransformerConfig, *, factory: LayerFactory, name: str = "encoder_decoder"
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        assert config.decoder is not None
        self.token = None
        if config.spare_table or not config.separate_tables:
            self.token = factory.embedding(
                config.vocabulary_size, config.embedding_size or config.hidden_size, name="token"
            )
            self.token.trainable = not config.separate_tables
        shared = None if config.separate_tables else self.token
        self.encoder = TransformerStack(config, factory=factory, token=shared)
        self.decoder = TransformerStack(
            config.decoder, factory=factory, token=shared, name="decoder"
        )

    def build(self, input_shape: Any) -> None:
        """Builds the shared table, then both stacks."""
        for part in (self.token, self.encoder, self.decoder):
            if part is not None:
                part.build(None)

    def call(
        self,
        encoder_token_ids: Any,
        decoder_token_ids: Any,
        *,
        encoder_padding_mask: Any,
        decoder_padding_mask: Any,
        remove_padding: bool = False,
        training: bool = False,
    ) -> dict[str, Any]:
        """Runs both stacks.

        Args:
            encoder_token_ids: int, (batch, encoder's length).
            decoder_token_ids: int, (batch, decoder's length).
            encoder_padding_mask: int, (batch, encoder's length): 0 where padding is, else 1.
            decoder_padding_mask: int, (batch, decoder's length): 0 where padding is, else 1.
            remove_padding: Whether padding is left out of the dense layers; see
                ``TransformerStack``.
            training: Whether dropout is active.

        Returns:
            ``encoder_sequence_output`` and ``decoder_sequence_output``, float, (batch, length,
            hidden), each of its own length.
        """
        encoded = self.encode(
            encoder_token_ids,
            padding_mask=encoder_padding_mask,
            remove_padding=remove_padding,
            training=training,
        )
        decoded = self.decode(
            decoder_token_ids,
            padding_mask=decoder_padding_mask,
            encoded=encoded,
            encoder_padding_mask=encoder_padding_mask,
            remove_padding=remove_padding,
            training=training,
        )
        return {"encoder_sequence_output": encoded, "decoder_sequence_output": decoded}

    def encode(
        self,
        token_ids: Any,
        *,
        padding_mask: Any,
        remove_padding: bool = False,
        training: bool = False,
    ) -> Any:
        """Runs the encoder alone.

        Args:
            token_ids: int, (batch, length).
            padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
            remove_padding: Whether padding is left out of the dense layers; see
                ``TransformerStack``.
            training: Whether dropout is active.

        Returns:
            float, (batch, length, hidden).
        """
        return self.encoder(
            token_ids,
            padding_mask=padding_mask,
            segment_ids=token_ids,
            remove_padding=remove_padding,
            training=training,
        )

    def decode(
        self,
        token_ids: Any,
        *,
        padding_mask: Any,
        encoded: Any,
        encoder_padding_mask: Any,
        remove_padding: bool = False,
        training: bool = False,
    ) -> Any:
        """Runs the decoder alone.

        Args:
            token_ids: int, (batch, decoder's length).
            padding_mask: int, (batch, decoder's length): 1 where a token is, 0 where padding is.
            encoded: float, (batch, encoder's length, hidden): what ``encode`` returned.
            encoder_padding_mask: int, (batch, encoder's length).
            remove_padding: Whether padding is left out of the dense layers; see
                ``TransformerStack``.
            training: Whether dropout is active.

        Returns:
            float, (batch, decoder's length, hidden).
        """
        layout = make_layout(encoder_padding_mask, remove_padding=remove_padding)
        bias = attention_bias(encoder_padding_mask, dtype=self.compute_dtype)
        return self.decoder(
            token_ids,
            padding_mask=padding_mask,
            segment_ids=token_ids,
            memory=Memory(layout.to_rows(encoded), layout, bias),
            remove_padding=remove_padding,
            training=training,
        )
