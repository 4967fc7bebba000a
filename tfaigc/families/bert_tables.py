"""What BERT and its nearest descendants have in common."""

from __future__ import annotations

import json
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families.family import ConfigKey, Settings, read_value
from tfaigc.layers import SummarySettings

SIZE_KEYS = (
    ConfigKey("vocabulary_size", "vocab_size", 30522),
    ConfigKey("hidden_size", "hidden_size", 768),
    ConfigKey("num_layers", "num_hidden_layers", 12),
    ConfigKey("num_heads", "num_attention_heads", 12),
    ConfigKey("intermediate_size", "intermediate_size", 3072),
    ConfigKey("max_positions", "max_position_embeddings", 512),
    ConfigKey("num_segments", "type_vocab_size", 2),
    ConfigKey("activation", "hidden_act", "gelu"),
    ConfigKey("norm_epsilon", "layer_norm_eps", 1e-12),
    ConfigKey("hidden_dropout", "hidden_dropout_prob", 0.1),
    ConfigKey("attention_dropout", "attention_probs_dropout_prob", 0.1),
    ConfigKey("initializer_range", "initializer_range", 0.02),
)

_BLOCK = "encoder/block_{i}/"
_LAYER = "encoder.layer.{i}."

EMBEDDINGS = (
    Rename("encoder/embeddings/token", "embeddings.word_embeddings"),
    Rename("encoder/embeddings/position", "embeddings.position_embeddings"),
    Rename("encoder/embeddings/segment", "embeddings.token_type_embeddings"),
    Rename("encoder/embeddings/norm", "embeddings.LayerNorm"),
)
ATTENTION = (
    Rename(_BLOCK + "attention/query", _LAYER + "attention.self.query"),
    Rename(_BLOCK + "attention/key", _LAYER + "attention.self.key"),
    Rename(_BLOCK + "attention/value", _LAYER + "attention.self.value"),
    Rename(_BLOCK + "attention/output", _LAYER + "attention.output.dense"),
    Rename(_BLOCK + "attention_norm", _LAYER + "attention.output.LayerNorm"),
)
FEED_FORWARD = (
    Rename(_BLOCK + "feed_forward/inner", _LAYER + "intermediate.dense"),
    Rename(_BLOCK + "feed_forward/outer", _LAYER + "output.dense"),
    Rename(_BLOCK + "feed_forward_norm", _LAYER + "output.LayerNorm"),
)
POOLER = (Rename("pooler", "pooler.dense"),)

# A head with a dense layer of its own, as RoBERTa's.
TWO_LAYER_CLASSIFIER = (
    Rename("summary/dense", "classifier.dense"),
    Rename("classifier", "classifier.out_proj"),
)


def with_defaults(keys: tuple[ConfigKey, ...], **defaults: Any) -> tuple[ConfigKey, ...]:
    """Returns the keys with other meanings of absent ones, by their names in ``config.json``."""
    return tuple(
        ConfigKey(key.ours, key.theirs, defaults.get(key.theirs, key.default)) for key in keys
    )


def without(keys: tuple[ConfigKey, ...], *names: str) -> tuple[ConfigKey, ...]:
    """Returns the keys but for some, by their names in ``config.json``."""
    return tuple(key for key in keys if key.theirs not in names)


def check_direction(stated: Settings) -> dict[str, Any]:
    """Reads what makes a BERT look back only, and refuses what ``transformers`` dropped.

    Args:
        stated: The parsed ``config.json``.

    Returns:
        Fields of ``TransformerConfig``.

    Raises:
        ConfigError: A value cannot be honoured.
    """
    refuse_other(stated, "position_embedding_type", "absolute")
    refuse_other(stated, "add_cross_attention", False)
    return {"causal": read_value(stated, "is_decoder", False)}


def refuse_other(stated: Settings, name: str, supported: Any) -> None:
    """Refuses a value of ``config.json`` other than the one that is supported.

    Args:
        stated: The parsed file.
        name: The key; absent, it means the supported value.
        supported: The value.

    Raises:
        ConfigError: Another value is stated.
    """
    value = stated.get(name, supported)
    if value != supported:
        raise ConfigError(
            f"{name} in a {stated.get('model_type', 'bert')} config.json must be "
            f"{json.dumps(supported)}: nothing else is supported. Received: {json.dumps(value)}. "
            "Take another checkpoint."
        )


def classifier_dropout(stated: Settings) -> float:
    """Returns the share that ``classifier_dropout`` states, or else ``hidden_dropout_prob``."""
    if stated.get("classifier_dropout") is None:
        return float(read_value(stated, "hidden_dropout_prob", 0.1))
    return float(read_value(stated, "classifier_dropout", 0.1))


def pooled_summary(stated: Settings) -> SummarySettings:
    """Returns the summary of heads on the pooled output, as BERT's."""
    return SummarySettings(last_dropout=classifier_dropout(stated))


def first_token_summary(stated: Settings) -> SummarySettings:
    """Returns the summary of heads with a dense layer on the first token, as RoBERTa's."""
    share = classifier_dropout(stated)
    return SummarySettings(
        source="first", activation="tanh", first_dropout=share, last_dropout=share
    )
