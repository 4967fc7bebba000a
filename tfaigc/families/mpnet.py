"""MPNet (Song et al., arXiv:2004.09297): attention scores biased by distance."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings
from tfaigc.layers import SummarySettings

_BLOCK = "encoder/block_{i}/attention/"
_LAYER = "encoder.layer.{i}.attention.attn."
_BUCKETS = 32


def _check_config(stated: Settings) -> Settings:
    rows = stated.get("relative_attention_num_buckets", _BUCKETS)
    if isinstance(rows, int) and rows < _BUCKETS:
        raise ConfigError(
            f"relative_attention_num_buckets in an mpnet config.json must be at least {_BUCKETS}: "
            f"MPNet sorts distances into {_BUCKETS} buckets, whatever the table's size. "
            f"Received: {rows}. Correct config.json."
        )
    # MPNet counts positions past token 1, whatever pad_token_id says.
    return {
        "num_segments": 0,
        "position_kind": "past_padding",
        "position_padding_id": 1,
        "relative_buckets": _BUCKETS,
        "relative_distance": 128,
    }


def _read_summary(stated: Settings) -> SummarySettings:
    # MPNet's head does not look at classifier_dropout.
    return tables.first_token_summary({**stated, "classifier_dropout": None})


MPNET = Family(
    model_type="mpnet",
    prefix="mpnet.",
    architecture="MPNetModel",
    config_keys=(
        *tables.without(
            tables.with_defaults(tables.SIZE_KEYS, vocab_size=30527), "type_vocab_size"
        ),
        ConfigKey("relative_rows", "relative_attention_num_buckets", _BUCKETS),
    ),
    check_config=_check_config,
    backbone=(
        *tables.EMBEDDINGS,
        Rename("encoder/relative_bias/table", "encoder.relative_attention_bias"),
        Rename(_BLOCK + "query", _LAYER + "q"),
        Rename(_BLOCK + "key", _LAYER + "k"),
        Rename(_BLOCK + "value", _LAYER + "v"),
        Rename(_BLOCK + "output", _LAYER + "o"),
        Rename("encoder/block_{i}/attention_norm", "encoder.layer.{i}.attention.LayerNorm"),
        *tables.FEED_FORWARD,
        *tables.POOLER,
    ),
    heads={
        "text_classification": Head(
            architecture="MPNetForSequenceClassification",
            renames=tables.TWO_LAYER_CLASSIFIER,
            read_summary=_read_summary,
        ),
        "token_classification": head_tables.token_classifier("MPNet", head_tables.hidden_dropout),
        "question_answering": head_tables.span_finder("MPNet"),
        "multiple_choice": head_tables.choice(
            "MPNet", head_tables.pooled_without_classifier_dropout
        ),
        "masked_lm": head_tables.roberta_language_model("MPNetForMaskedLM"),
    },
)
