"""ELECTRA (Clark et al., arXiv:2003.10555), discriminators and generators alike."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.families import bert_tables as tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings
from tfaigc.layers import SummarySettings


def _read_summary(stated: Settings) -> SummarySettings:
    share = tables.classifier_dropout(stated)
    return SummarySettings(
        source="first", activation="gelu", first_dropout=share, last_dropout=share
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
    },
    other_heads=(
        "discriminator_predictions.",
        "generator_predictions.",
        "generator_lm_head.",
        "qa_outputs.",
        "sequence_summary.",
        "classifier.",
    ),
)
