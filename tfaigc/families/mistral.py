"""Mistral (Jiang et al., arXiv:2310.06825): a Llama whose tokens see a window."""

from __future__ import annotations

from dataclasses import replace

from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables
from tfaigc.families import decoder_tables as tables
from tfaigc.families.family import Settings, read_value
from tfaigc.families.llama import LLAMA


def _check_config(stated: Settings) -> Settings:
    window = tables.read_optional(stated, "sliding_window", 4096)
    kind = "full_attention" if window is None else "sliding_attention"
    kinds = [kind] * read_value(stated, "num_hidden_layers", 32)
    if stated.get("layer_types") not in (None, kinds):
        raise ConfigError(
            f"layer_types in a mistral config.json must be {kind} throughout, as sliding_window "
            f"says. Received: {stated['layer_types']!r}. Take another checkpoint."
        )
    return {
        **tables.read_stack(stated, key_value_heads=8),
        **tables.read_windows(stated, kinds, window),
        "attention_biases": False,
        "feed_forward_biases": False,
    }


MISTRAL = replace(
    LLAMA,
    model_type="mistral",
    architecture="MistralModel",
    config_keys=bert_tables.with_defaults(
        tables.SIZE_KEYS, intermediate_size=14336, max_position_embeddings=131072
    ),
    check_config=_check_config,
    heads=tables.heads("Mistral"),
)
