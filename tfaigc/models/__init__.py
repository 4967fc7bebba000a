"""The generic Transformer stacks, and the one config that they share."""

from tfaigc.models.config import TransformerConfig
from tfaigc.models.encoder import Encoder

__all__ = ["Encoder", "TransformerConfig"]
