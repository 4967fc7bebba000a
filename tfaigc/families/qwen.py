"""Qwen2 (Yang et al., arXiv:2407.10671) and Qwen3 (arXiv:2505.09388)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfaigc.families import bert_tables
from tfaigc.families import decoder_tables as tables
from tfaigc.families.family import Settings, read_value
from tfaigc.families.llama import LLAMA

_SIZE_KEYS = bert_tables.with_defaults(
    tables.SIZE_KEYS, vocab_size=151936, intermediate_size=22016, max_position_embeddings=32768
)


def _check_qwen2(stated: Settings) -> Settings:
    return {
        **tables.read_stack(stated, key_value_heads=32),
        **_read_windows(stated),
        "attention_biases": True,
        "attention_output_bias": False,
        "feed_forward_biases": False,
    }


def _check_qwen3(stated: Settings) -> Settings:
    return {
        **tables.read_stack(stated, head_size=128, key_value_heads=32),
        **_read_windows(stated),
        "attention_biases": read_value(stated, "attention_bias", False),
        "feed_forward_biases": False,
        "query_key_norm": True,
    }


def _read_windows(stated: Settings) -> dict[str, Any]:
    """Reads which layers have windows: the last ones, where nothing names them."""
    window = None
    if read_value(stated, "use_sliding_window", False):
        window = tables.read_optional(stated, "sliding_window", 4096)
    kinds: Any = stated.get("layer_types")
    if kinds is None:
        full = read_value(stated, "max_window_layers", 28)
        num_layers = read_value(stated, "num_hidden_layers", 32)
        kinds = [
            "full_attention" if window is None or layer < full else "sliding_attention"
            for layer in range(num_layers)
        ]
    return tables.read_windows(stated, kinds, window)


QWEN2 = replace(
    LLAMA,
    model_type="qwen2",
    architecture="Qwen2Model",
    config_keys=_SIZE_KEYS,
    check_config=_check_qwen2,
    heads=tables.heads("Qwen2"),
)

QWEN3 = replace(
    QWEN2,
    model_type="qwen3",
    architecture="Qwen3Model",
    check_config=_check_qwen3,
    heads=tables.heads("Qwen3"),
)
