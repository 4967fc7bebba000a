"""The generic Transformer stacks, and the one config that they share."""

from tfaigc.models.config import DisentangledSettings, TransformerConfig
from tfaigc.models.encoder import Encoder
from tfaigc.models.encoder_decoder import EncoderDecoder

__all__ = ["DisentangledSettings", "Encoder", "EncoderDecoder", "TransformerConfig"]
