"""BERT (Devlin et al., arXiv:1810.04805)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families.family import ConfigKey, Family, Head


def _check_config(stated: Mapping[str, Any]) -> dict[str, Any]:
    positions = stated.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise ConfigError(
            "position_embedding_type in a BERT config.json must be 'absolute'. "
            f"Received: {positions!r}. transformers 5 dropped the other kinds too: take a "
            "checkpoint with absolute positions."
        )
    if stated.get("add_cross_attention", False):
        raise ConfigError(
            "add_cross_attention in a BERT config.json must be false: a BERT that reads another "
            "encoder's output is not supported. Received: true. Take an encoder checkpoint."
        )
    return {"causal": bool(stated.get("is_decoder", False))}


_BLOCK = "encoder/block_{i}/"
_LAYER = "encoder.layer.{i}."

BERT = Family(
    model_type="bert",
    prefix="bert.",
    architecture="BertModel",
    config_keys=(
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
    ),
    check_config=_check_config,
    backbone=(
        Rename("encoder/embeddings/token", "embeddings.word_embeddings"),
        Rename("encoder/embeddings/position", "embeddings.position_embeddings"),
        Rename("encoder/embeddings/segment", "embeddings.token_type_embeddings"),
        Rename("encoder/embeddings/norm", "embeddings.LayerNorm"),
        Rename(_BLOCK + "attention/query", _LAYER + "attention.self.query"),
        Rename(_BLOCK + "attention/key", _LAYER + "attention.self.key"),
        Rename(_BLOCK + "attention/value", _LAYER + "attention.self.value"),
        Rename(_BLOCK + "attention/output", _LAYER + "attention.output.dense"),
        Rename(_BLOCK + "attention_norm", _LAYER + "attention.output.LayerNorm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "intermediate.dense"),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "output.dense"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "output.LayerNorm"),
        Rename("pooler", "pooler.dense"),
    ),
    heads={
        "text_classification": Head(
            architecture="BertForSequenceClassification",
            renames=(Rename("classifier", "classifier"),),
            needs_pooler=True,
        ),
    },
    other_heads=("cls.", "qa_outputs.", "classifier."),
)
