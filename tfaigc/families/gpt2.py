"""GPT-2 (Radford et al., 2019, "Language Models are Unsupervised Multitask Learners")."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.families.bert_tables import refuse_other
from tfaigc.families.decoder_tables import DECODER, heads, read_optional
from tfaigc.families.family import ConfigKey, Family, Settings, read_value

_BLOCK = "encoder/block_{i}/"
_LAYER = "h.{i}."


def _check_config(stated: Settings) -> Settings:
    refuse_other(stated, "add_cross_attention", False)
    hidden_size = read_value(stated, "n_embd", 768)
    head_size = hidden_size // max(1, read_value(stated, "n_head", 12))
    scale = max(1, head_size) ** -0.5 if read_value(stated, "scale_attn_weights", True) else 1.0
    by_layer = read_value(stated, "scale_attn_by_inverse_layer_idx", False)
    layers = range(read_value(stated, "n_layer", 12))
    share = read_value(stated, "resid_pdrop", 0.1)
    return {
        **DECODER,
        "intermediate_size": read_optional(stated, "n_inner") or 4 * hidden_size,
        "attention_scales": tuple(scale / (layer + 1) if by_layer else scale for layer in layers),
        "attention_output_dropout": share,
        "feed_forward_output_dropout": share,
    }


def _part(name: str, index: int) -> Rename:
    return Rename(
        f"{_BLOCK}attention/{name}", f"{_LAYER}attn.c_attn", transposed=False, part=(index, 3)
    )


def _whole(ours: str, theirs: str) -> Rename:
    return Rename(_BLOCK + ours, _LAYER + theirs, transposed=False)


def _fresh_factor(path: str, stated: Settings) -> float:
    """Makes what is added to the residual smaller, the more layers add to it (section 2.3)."""
    adds = path.endswith(("attention/output/kernel", "feed_forward/outer/kernel"))
    return float((2 * read_value(stated, "n_layer", 12)) ** -0.5) if adds else 1.0


GPT2 = Family(
    model_type="gpt2",
    prefix="transformer.",
    architecture="GPT2Model",
    config_keys=(
        ConfigKey("vocabulary_size", "vocab_size", 50257),
        ConfigKey("hidden_size", "n_embd", 768),
        ConfigKey("num_layers", "n_layer", 12),
        ConfigKey("num_heads", "n_head", 12),
        ConfigKey("max_positions", "n_positions", 1024),
        ConfigKey("activation", "activation_function", "gelu_new"),
        ConfigKey("norm_epsilon", "layer_norm_epsilon", 1e-5),
        ConfigKey("hidden_dropout", "embd_pdrop", 0.1),
        ConfigKey("attention_dropout", "attn_pdrop", 0.1),
        ConfigKey("initializer_range", "initializer_range", 0.02),
        ConfigKey("tied_output", "tie_word_embeddings", True),
    ),
    check_config=_check_config,
    fresh_factor=_fresh_factor,
    backbone=(
        Rename("encoder/embeddings/token", "wte"),
        Rename("encoder/embeddings/position", "wpe"),
        _part("query", 0),
        _part("key", 1),
        _part("value", 2),
        _whole("attention/output", "attn.c_proj"),
        _whole("attention_norm", "ln_1"),
        _whole("feed_forward/inner", "mlp.c_fc"),
        _whole("feed_forward/outer", "mlp.c_proj"),
        _whole("feed_forward_norm", "ln_2"),
        Rename("encoder/final_norm", "ln_f"),
    ),
    heads=heads("GPT2", language_model="LMHeadModel", table="wte", tied=True),
    other_heads=("lm_head.", "score.", "classifier.", "qa_outputs.", "multiple_choice_head."),
    # The causal mask, which older checkpoints store.
    buffers=("attn.bias", "attn.masked_bias"),
)
