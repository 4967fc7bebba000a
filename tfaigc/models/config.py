"""The settings of a Transformer, in one vocabulary for all families."""

from __future__ import annotations

from dataclasses import dataclass

from tfaigc.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """What a stack needs to know to be built.

    Args:
        vocabulary_size: Number of tokens.
        hidden_size: Width of the activations.
        num_layers: Number of blocks.
        num_heads: Number of attention heads; divides ``hidden_size``.
        intermediate_size: Width inside the feed-forward networks.
        max_positions: Longest input, in tokens.
        num_segments: Number of segment ids.
        activation: Activation of the feed-forward networks, under its name in ``config.json``.
        norm_epsilon: Added to the variance in layer norms.
        hidden_dropout: Share of activations that training drops.
        attention_dropout: Share of attention weights that training drops.
        initializer_range: Standard deviation of fresh weights.
        causal: Whether a token attends only to itself and the tokens before it.

    Raises:
        ConfigError: A size is not positive, a share is not in [0, 1), or the heads do not divide
            the width.
    """

    vocabulary_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int
    num_segments: int
    activation: str = "gelu"
    norm_epsilon: float = 1e-12
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    initializer_range: float = 0.02
    causal: bool = False

    def __post_init__(self) -> None:
        """Checks what would otherwise fail deep inside a layer."""
        for size in (
            "vocabulary_size",
            "hidden_size",
            "num_heads",
            "intermediate_size",
            "max_positions",
            "num_segments",
        ):
            if getattr(self, size) < 1:
                raise ConfigError(f"{size} must be at least 1. Received: {getattr(self, size)}.")
        for share in ("hidden_dropout", "attention_dropout"):
            if not 0 <= getattr(self, share) < 1:
                raise ConfigError(f"{share} must be in [0, 1). Received: {getattr(self, share)}.")
        if self.hidden_size % self.num_heads:
            raise ConfigError(
                "hidden_size must be a multiple of num_heads. "
                f"Received: hidden_size={self.hidden_size}, num_heads={self.num_heads}."
            )
