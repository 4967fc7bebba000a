"""Longformer (Beltagy et al., arXiv:2004.05150): a sliding window, and global tokens."""

from __future__ import annotations

from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings

_ATTENTION = "encoder/block_{i}/attention/"
_SELF = "encoder.layer.{i}.attention.self."


def _check_config(stated: Settings) -> Settings:
    return {
        "position_kind": "past_padding",
        "global_attention": True,
        "windows": tuple(window // 2 for window in _read_windows(stated)),
    }


def _read_windows(stated: Settings) -> list[int]:
    num_layers = read_value(stated, "num_hidden_layers", 12)
    windows: Any = stated.get("attention_window", 512)
    if isinstance(windows, int):
        windows = [windows] * num_layers
    fit = isinstance(windows, list) and len(windows) == num_layers
    if not fit or not all(isinstance(size, int) and size > 0 and not size % 2 for size in windows):
        raise ConfigError(
            "attention_window in a longformer config.json must be a positive, even number, or one "
            f"for each of the {num_layers} layers. Received: {windows!r}. Correct config.json."
        )
    return windows


def _read_summary(stated: Settings) -> SummarySettings:
    # Longformer's head does not look at classifier_dropout.
    return tables.first_token_summary({**stated, "classifier_dropout": None})


LONGFORMER = Family(
    model_type="longformer",
    prefix="longformer.",
    architecture="LongformerModel",
    config_keys=(
        *tables.SIZE_KEYS,
        ConfigKey("position_padding_id", "pad_token_id", 1),
    ),
    check_config=_check_config,
    backbone=(
        *tables.EMBEDDINGS,
        Rename(_ATTENTION + "global_query", _SELF + "query_global"),
        Rename(_ATTENTION + "global_key", _SELF + "key_global"),
        Rename(_ATTENTION + "global_value", _SELF + "value_global"),
        *tables.ATTENTION,
        *tables.FEED_FORWARD,
        *tables.POOLER,
    ),
    heads={
        "text_classification": Head(
            architecture="LongformerForSequenceClassification",
            renames=tables.TWO_LAYER_CLASSIFIER,
            read_summary=_read_summary,
            global_tokens="first",
        ),
        "token_classification": head_tables.token_classifier(
            "Longformer", head_tables.hidden_dropout
        ),
        "question_answering": head_tables.span_finder("Longformer", global_tokens="question"),
        "multiple_choice": head_tables.choice(
            "Longformer",
            head_tables.pooled_without_classifier_dropout,
            global_tokens="answer",
        ),
        "masked_lm": head_tables.roberta_language_model("LongformerForMaskedLM"),
    },
)
