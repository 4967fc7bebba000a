"""The generic Transformer stacks, and the one config that they share."""

from tfaigc.models.config import DisentangledSettings, ImageSettings, TransformerConfig
from tfaigc.models.encoder import Encoder
from tfaigc.models.encoder_decoder import EncoderDecoder
from tfaigc.models.image_encoder import ImageEncoder

__all__ = [
    "DisentangledSettings",
    "Encoder",
    "EncoderDecoder",
    "ImageEncoder",
    "ImageSettings",
    "TransformerConfig",
]
