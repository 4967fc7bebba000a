"""What a backbone can be asked to run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfaigc.errors import ConfigError
from tfaigc.models import TransformerConfig


def check_inputs(inputs: Any, config: TransformerConfig) -> None:
    """Checks a backbone's inputs.

    Args:
        inputs: What the caller gave.
        config: The backbone's settings.

    Raises:
        ConfigError: It is no dict, token ids are absent, a name is not known, or a text is longer
            than the checkpoint allows.
    """
    if config.image is not None:
        if not isinstance(inputs, Mapping) or set(inputs) != {"images"}:
            came = ", ".join(inputs) if isinstance(inputs, Mapping) else type(inputs).__name__
            raise ConfigError(
                f"The backbone's inputs must be a dict with images alone. Received: {came}."
            )
        return
    if config.decoder is None:
        limits = {"token_ids": config.max_length}
        optional = ["padding_mask", "segment_ids", "pack_ids", "text_starts"]
        optional += ["global_mask"] if config.global_attention else []
    else:
        limits = {
            "encoder_token_ids": config.max_length,
            "decoder_token_ids": config.decoder.max_length,
        }
        optional = ["encoder_padding_mask", "decoder_padding_mask"]
    names = set(inputs) if isinstance(inputs, Mapping) else set()
    if not set(limits) <= names <= {*limits, *optional}:
        came = ", ".join(inputs) if isinstance(inputs, Mapping) else type(inputs).__name__
        raise ConfigError(
            f"The backbone's inputs must be a dict with {' and '.join(limits)} and, optionally, "
            f"{', '.join(optional)}. Received: {came}."
        )
    for name, limit in limits.items():
        length = inputs[name].shape[1]
        if length is not None and length > limit:
            raise ConfigError(
                f"A text must have at most {limit} tokens for this checkpoint. "
                f"Received: {length}. Pass max_length={limit} to the tokenizer."
            )
