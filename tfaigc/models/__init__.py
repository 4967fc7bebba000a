"""The generic Transformer stacks, and the one config that they share."""

from tfaigc.models.config import DisentangledSettings, TransformerConfig
from tfaigc.models.encoder import Encoder

__all__ = ["DisentangledSettings", "Encoder", "TransformerConfig"]
