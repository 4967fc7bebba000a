"""Leaves the lower part of a stack as it is in training."""

from __future__ import annotations

from tfaigc.errors import ConfigError
from tfaigc.models.stack import TransformerStack


def freeze_lowest(stack: TransformerStack, layers: int) -> None:
    """Freezes the embeddings and the lowest layers, which then compute as outside of training.

    The backward pass ends above them, so that they cost a training step no more than an answer.

    Args:
        stack: The stack.
        layers: How many layers; 0: the embeddings alone.

    Raises:
        ConfigError: The stack has not so many, or one of them shares weights with one above.
    """
    order = stack.block_order
    if not 0 <= layers <= len(order):
        raise ConfigError(
            f"The layers to freeze must be 0 to {len(order)} in this checkpoint. "
            f"Received: {layers}."
        )
    if set(order[:layers]) & set(order[layers:]):
        raise ConfigError(
            "Layers can be frozen that share no weights with those above them. Received: "
            f"{layers} of {len(order)} layers with {len(set(order))} sets of weights. "
            "Freeze all layers, or none."
        )
    lower = (stack.embeddings, stack.relative_bias, stack.relative_embeddings)
    for part in (*lower, *(stack.blocks[index] for index in order[:layers])):
        if part is not None:
            part.trainable = False
    stack.frozen_layers = layers
