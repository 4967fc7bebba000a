"""ModernBERT (Warner et al., arXiv:2412.13663): rotary positions, local and global layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings, VocabularySettings
from tfaigc.layers.rotary import rotary_frequencies, rotary_settings

_BLOCK = "encoder/block_{i}/"
_LAYER = "layers.{i}."
_CLASSIFIER = (
    Rename("summary/dense", "head.dense"),
    Rename("summary/norm", "head.norm"),
    Rename("classifier", "classifier"),
)
_KINDS = ("full_attention", "sliding_attention")
_THETAS = {
    "full_attention": ("global_rope_theta", 160_000.0),
    "sliding_attention": ("local_rope_theta", 10_000.0),
}


def _check_config(stated: Settings) -> Settings:
    kinds = _read_kinds(stated)
    window = read_value(stated, "local_attention", 128) // 2
    num_heads = max(1, read_value(stated, "num_attention_heads", 12))
    head_size = read_value(stated, "hidden_size", 768) // num_heads
    rotary = {
        kind: rotary_settings(rotary_frequencies(head_size, _read_theta(stated, kind)))
        for kind in _KINDS
    }
    attention_dropout = read_value(stated, "attention_dropout", 0.0)
    return {
        "num_segments": 0,
        "position_kind": "none",
        "windows": tuple(window if kind == "sliding_attention" else None for kind in kinds),
        "rotary": tuple(rotary[kind] for kind in kinds),
        "pre_norm": True,
        "first_norm": False,
        "gated": True,
        "attention_output_dropout": attention_dropout,
        "feed_forward_output_dropout": 0.0,
    }


def _read_kinds(stated: Settings) -> list[str]:
    num_layers = read_value(stated, "num_hidden_layers", 22)
    kinds = stated.get("layer_types")
    if kinds is None:
        # One layer in every so many is global; the first is.
        period = read_value(stated, "global_attn_every_n_layers", 3)
        return [_KINDS[bool(layer % period)] for layer in range(num_layers)]
    if not isinstance(kinds, list) or len(kinds) != num_layers or set(kinds) - set(_KINDS):
        raise ConfigError(
            f"layer_types in a modernbert config.json must name one of {', '.join(_KINDS)} for "
            f"each of the {num_layers} layers. Received: {kinds!r}. Correct config.json."
        )
    return kinds


def _read_theta(stated: Settings, kind: str) -> float:
    stated_of_kind: Any = (stated.get("rope_parameters") or {}).get(kind) or {}
    scaling: Any = stated.get("rope_scaling") or {}
    for entries in (stated_of_kind, scaling):
        rope_type = entries.get("rope_type", entries.get("type", "default"))
        unknown = set(entries) - {"rope_type", "type", "rope_theta"}
        if rope_type != "default" or unknown:
            raise ConfigError(
                "rope_parameters in a modernbert config.json must be of rope_type 'default', "
                f"with rope_theta alone. Received: {entries!r}. Take another checkpoint."
            )
    name, default = _THETAS[kind]
    theta = read_value(stated, name, default)
    return float(scaling.get("rope_theta", stated_of_kind.get("rope_theta", theta)))


def _read_summary(stated: Settings) -> SummarySettings:
    pooling = read_value(stated, "classifier_pooling", "cls")
    if pooling not in ("cls", "mean"):
        raise ConfigError(
            "classifier_pooling in a modernbert config.json must be 'cls' or 'mean'. "
            f"Received: {pooling!r}. Correct config.json."
        )
    return SummarySettings(
        source="first" if pooling == "cls" else "mean",
        activation=read_value(stated, "classifier_activation", "gelu"),
        use_bias=read_value(stated, "classifier_bias", False),
        norm_epsilon=read_value(stated, "norm_eps", 1e-5),
        norm_bias=read_value(stated, "norm_bias", False),
        last_dropout=read_value(stated, "classifier_dropout", 0.0),
    )


def _read_tokens(stated: Settings) -> SummarySettings:
    return replace(_read_summary(stated), source="tokens")


def _read_vocabulary(stated: Settings) -> VocabularySettings:
    use_bias = read_value(stated, "decoder_bias", True)
    return replace(head_tables.read_tie(stated), use_bias=use_bias)


MODERNBERT = Family(
    model_type="modernbert",
    prefix="model.",
    architecture="ModernBertModel",
    config_keys=(
        ConfigKey("vocabulary_size", "vocab_size", 50368),
        ConfigKey("hidden_size", "hidden_size", 768),
        ConfigKey("num_layers", "num_hidden_layers", 22),
        ConfigKey("num_heads", "num_attention_heads", 12),
        ConfigKey("intermediate_size", "intermediate_size", 1152),
        ConfigKey("max_positions", "max_position_embeddings", 8192),
        ConfigKey("activation", "hidden_activation", "gelu"),
        ConfigKey("norm_epsilon", "norm_eps", 1e-5),
        ConfigKey("norm_bias", "norm_bias", False),
        ConfigKey("attention_biases", "attention_bias", False),
        ConfigKey("feed_forward_biases", "mlp_bias", False),
        ConfigKey("hidden_dropout", "embedding_dropout", 0.0),
        ConfigKey("attention_dropout", "attention_dropout", 0.0),
        ConfigKey("feed_forward_inner_dropout", "mlp_dropout", 0.0),
        ConfigKey("initializer_range", "initializer_range", 0.02),
    ),
    check_config=_check_config,
    backbone=(
        Rename("encoder/embeddings/token", "embeddings.tok_embeddings"),
        Rename("encoder/embeddings/norm", "embeddings.norm"),
        Rename(_BLOCK + "attention/query", _LAYER + "attn.Wqkv", part=(0, 3)),
        Rename(_BLOCK + "attention/key", _LAYER + "attn.Wqkv", part=(1, 3)),
        Rename(_BLOCK + "attention/value", _LAYER + "attn.Wqkv", part=(2, 3)),
        Rename(_BLOCK + "attention/output", _LAYER + "attn.Wo"),
        Rename(_BLOCK + "attention_norm", _LAYER + "attn_norm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "mlp.Wi", part=(0, 2)),
        Rename(_BLOCK + "feed_forward/gate", _LAYER + "mlp.Wi", part=(1, 2)),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "mlp.Wo"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "mlp_norm"),
        Rename("encoder/final_norm", "final_norm"),
    ),
    heads={
        "text_classification": Head(
            architecture="ModernBertForSequenceClassification",
            renames=_CLASSIFIER,
            read_summary=_read_summary,
        ),
        "token_classification": Head(
            architecture="ModernBertForTokenClassification",
            renames=_CLASSIFIER,
            read_summary=_read_tokens,
        ),
        "question_answering": Head(
            architecture="ModernBertForQuestionAnswering",
            renames=_CLASSIFIER,
            read_summary=_read_tokens,
            num_outputs=2,
        ),
        "multiple_choice": head_tables.choice(
            "ModernBert", _read_summary, renames=_CLASSIFIER, needs_pooler=False
        ),
        "masked_lm": Head(
            architecture="ModernBertForMaskedLM",
            renames=(
                Rename("transform/dense", "head.dense"),
                Rename("transform/norm", "head.norm"),
                Rename("tied_output", "decoder"),
                Rename("output", "decoder"),
            ),
            read_summary=lambda stated: replace(_read_tokens(stated), last_dropout=0.0),
            read_vocabulary=_read_vocabulary,
            ties=(("decoder.weight", "embeddings.tok_embeddings.weight"),),
        ),
    },
)
