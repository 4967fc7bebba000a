"""ELECTRA (Clark et al., arXiv:2003.10555), discriminators and generators alike."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings


def _read_summary(stated: Settings) -> SummarySettings:
    share = tables.classifier_dropout(stated)
    return SummarySettings(
        source="first", activation="gelu", first_dropout=share, last_dropout=share
    )


def _read_choice_summary(stated: Settings) -> SummarySettings:
    tables.refuse_other(stated, "summary_type", "first")
    tables.refuse_other(stated, "summary_use_proj", True)
    return SummarySettings(
        source="first",
        activation=stated.get("summary_activation", "gelu") or "linear",
        first_dropout=read_value(stated, "summary_first_dropout", 0.0),
        last_dropout=read_value(stated, "summary_last_dropout", 0.1),
    )


ELECTRA = Family(
    model_type="electra",
    prefix="electra.",
    architecture="ElectraModel",
    config_keys=(
        *tables.with_defaults(
            tables.SIZE_KEYS, hidden_size=256, num_attention_heads=4, intermediate_size=1024
        ),
        ConfigKey("embedding_size", "embedding_size", 128),
    ),
    check_config=tables.check_direction,
    backbone=(
        *tables.EMBEDDINGS,
        Rename("encoder/embeddings/projection", "embeddings_project"),
        *tables.ATTENTION,
        *tables.FEED_FORWARD,
    ),
    heads={
        "text_classification": Head(
            architecture="ElectraForSequenceClassification",
            renames=tables.TWO_LAYER_CLASSIFIER,
            read_summary=_read_summary,
        ),
        "token_classification": head_tables.token_classifier("Electra"),
        "question_answering": head_tables.span_finder("Electra"),
        "multiple_choice": head_tables.choice(
            "Electra",
            _read_choice_summary,
            renames=(
                Rename("summary/dense", "sequence_summary.summary"),
                Rename("classifier", "classifier"),
            ),
            needs_pooler=False,
        ),
        "masked_lm": head_tables.language_model(
            "ElectraForMaskedLM",
            dense="generator_predictions.dense",
            norm="generator_predictions.LayerNorm",
            bias="generator_lm_head",
            output="generator_lm_head",
            activation="gelu",
            width_key="embedding_size",
        ),
        "replaced_token": Head(
            architecture="ElectraForPreTraining",
            renames=(
                Rename("summary/dense", "discriminator_predictions.dense"),
                Rename("classifier", "discriminator_predictions.dense_prediction"),
            ),
            read_summary=lambda stated: SummarySettings(
                source="tokens", activation=read_value(stated, "hidden_act", "gelu")
            ),
            num_outputs=1,
        ),
    },
)
