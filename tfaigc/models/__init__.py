"""The generic Transformer stacks, and the one config that they share."""

from tfaigc.models.config import TransformerConfig
from tfaigc.models.encoder_decoder import EncoderDecoder
from tfaigc.models.freezing import freeze_lowest
from tfaigc.models.image_encoder import ImageEncoder
from tfaigc.models.settings import DisentangledSettings, ImageSettings
from tfaigc.models.stack import TransformerStack

__all__ = [
    "DisentangledSettings",
    "EncoderDecoder",
    "ImageEncoder",
    "ImageSettings",
    "TransformerConfig",
    "TransformerStack",
    "freeze_lowest",
]
