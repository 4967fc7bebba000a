"""RoBERTa (Liu et al., arXiv:1907.11692), XLM-RoBERTa (1911.02116), CamemBERT (1911.03894)."""

from __future__ import annotations

from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings


def _check_config(stated: Settings) -> Settings:
    return {**tables.check_direction(stated), "position_kind": "past_padding"}


def _family(model_type: str, name: str) -> Family:
    return Family(
        model_type=model_type,
        prefix="roberta.",
        architecture=f"{name}Model",
        config_keys=(
            *tables.with_defaults(tables.SIZE_KEYS, vocab_size=50265),
            ConfigKey("position_padding_id", "pad_token_id", 1),
        ),
        check_config=_check_config,
        backbone=(
            *tables.EMBEDDINGS,
            *tables.ATTENTION,
            *tables.FEED_FORWARD,
            *tables.POOLER,
        ),
        heads={
            "text_classification": Head(
                architecture=f"{name}ForSequenceClassification",
                renames=tables.TWO_LAYER_CLASSIFIER,
                read_summary=tables.first_token_summary,
            ),
            "token_classification": head_tables.token_classifier(name),
            "question_answering": head_tables.span_finder(name),
            "multiple_choice": head_tables.choice(
                name, head_tables.pooled_without_classifier_dropout
            ),
            "masked_lm": head_tables.roberta_language_model(f"{name}ForMaskedLM"),
        },
    )


ROBERTA = _family("roberta", "Roberta")
XLM_ROBERTA = _family("xlm-roberta", "XLMRoberta")
CAMEMBERT = _family("camembert", "Camembert")
