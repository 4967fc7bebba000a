"""DeBERTa versions 2 (He et al., arXiv:2006.03654) and 3 (arXiv:2111.09543)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings, VocabularySettings
from tfaigc.models import DisentangledSettings

_ATTENTION = "encoder/block_{i}/attention/"
_SELF = "encoder.layer.{i}.attention.self."
_CLASSIFIER = (Rename("summary/dense", "pooler.dense"), Rename("classifier", "classifier"))
_PUBLISHED_LANGUAGE_MODEL = replace(
    head_tables.language_model(
        "DebertaV2ForMaskedLM",
        dense="lm_predictions.lm_head.dense",
        norm="lm_predictions.lm_head.LayerNorm",
        bias="lm_predictions.lm_head",
        output="lm_predictions.lm_head",
    ),
    # Its output is the table of token embeddings, whatever config.json says.
    read_vocabulary=lambda _: VocabularySettings(),
    ties=(),
    states_tie=False,
)


def _check_config(stated: Settings) -> Settings:
    hidden_size = read_value(stated, "hidden_size", 1536)
    for name in ("embedding_size", "pooler_hidden_size"):
        tables.refuse_other(stated, name, hidden_size)
    heads = read_value(stated, "num_attention_heads", 24)
    tables.refuse_other(stated, "attention_head_size", hidden_size // max(heads, 1))
    if stated.get("conv_kernel_size", 0) > 0:
        raise ConfigError(
            "conv_kernel_size in a deberta-v2 config.json must be 0 or absent: the convolution "
            "beside the first layer is not supported. "
            f"Received: {stated['conv_kernel_size']}. Take a checkpoint without it, as all of "
            "DeBERTa version 3 are."
        )
    learned = read_value(stated, "position_biased_input", True)
    return {
        "position_kind": "learned" if learned else "none",
        "disentangled": _read_distances(stated),
    }


def _read_distances(stated: Settings) -> DisentangledSettings:
    max_distance = read_value(stated, "max_relative_positions", -1)
    if max_distance < 1:
        max_distance = read_value(stated, "max_position_embeddings", 512)
    return DisentangledSettings(
        terms=_read_terms(stated),
        has_table=read_value(stated, "relative_attention", False),
        num_buckets=max(read_value(stated, "position_buckets", -1), 0),
        max_distance=max_distance,
        shared=read_value(stated, "share_att_key", False),
        norm=_read_norm(stated),
    )


def _read_terms(stated: Settings) -> tuple[str, ...]:
    terms: Any = stated.get("pos_att_type") or []
    if isinstance(terms, str):
        terms = [term.strip() for term in terms.lower().split("|")]
    if not isinstance(terms, list) or set(terms) - {"c2p", "p2c"}:
        raise ConfigError(
            "pos_att_type in a deberta-v2 config.json must list none, one or both of c2p and p2c. "
            f"Received: {stated['pos_att_type']!r}. Take another checkpoint."
        )
    return tuple(dict.fromkeys(terms))


def _read_norm(stated: Settings) -> bool:
    kinds = {kind.strip() for kind in read_value(stated, "norm_rel_ebd", "none").lower().split("|")}
    if kinds - {"none", "layer_norm"}:
        raise ConfigError(
            "norm_rel_ebd in a deberta-v2 config.json must be 'none' or 'layer_norm'. "
            f"Received: {stated['norm_rel_ebd']!r}. Take another checkpoint."
        )
    return "layer_norm" in kinds


def _read_summary(stated: Settings) -> SummarySettings:
    share = stated.get("cls_dropout")
    return SummarySettings(
        source="first",
        activation=read_value(stated, "pooler_hidden_act", "gelu"),
        first_dropout=read_value(stated, "pooler_dropout", 0.0),
        last_dropout=read_value(stated, "hidden_dropout_prob", 0.1) if share is None else share,
    )


def _adapt(family: Family, stated: Settings) -> Family:
    """Gives a checkpoint the published language model's head, if it has that."""
    if read_value(stated, "legacy", True):
        return family
    return replace(family, heads={**family.heads, "masked_lm": _PUBLISHED_LANGUAGE_MODEL})


DEBERTA_V2 = Family(
    model_type="deberta-v2",
    prefix="deberta.",
    architecture="DebertaV2Model",
    config_keys=tables.with_defaults(
        tables.SIZE_KEYS,
        vocab_size=128100,
        hidden_size=1536,
        num_hidden_layers=24,
        num_attention_heads=24,
        intermediate_size=6144,
        type_vocab_size=0,
        layer_norm_eps=1e-7,
    ),
    check_config=_check_config,
    backbone=(
        *tables.EMBEDDINGS,
        Rename("encoder/relative_embeddings/table", "encoder.rel_embeddings"),
        Rename("encoder/relative_embeddings/norm", "encoder.LayerNorm"),
        Rename(_ATTENTION + "query", _SELF + "query_proj"),
        Rename(_ATTENTION + "key", _SELF + "key_proj"),
        Rename(_ATTENTION + "value", _SELF + "value_proj"),
        Rename(_ATTENTION + "distance_key", _SELF + "pos_key_proj"),
        Rename(_ATTENTION + "distance_query", _SELF + "pos_query_proj"),
        *tables.ATTENTION,
        *tables.FEED_FORWARD,
    ),
    heads={
        "text_classification": Head(
            architecture="DebertaV2ForSequenceClassification",
            renames=_CLASSIFIER,
            read_summary=_read_summary,
        ),
        "token_classification": head_tables.token_classifier(
            "DebertaV2", head_tables.hidden_dropout
        ),
        "question_answering": head_tables.span_finder("DebertaV2"),
        "multiple_choice": head_tables.choice(
            "DebertaV2", _read_summary, renames=_CLASSIFIER, needs_pooler=False
        ),
        "masked_lm": head_tables.language_model(
            "DebertaV2ForMaskedLM",
            dense="cls.predictions.transform.dense",
            norm="cls.predictions.transform.LayerNorm",
            bias="cls.predictions",
            output="cls.predictions.decoder",
        ),
    },
    other_heads=(
        "lm_predictions.",
        "mask_predictions.",
        # Some checkpoints keep a position table, or a norm for distances, that they do not use.
        "embeddings.position_embeddings.",
        "encoder.LayerNorm.",
    ),
    adapt=_adapt,
)
