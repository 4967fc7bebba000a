"""GPT-NeoX (Black et al., arXiv:2204.06745), and Pythia (Biderman et al., arXiv:2304.01373)."""

from __future__ import annotations

from dataclasses import replace

from tfaigc.checkpoints.names import Rename
from tfaigc.families.decoder_tables import DECODER, heads
from tfaigc.families.family import ConfigKey, Family, Settings, read_value
from tfaigc.families.rope import read_rotary

_BLOCK = "encoder/block_{i}/"
_LAYER = "layers.{i}."


def _check_config(stated: Settings) -> Settings:
    num_heads = max(1, read_value(stated, "num_attention_heads", 64))
    rotary = read_rotary(
        stated,
        head_size=read_value(stated, "hidden_size", 6144) // num_heads,
        max_positions=read_value(stated, "max_position_embeddings", 2048),
        theta_key="rotary_emb_base",
        share_key="rotary_pct",
        share=0.25,
    )
    return {
        **DECODER,
        "position_kind": "none",
        "rotary": (rotary,) * read_value(stated, "num_hidden_layers", 44),
    }


def _group_by_head(family: Family, stated: Settings) -> Family:
    """Tells the names how many heads' queries, keys and values lie in one tensor."""
    num_heads = max(1, read_value(stated, "num_attention_heads", 64))
    renames = tuple(
        replace(rename, groups=num_heads) if rename.part[1] > 1 else rename
        for rename in family.backbone
    )
    return replace(family, backbone=renames)


def _part(name: str, index: int) -> Rename:
    return Rename(
        f"{_BLOCK}attention/{name}", f"{_LAYER}attention.query_key_value", part=(index, 3)
    )


GPT_NEOX = Family(
    model_type="gpt_neox",
    prefix="gpt_neox.",
    architecture="GPTNeoXModel",
    config_keys=(
        ConfigKey("vocabulary_size", "vocab_size", 50432),
        ConfigKey("hidden_size", "hidden_size", 6144),
        ConfigKey("num_layers", "num_hidden_layers", 44),
        ConfigKey("num_heads", "num_attention_heads", 64),
        ConfigKey("intermediate_size", "intermediate_size", 24576),
        ConfigKey("max_positions", "max_position_embeddings", 2048),
        ConfigKey("activation", "hidden_act", "gelu"),
        ConfigKey("norm_epsilon", "layer_norm_eps", 1e-5),
        ConfigKey("hidden_dropout", "hidden_dropout", 0.0),
        ConfigKey("attention_dropout", "attention_dropout", 0.0),
        ConfigKey("attention_biases", "attention_bias", True),
        ConfigKey("parallel_residual", "use_parallel_residual", True),
        ConfigKey("initializer_range", "initializer_range", 0.02),
        ConfigKey("tied_output", "tie_word_embeddings", False),
    ),
    check_config=_check_config,
    backbone=(
        Rename("encoder/embeddings/token", "embed_in"),
        _part("query", 0),
        _part("key", 1),
        _part("value", 2),
        Rename(_BLOCK + "attention/output", _LAYER + "attention.dense"),
        Rename(_BLOCK + "attention_norm", _LAYER + "input_layernorm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "mlp.dense_h_to_4h"),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "mlp.dense_4h_to_h"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "post_attention_layernorm"),
        Rename("encoder/final_norm", "final_layer_norm"),
    ),
    heads=heads("GPTNeoX", output="embed_out", table="embed_in"),
    other_heads=("embed_out.", "score.", "classifier.", "qa_outputs."),
    # The causal mask and the wavelengths, which older checkpoints store.
    buffers=("attention.bias", "attention.masked_bias", "inv_freq"),
    adapt=_group_by_head,
)
