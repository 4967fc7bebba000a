"""XLNet (Yang et al., arXiv:1906.08237), reading in both directions at once."""

from __future__ import annotations

from dataclasses import replace

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings

_BLOCK = "encoder/block_{i}/"
_LAYER = "layer.{i}."
_NUM_HEADS = 16

# Distances are all that tells positions apart.
_NO_LIMIT = 2**31 - 1

# What a head reads, by summary_type. Where no token is named, cls_index is the last one.
_SOURCES = {"last": "last", "cls_index": "last", "first": "first", "mean": "mean"}

_CLASSIFIER = (
    Rename("summary/dense", "sequence_summary.summary"),
    Rename("classifier", "logits_proj"),
)


def _check_config(stated: Settings) -> Settings:
    direction = read_value(stated, "attn_type", "bi")
    if direction not in ("bi", "uni"):
        raise ConfigError(
            "attn_type in an xlnet config.json must be 'bi' or 'uni'. "
            f"Received: {direction!r}. Correct config.json."
        )
    if direction == "uni":
        # It would leave each token itself alone to look at.
        tables.refuse_other(stated, "same_length", False)
    # It would reverse the distances of a batch's second half.
    tables.refuse_other(stated, "bi_data", False)
    hidden_size = read_value(stated, "d_model", 1024)
    if hidden_size % 2:
        raise ConfigError(
            f"d_model in an xlnet config.json must be even. Received: {hidden_size}. "
            "Correct config.json."
        )
    if stated.get("d_head") is not None:
        num_heads = max(1, read_value(stated, "n_head", _NUM_HEADS))
        tables.refuse_other(stated, "d_head", hidden_size // num_heads)
    farthest = read_value(stated, "clamp_len", -1)
    dropout = read_value(stated, "dropout", 0.1)
    return {
        "max_positions": _NO_LIMIT,
        "position_kind": "none",
        # Those that the tokenizer tells apart; any others would do.
        "num_segments": 3,
        "relative_waves": True,
        "relative_distance": farthest if farthest > 0 else _NO_LIMIT,
        "causal": direction == "uni",
        "embedding_norm": False,
        "attention_dropout": dropout,
        "feed_forward_inner_dropout": dropout,
        "final_dropout": dropout,
        # What pre-training puts in the place of tokens to be predicted.
        "spare_row": True,
    }


def _read_summary(stated: Settings) -> SummarySettings:
    kind = read_value(stated, "summary_type", "last")
    if kind not in _SOURCES:
        raise ConfigError(
            f"summary_type in an xlnet config.json must be one of {', '.join(_SOURCES)}. "
            f"Received: {kind!r}. Take another checkpoint."
        )
    tables.refuse_other(stated, "summary_proj_to_labels", False)
    return SummarySettings(
        source=_SOURCES[kind],
        activation=read_value(stated, "summary_activation", "tanh") or "linear",
        use_dense=read_value(stated, "summary_use_proj", True),
        first_dropout=read_value(stated, "summary_first_dropout", 0.0),
        last_dropout=read_value(stated, "summary_last_dropout", 0.1),
    )


def _adapt(family: Family, stated: Settings) -> Family:
    """Tells the names how many heads the stored tensors have, and the old name of vocab_size."""
    backbone = _backbone(max(1, read_value(stated, "n_head", _NUM_HEADS)))
    if "vocab_size" in stated or "n_token" not in stated:
        return replace(family, backbone=backbone)
    keys = tuple(
        replace(key, theirs="n_token") if key.theirs == "vocab_size" else key
        for key in family.config_keys
    )
    return replace(family, backbone=backbone, config_keys=keys)


def _backbone(num_heads: int) -> tuple[Rename, ...]:
    def split(ours: str, theirs: str, *, transposed: bool = False) -> Rename:
        return Rename(
            f"{_BLOCK}attention/{ours}",
            f"{_LAYER}rel_attn.{theirs}",
            transposed=transposed,
            is_tensor=True,
            heads=num_heads,
        )

    return (
        Rename("encoder/embeddings/token", "word_embedding"),
        Rename("encoder/spare_row", "mask_emb", is_tensor=True),
        split("query", "q"),
        split("key", "k"),
        split("value", "v"),
        split("distance", "r"),
        split("output", "o", transposed=True),
        split("content_bias", "r_w_bias"),
        split("distance_bias", "r_r_bias"),
        split("segment_bias", "r_s_bias"),
        split("segment", "seg_embed"),
        Rename(_BLOCK + "attention_norm", _LAYER + "rel_attn.layer_norm"),
        Rename(_BLOCK + "feed_forward/inner", _LAYER + "ff.layer_1"),
        Rename(_BLOCK + "feed_forward/outer", _LAYER + "ff.layer_2"),
        Rename(_BLOCK + "feed_forward_norm", _LAYER + "ff.layer_norm"),
    )


XLNET = Family(
    model_type="xlnet",
    prefix="transformer.",
    architecture="XLNetModel",
    config_keys=(
        ConfigKey("vocabulary_size", "vocab_size", 32000),
        ConfigKey("hidden_size", "d_model", 1024),
        ConfigKey("num_layers", "n_layer", 24),
        ConfigKey("num_heads", "n_head", _NUM_HEADS),
        ConfigKey("intermediate_size", "d_inner", 4096),
        ConfigKey("activation", "ff_activation", "gelu"),
        ConfigKey("norm_epsilon", "layer_norm_eps", 1e-12),
        ConfigKey("hidden_dropout", "dropout", 0.1),
        ConfigKey("initializer_range", "initializer_range", 0.02),
    ),
    check_config=_check_config,
    backbone=_backbone(_NUM_HEADS),
    heads={
        "text_classification": Head(
            architecture="XLNetForSequenceClassification",
            renames=_CLASSIFIER,
            read_summary=_read_summary,
        ),
        "token_classification": head_tables.token_classifier("XLNet", lambda _: 0.0),
        "question_answering": replace(
            head_tables.span_finder("XLNet"), architecture="XLNetForQuestionAnsweringSimple"
        ),
        "multiple_choice": head_tables.choice(
            "XLNet", _read_summary, renames=_CLASSIFIER, needs_pooler=False
        ),
        # A token's score of what stands in its own place, which it sees: unless that is a mask.
        "masked_lm": Head(
            architecture="XLNetLMHeadModel",
            renames=(Rename("tied_output", "lm_loss"), Rename("output", "lm_loss")),
            read_summary=lambda _: SummarySettings(source="tokens"),
            read_vocabulary=head_tables.read_tie,
            ties=(("lm_loss.weight", "word_embedding.weight"),),
        ),
    },
    # Of the head that searches for answers with a beam.
    other_heads=("start_logits.", "end_logits.", "answer_class."),
    adapt=_adapt,
)
