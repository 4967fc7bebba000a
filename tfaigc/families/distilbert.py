"""DistilBERT (Sanh et al., arXiv:1910.01108): half of BERT's layers, no segments, no pooler."""

from __future__ import annotations

from tfaigc.checkpoints.names import Rename
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings

_BLOCK = "encoder/block_{i}/"
_LAYER = "transformer.layer.{i}."
_CLASSIFIER = (Rename("summary/dense", "pre_classifier"), Rename("classifier", "classifier"))


def _check_config(stated: Settings) -> Settings:
    # The epsilon is not stated: it is the same for all checkpoints. sinusoidal_pos_embds only
    # says what the position table started from; the table itself is stored.
    return {"num_segments": 0, "norm_epsilon": 1e-12, "attention_output_dropout": 0.0}


def _read_summary(stated: Settings) -> SummarySettings:
    share = read_value(stated, "seq_classif_dropout", 0.2)
    return SummarySettings(source="first", activation="relu", last_dropout=share)


def _read_transform(stated: Settings) -> SummarySettings:
    activation = read_value(stated, "activation", "gelu")
    return SummarySettings(source="tokens", activation=activation, norm_epsilon=1e-12)


DISTILBERT = Family(
    model_type="distilbert",
    prefix="distilbert.",
    architecture="DistilBertModel",
    config_keys=(
        ConfigKey("vocabulary_size", "vocab_size", 30522),
        ConfigKey("hidden_size", "dim", 768),
        ConfigKey("num_layers", "n_layers", 6),
        ConfigKey("num_heads", "n_heads", 12),
        ConfigKey("intermediate_size", "hidden_dim", 4 * 768),
        ConfigKey("max_positions", "max_position_embeddings", 512),
        ConfigKey("activation", "activation", "gelu"),
        ConfigKey("hidden_dropout", "dropout", 0.1),
        ConfigKey("attention_dropout", "attention_dropout", 0.1),
        ConfigKey("initializer_range", "initializer_range", 0.02),
    ),
    check_config=_check_config,
    backbone=(
        Rename("encoder/embeddings/token", "embeddings.word_embeddings"),
        Rename("encoder/embeddings/position", "embeddings.position_embeddings"),
        Rename("encoder/embeddings/norm", "embeddings.LayerNorm"),
        Rename(_BLOCK + "attention/query", _LAYER + "attention.q_lin"),
        Rename(_BLOCK + "attention/key", _LAYER + "attention.k_lin"),
        Rename(_BLOCK + "attention/value", _LAYER + "attention.v_lin"),
        Rename(_BLOCK + "attention/output", _LAYER + "attention.out_lin"),
        Rename(_BLOCK + "attention_norm", _LAYER + "sa_layer_norm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "ffn.lin1"),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "ffn.lin2"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "output_layer_norm"),
    ),
    heads={
        "text_classification": Head(
            architecture="DistilBertForSequenceClassification",
            renames=_CLASSIFIER,
            read_summary=_read_summary,
        ),
        "token_classification": head_tables.token_classifier(
            "DistilBert", lambda stated: read_value(stated, "dropout", 0.1)
        ),
        "question_answering": head_tables.span_finder(
            "DistilBert", lambda stated: read_value(stated, "qa_dropout", 0.1)
        ),
        "multiple_choice": head_tables.choice(
            "DistilBert", _read_summary, renames=_CLASSIFIER, needs_pooler=False
        ),
        "masked_lm": Head(
            architecture="DistilBertForMaskedLM",
            renames=(
                Rename("transform/dense", "vocab_transform"),
                Rename("transform/norm", "vocab_layer_norm"),
                Rename("tied_output", "vocab_projector"),
                Rename("output", "vocab_projector"),
            ),
            read_summary=_read_transform,
            read_vocabulary=head_tables.read_tie,
            ties=(("vocab_projector.weight", "embeddings.word_embeddings.weight"),),
        ),
    },
)
