"""How long the examples of a task may be."""

from __future__ import annotations

from tfaigc.errors import ConfigError
from tfaigc.families import Backbone
from tfaigc.tokenizers import Tokenizer


def checked_max_length(given: int | None, backbone: Backbone, tokenizer: Tokenizer) -> int:
    """Settles the most tokens of an example.

    Args:
        given: What was asked for; None: the most that the checkpoint allows.
        backbone: The network.
        tokenizer: Its tokenizer.

    Returns:
        The number, special tokens included.

    Raises:
        ConfigError: It is out of range, or the tokenizer has more tokens than the network.
    """
    limit = backbone.config.max_length
    least = tokenizer.num_special_tokens() + 1
    if given is not None and given > limit:
        raise ConfigError(
            f"max_length must be at most {limit} for this checkpoint. Received: {given}. "
            f"Pass max_length={limit}."
        )
    if given is not None and given < least:
        raise ConfigError(
            f"max_length must be at least {least}: special tokens take {least - 1}. "
            f"Received: {given}. Pass max_length={limit}, or less."
        )
    if tokenizer.vocabulary_size > backbone.config.vocabulary_size:
        raise ConfigError(
            "The tokenizer must have no more tokens than the model's vocab_size, "
            f"{backbone.config.vocabulary_size}. Received: {tokenizer.vocabulary_size}. "
            "Use the tokenizer that belongs to the checkpoint."
        )
    return min(limit, tokenizer.model_max_length or limit) if given is None else given
