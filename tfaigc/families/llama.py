"""Llama 1 to 3 (arXiv:2302.13971, arXiv:2307.09288, arXiv:2407.21783) and its likes."""

from __future__ import annotations

from tfaigc.families import decoder_tables as tables
from tfaigc.families.family import Family, Settings, read_value


def _check_config(stated: Settings) -> Settings:
    return {
        **tables.read_stack(stated),
        "attention_biases": read_value(stated, "attention_bias", False),
        "feed_forward_biases": read_value(stated, "mlp_bias", False),
    }


LLAMA = Family(
    model_type="llama",
    prefix="model.",
    architecture="LlamaModel",
    config_keys=tables.SIZE_KEYS,
    check_config=_check_config,
    backbone=tables.BACKBONE,
    heads=tables.heads("Llama"),
    other_heads=tables.OTHER_HEADS,
    buffers=("inv_freq",),
)
