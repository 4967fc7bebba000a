"""OPT (Zhang et al., arXiv:2205.01068)."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.families.decoder_tables import DECODER, heads, read_optional
from tfaigc.families.family import ConfigKey, Family, Settings, read_value

_BLOCK = "encoder/block_{i}/"
_LAYER = "decoder.layers.{i}."


def _check_config(stated: Settings) -> Settings:
    hidden_size = read_value(stated, "hidden_size", 768)
    width = read_optional(stated, "word_embed_proj_dim") or hidden_size
    has_biases = read_value(stated, "enable_bias", True)
    has_weights = read_value(stated, "layer_norm_elementwise_affine", True)
    share = read_value(stated, "dropout", 0.1)
    return {
        **DECODER,
        "pre_norm": read_value(stated, "do_layer_norm_before", True),
        "final_norm": not read_value(stated, "_remove_final_layer_norm", False),
        "norm_kind": "layer" if has_weights else "bare",
        "norm_epsilon": 1e-5,
        # Counting starts at 2, as fairseq's did past the padding token.
        "position_offset": 2,
        "embedding_size": width,
        "project_tokens": width != hidden_size,
        "output_size": width,
        "attention_biases": has_biases,
        "feed_forward_biases": has_biases,
        "hidden_dropout": 0.0,
        "attention_output_dropout": share,
        "feed_forward_output_dropout": share,
    }


OPT = Family(
    model_type="opt",
    prefix="model.",
    architecture="OPTModel",
    config_keys=(
        ConfigKey("vocabulary_size", "vocab_size", 50272),
        ConfigKey("hidden_size", "hidden_size", 768),
        ConfigKey("num_layers", "num_hidden_layers", 12),
        ConfigKey("num_heads", "num_attention_heads", 12),
        ConfigKey("intermediate_size", "ffn_dim", 3072),
        ConfigKey("max_positions", "max_position_embeddings", 2048),
        ConfigKey("activation", "activation_function", "relu"),
        ConfigKey("attention_dropout", "attention_dropout", 0.0),
        ConfigKey("layer_drop", "layerdrop", 0.0),
        ConfigKey("initializer_range", "init_std", 0.02),
        ConfigKey("tied_output", "tie_word_embeddings", True),
    ),
    check_config=_check_config,
    backbone=(
        Rename("encoder/embeddings/token", "decoder.embed_tokens"),
        Rename("encoder/embeddings/position", "decoder.embed_positions"),
        Rename("encoder/embeddings/projection", "decoder.project_in"),
        Rename(_BLOCK + "attention/query", _LAYER + "self_attn.q_proj"),
        Rename(_BLOCK + "attention/key", _LAYER + "self_attn.k_proj"),
        Rename(_BLOCK + "attention/value", _LAYER + "self_attn.v_proj"),
        Rename(_BLOCK + "attention/output", _LAYER + "self_attn.out_proj"),
        Rename(_BLOCK + "attention_norm", _LAYER + "self_attn_layer_norm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "fc1"),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "fc2"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "final_layer_norm"),
        Rename("encoder/final_norm", "decoder.final_layer_norm"),
        Rename("encoder/final_projection", "decoder.project_out"),
    ),
    heads=heads("OPT", table="decoder.embed_tokens", tied=True, padding_id=1),
    other_heads=("lm_head.", "score.", "qa_outputs."),
)
