"""Rows for the heads that most encoders have in the same shape."""

from __future__ import annotations

from collections.abc import Callable

from tfaigc.checkpoints.names import Rename
from tfaigc.families import bert_tables as tables
from tfaigc.families.family import Head, Settings, read_value
from tfaigc.layers import SummarySettings, VocabularySettings

ReadShare = Callable[[Settings], float]


def hidden_dropout(stated: Settings) -> float:
    """Returns the share that ``hidden_dropout_prob`` states."""
    return float(read_value(stated, "hidden_dropout_prob", 0.1))


def token_classifier(name: str, read_dropout: ReadShare = tables.classifier_dropout) -> Head:
    """Returns a dense layer over each token.

    Args:
        name: What the names of the family's classes in ``transformers`` begin with.
        read_dropout: Takes ``config.json`` to the share that training drops before the layer.
    """
    return Head(
        architecture=f"{name}ForTokenClassification",
        renames=(Rename("classifier", "classifier"),),
        read_summary=lambda stated: SummarySettings(
            source="tokens", last_dropout=read_dropout(stated)
        ),
    )


def span_finder(
    name: str, read_dropout: ReadShare = lambda _: 0.0, *, global_tokens: str = "none"
) -> Head:
    """Returns a dense layer over each token, for where an answer starts and where it ends.

    Args:
        name: What the names of the family's classes in ``transformers`` begin with.
        read_dropout: Takes ``config.json`` to the share that training drops before the layer.
        global_tokens: One of ``GLOBAL_TOKENS``.
    """
    return Head(
        architecture=f"{name}ForQuestionAnswering",
        renames=(Rename("classifier", "qa_outputs"),),
        read_summary=lambda stated: SummarySettings(
            source="tokens", last_dropout=read_dropout(stated)
        ),
        num_outputs=2,
        global_tokens=global_tokens,
    )


def choice(
    name: str,
    read_summary: Callable[[Settings], SummarySettings] = tables.pooled_summary,
    *,
    renames: tuple[Rename, ...] = (Rename("classifier", "classifier"),),
    needs_pooler: bool = True,
    global_tokens: str = "none",
) -> Head:
    """Returns one logit for each of several texts.

    Args:
        name: What the names of the family's classes in ``transformers`` begin with.
        read_summary: Takes ``config.json`` to what the head reads.
        renames: Names of the head's layers.
        needs_pooler: Whether such a checkpoint's backbone has a pooler.
        global_tokens: One of ``GLOBAL_TOKENS``.
    """
    return Head(
        architecture=f"{name}ForMultipleChoice",
        renames=renames,
        needs_pooler=needs_pooler,
        read_summary=read_summary,
        num_outputs=1,
        takes_choices=True,
        global_tokens=global_tokens,
    )


def pooled_without_classifier_dropout(stated: Settings) -> SummarySettings:
    """Returns the summary of heads on the pooled output that ignore ``classifier_dropout``."""
    return SummarySettings(last_dropout=hidden_dropout(stated))


def read_tie(stated: Settings) -> VocabularySettings:
    """Returns an output with biases, tied unless ``tie_word_embeddings`` says otherwise."""
    return VocabularySettings(tied=read_value(stated, "tie_word_embeddings", True))


def language_model(
    architecture: str,
    *,
    dense: str,
    norm: str,
    bias: str,
    output: str,
    activation: str | None = None,
    width_key: str | None = None,
) -> Head:
    """Returns a dense layer with a norm, and an output tied to the table of token embeddings.

    Args:
        architecture: The class that ``transformers`` loads such a checkpoint with.
        dense: Name of the dense layer.
        norm: Name of the norm.
        bias: Name of the module that owns the bias of tied outputs.
        output: Name of the output layer.
        activation: The dense layer's activation; None: that of the feed-forward networks.
        width_key: Key of the dense layer's width in ``config.json``; None: the hidden size.
    """

    def read_transform(stated: Settings) -> SummarySettings:
        return SummarySettings(
            source="tokens",
            activation=activation or read_value(stated, "hidden_act", "gelu"),
            width=read_value(stated, width_key, 128) if width_key else None,
            norm_epsilon=read_value(stated, "layer_norm_eps", 1e-12),
        )

    ties = [(f"{output}.weight", "embeddings.word_embeddings.weight")]
    if bias != output:
        ties.append((f"{output}.bias", f"{bias}.bias"))
    return Head(
        architecture=architecture,
        renames=(
            Rename("transform/dense", dense),
            Rename("transform/norm", norm),
            Rename("tied_output", bias),
            Rename("output", output),
        ),
        read_summary=read_transform,
        read_vocabulary=read_tie,
        ties=tuple(ties),
    )


def roberta_language_model(architecture: str) -> Head:
    """Returns the language model's head of RoBERTa, whose names others took over."""
    return language_model(
        architecture,
        dense="lm_head.dense",
        norm="lm_head.layer_norm",
        bias="lm_head",
        output="lm_head.decoder",
        activation="gelu",
    )
