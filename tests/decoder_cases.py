"""One row for each family of decoders that is held against `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batteries import FamilyCase

_TINY = {
    "vocab_size": 101,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 36,
    "max_position_embeddings": 40,
    "pad_token_id": 100,
    "bos_token_id": 98,
    "eos_token_id": 99,
}
_TIED = ("causal_lm", {"tie_word_embeddings": True})
_UNTIED = ("causal_lm", {"tie_word_embeddings": False})


def rope(kind: str, **entries: Any) -> dict[str, Any]:
    """Returns a change of the configuration: another kind of rotary positions."""
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 500.0, **entries}}


ROPES: Mapping[str, Mapping[str, Any]] = {
    "linear": rope("linear", factor=3.0),
    "dynamic": rope("dynamic", factor=2.0),
    "llama3": rope(
        "llama3",
        factor=8.0,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=20,
    ),
    "yarn": rope("yarn", factor=4.0, original_max_position_embeddings=10),
    "yarn in full": rope(
        "yarn",
        factor=4.0,
        original_max_position_embeddings=10,
        beta_fast=3.0,
        beta_slow=0.5,
        mscale=0.7,
        mscale_all_dim=0.3,
        truncate=False,
    ),
}


def _like_llama(
    name: str, class_name: str, variants: Mapping[str, Any], **settings: Any
) -> FamilyCase:
    return FamilyCase(
        name=name,
        config=f"{class_name}Config",
        settings={**_TINY, **settings},
        backbone=f"{class_name}Model",
        heads=decoder_heads(class_name),
        head_variants=[_TIED],
        variants=variants,
    )


def decoder_heads(class_name: str, language_model: str = "ForCausalLM") -> dict[str, str]:
    """Returns the classes of `transformers` with the heads that decoders have."""
    return {
        "causal_lm": class_name + language_model,
        "text_classification": f"{class_name}ForSequenceClassification",
    }


DECODER_CASES = [
    FamilyCase(
        name="gpt2",
        config="GPT2Config",
        settings={
            "vocab_size": 101,
            "n_embd": 24,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 40,
            "pad_token_id": 100,
            "bos_token_id": 98,
            "eos_token_id": 99,
        },
        backbone="GPT2Model",
        heads=decoder_heads("GPT2", "LMHeadModel"),
        head_variants=[_UNTIED],
        others=["GPT2ForTokenClassification"],
        variants={
            "defaults": {},
            "scaled by layer": {
                "scale_attn_by_inverse_layer_idx": True,
                "n_inner": 7,
                "activation_function": "relu",
                "layer_norm_epsilon": 0.1,
            },
            "not scaled": {"scale_attn_weights": False, "n_embd": 30, "n_head": 3},
        },
    ),
    _like_llama(
        "llama",
        "Llama",
        {
            "defaults": {},
            "own keys": {"num_key_value_heads": None, "rms_norm_eps": 0.1, "hidden_act": "gelu"},
            "biases": {"attention_bias": True, "mlp_bias": True, "num_key_value_heads": 1},
            "wide heads": {"head_dim": 10},
            **ROPES,
        },
    ),
    _like_llama(
        "mistral",
        "Mistral",
        {
            "window": {},
            "no window": {"sliding_window": None, "head_dim": 10, **ROPES["yarn"]},
        },
        sliding_window=5,
    ),
    _like_llama(
        "qwen2",
        "Qwen2",
        {
            "defaults": {},
            "later layers": {
                "use_sliding_window": True,
                "sliding_window": 4,
                "max_window_layers": 1,
                "rms_norm_eps": 0.1,
            },
            "named layers": {
                "use_sliding_window": True,
                "sliding_window": 4,
                "layer_types": ["sliding_attention", "full_attention"],
                **ROPES["yarn"],
            },
        },
    ),
    _like_llama(
        "qwen3",
        "Qwen3",
        {
            "defaults": {},
            "biases": {"attention_bias": True, "rms_norm_eps": 0.1, "head_dim": 4},
            "windows": {
                "use_sliding_window": True,
                "sliding_window": 3,
                "max_window_layers": 0,
                "num_key_value_heads": 4,
            },
        },
        head_dim=10,
    ),
    FamilyCase(
        name="gpt_neox",
        config="GPTNeoXConfig",
        settings={key: value for key, value in _TINY.items() if key != "num_key_value_heads"},
        backbone="GPTNeoXModel",
        heads=decoder_heads("GPTNeoX"),
        head_variants=[_TIED],
        others=["GPTNeoXForTokenClassification"],
        variants={
            "defaults": {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.7}},
            "one after the other": {
                "use_parallel_residual": False,
                "attention_bias": False,
                "layer_norm_eps": 0.1,
                "hidden_act": "gelu_new",
            },
            "scaled": rope("linear", factor=3.0, partial_rotary_factor=1.0),
        },
    ),
    FamilyCase(
        name="opt",
        config="OPTConfig",
        settings={
            "vocab_size": 101,
            "hidden_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "ffn_dim": 36,
            "max_position_embeddings": 40,
            "word_embed_proj_dim": 24,
        },
        backbone="OPTModel",
        heads=decoder_heads("OPT"),
        head_variants=[
            _UNTIED,
            ("causal_lm", {"word_embed_proj_dim": 10}),
            ("text_classification", {"word_embed_proj_dim": 10, "pad_token_id": 100}),
        ],
        variants={
            "defaults": {},
            "norms behind": {"do_layer_norm_before": False, "word_embed_proj_dim": 10},
            "without weights": {
                "layer_norm_elementwise_affine": False,
                "enable_bias": False,
                "activation_function": "gelu",
            },
            "no last norm": {"_remove_final_layer_norm": True},
        },
    ),
]
