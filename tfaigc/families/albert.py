"""ALBERT (Lan et al., arXiv:1909.11942): factorized embeddings, layers that share weights."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings

_BLOCK = "encoder/block_{i}_{i}/"
_LAYER = "encoder.albert_layer_groups.{i}.albert_layers.{i}."


def _check_config(stated: Settings) -> Settings:
    tables.refuse_other(stated, "position_embedding_type", "absolute")
    return {"always_project": True, "feed_forward_output_dropout": 0.0}


def _read_dropout(stated: Settings) -> float:
    return float(read_value(stated, "classifier_dropout_prob", 0.1))


def _read_summary(stated: Settings) -> SummarySettings:
    return SummarySettings(last_dropout=_read_dropout(stated))


ALBERT = Family(
    model_type="albert",
    prefix="albert.",
    architecture="AlbertModel",
    config_keys=(
        *tables.with_defaults(
            tables.SIZE_KEYS,
            vocab_size=30000,
            hidden_size=4096,
            num_attention_heads=64,
            intermediate_size=16384,
            hidden_act="gelu_new",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        ),
        ConfigKey("embedding_size", "embedding_size", 128),
        ConfigKey("num_groups", "num_hidden_groups", 1),
        ConfigKey("blocks_in_group", "inner_group_num", 1),
    ),
    check_config=_check_config,
    backbone=(
        *tables.EMBEDDINGS,
        Rename("encoder/embeddings/projection", "encoder.embedding_hidden_mapping_in"),
        Rename(_BLOCK + "attention/query", _LAYER + "attention.query"),
        Rename(_BLOCK + "attention/key", _LAYER + "attention.key"),
        Rename(_BLOCK + "attention/value", _LAYER + "attention.value"),
        Rename(_BLOCK + "attention/output", _LAYER + "attention.dense"),
        Rename(_BLOCK + "attention_norm", _LAYER + "attention.LayerNorm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "ffn"),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "ffn_output"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "full_layer_layer_norm"),
        Rename("pooler", "pooler"),
    ),
    heads={
        "text_classification": Head(
            architecture="AlbertForSequenceClassification",
            renames=(Rename("classifier", "classifier"),),
            needs_pooler=True,
            read_summary=_read_summary,
        ),
        "token_classification": head_tables.token_classifier("Albert", _read_dropout),
        "question_answering": head_tables.span_finder("Albert"),
        "multiple_choice": head_tables.choice("Albert", _read_summary),
        "masked_lm": head_tables.language_model(
            "AlbertForMaskedLM",
            dense="predictions.dense",
            norm="predictions.LayerNorm",
            bias="predictions",
            output="predictions.decoder",
            width_key="embedding_size",
        ),
    },
    sentence_heads={
        "sentence_order": Head(
            architecture="AlbertForPreTraining",
            renames=(Rename("classifier", "sop_classifier.classifier"),),
            needs_pooler=True,
            read_summary=_read_summary,
            num_outputs=2,
        ),
    },
    other_heads=("sop_classifier.",),
)
