"""T5 (Raffel et al., arXiv:1910.10683), its version 1.1, FLAN-T5, and mT5 (arXiv:2010.11934)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables as tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings, VocabularySettings
from tfaigc.models import TransformerConfig

_SIZE_KEYS = (
    ConfigKey("vocabulary_size", "vocab_size", 32128),
    ConfigKey("hidden_size", "d_model", 512),
    ConfigKey("num_layers", "num_layers", 6),
    ConfigKey("num_heads", "num_heads", 8),
    ConfigKey("head_size", "d_kv", 64),
    ConfigKey("intermediate_size", "d_ff", 2048),
    ConfigKey("relative_buckets", "relative_attention_num_buckets", 32),
    ConfigKey("relative_distance", "relative_attention_max_distance", 128),
    ConfigKey("hidden_dropout", "dropout_rate", 0.1),
    ConfigKey("norm_epsilon", "layer_norm_epsilon", 1e-6),
)

# Distances are all that tells positions apart, and the farthest share a bucket.
_NO_LIMIT = 2**31 - 1


def _stack_names(stack: str, *, feed_forward: int) -> tuple[Rename, ...]:
    ours, theirs = f"encoder_decoder/{stack}/block_{{i}}/", f"{stack}.block.{{i}}.layer."
    attention = [
        Rename(f"{ours}{our_name}/{our_part}", f"{theirs}{their_name}.{their_part}")
        for our_name, their_name in (
            ("attention", "0.SelfAttention"),
            ("cross_attention", "1.EncDecAttention"),
        )
        for our_part, their_part in (("query", "q"), ("key", "k"), ("value", "v"), ("output", "o"))
    ]
    dense = f"{theirs}{feed_forward}.DenseReluDense."
    return (
        *attention,
        Rename(f"{ours}attention_norm", f"{theirs}0.layer_norm"),
        Rename(f"{ours}cross_attention_norm", f"{theirs}1.layer_norm"),
        Rename(f"{ours}feed_forward/inner", f"{dense}wi"),
        Rename(f"{ours}feed_forward/gate", f"{dense}wi_1"),
        Rename(f"{ours}feed_forward/outer", f"{dense}wo"),
        Rename(f"{ours}feed_forward_norm", f"{theirs}{feed_forward}.layer_norm"),
        Rename(
            f"encoder_decoder/{stack}/relative_bias/table",
            f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias",
        ),
        Rename(f"encoder_decoder/{stack}/final_norm", f"{stack}.final_layer_norm"),
    )


_BACKBONE = (
    Rename("encoder_decoder/token", "shared"),
    *_stack_names("encoder", feed_forward=1),
    *_stack_names("decoder", feed_forward=2),
)
_TABLES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def _read_feed_forward(stated: Settings, default: str) -> tuple[str, bool]:
    """Reads the activation of the feed-forward networks, and whether it is gated."""
    kind = read_value(stated, "feed_forward_proj", default)
    first, _, rest = kind.partition("-")
    if "-" in kind and (first != "gated" or "-" in rest):
        raise ConfigError(
            "feed_forward_proj in config.json must be an activation, or gated- and an activation. "
            f"Received: {kind!r}. Correct the checkpoint's config.json."
        )
    gated = kind == "gated" or bool(rest)
    # T5 1.1 means the approximation here, and only here.
    activation = "gelu_new" if kind == "gated-gelu" else rest or first
    return (
        read_value(stated, "dense_act_fn", activation),
        read_value(stated, "is_gated_act", gated),
    )


def _check_config(feed_forward: str, num_layers: int) -> Callable[[Settings], Settings]:
    def check(stated: Settings) -> dict[str, Any]:
        for key, supported in (
            ("is_encoder_decoder", True),
            ("is_decoder", False),
            ("tie_encoder_decoder", False),
        ):
            tables.refuse_other(stated, key, supported)
        activation, gated = _read_feed_forward(stated, feed_forward)
        dropout = read_value(stated, "dropout_rate", 0.1)
        factor = read_value(stated, "initializer_factor", 1.0)
        return {
            "activation": activation,
            "gated": gated,
            "max_positions": _NO_LIMIT,
            "num_segments": 0,
            "position_kind": "none",
            "pre_norm": True,
            "norm_kind": "rms",
            "embedding_norm": False,
            "attention_biases": False,
            "feed_forward_biases": False,
            "attention_scales": (1.0,) * read_value(stated, "num_layers", num_layers),
            "attention_dropout": dropout,
            "feed_forward_inner_dropout": dropout,
            "final_dropout": dropout,
            # What most of a fresh T5's matrices are drawn with.
            "initializer_range": factor * read_value(stated, "d_model", 512) ** -0.5,
        }

    return check


def _read_decoder(config: TransformerConfig, stated: Settings) -> TransformerConfig:
    num_layers = config.num_layers
    if stated.get("num_decoder_layers") is not None:
        num_layers = read_value(stated, "num_decoder_layers", num_layers)
    return replace(
        config,
        num_layers=num_layers,
        attention_scales=(1.0,) * num_layers,
        causal=True,
        cross_attention=True,
    )


def _adapt(feed_forward: str) -> Callable[[Family, Settings], Family]:
    def adapt(family: Family, stated: Settings) -> Family:
        if not _read_feed_forward(stated, feed_forward)[1]:
            return family
        backbone = tuple(
            replace(rename, theirs=f"{rename.theirs}_0")
            if rename.ours.endswith("feed_forward/inner")
            else rename
            for rename in family.backbone
        )
        return replace(family, backbone=backbone)

    return adapt


def _read_vocabulary(stated: Settings) -> VocabularySettings:
    # The output is tied unless the checkpoint stores another one. tie_word_embeddings says no more
    # than whether it is scaled; later files say it outright.
    is_scaled = stated.get("scale_decoder_outputs", stated.get("tie_word_embeddings") is not False)
    width = read_value(stated, "d_model", 512)
    return VocabularySettings(use_bias=False, scale=width**-0.5 if is_scaled else 1.0)


def _fresh_factor(path: str, stated: Settings) -> float:
    """Says by how much fresh weights differ from d_model ** -0.5 in standard deviation.

    Scores are not scaled, so that queries are smaller; rows of tables have a deviation of 1.
    """
    width, inner = read_value(stated, "d_model", 512), read_value(stated, "d_ff", 2048)
    size = read_value(stated, "d_kv", 64)
    layer = "/".join(path.split("/")[-3:-1])
    if layer in ("encoder_decoder/token", "output"):
        return float(width**0.5)
    if layer.endswith("attention/query"):
        return float(size**-0.5)
    if layer.endswith("attention/output"):
        return float((width / (size * read_value(stated, "num_heads", 8))) ** 0.5)
    return float((width / inner) ** 0.5) if layer == "feed_forward/outer" else 1.0


def _family(
    model_type: str,
    class_name: str,
    *,
    feed_forward: str,
    read_vocabulary: Callable[[Settings], VocabularySettings],
    **defaults: int,
) -> Family:
    keys = tables.with_defaults(_SIZE_KEYS, **defaults)
    return Family(
        model_type=model_type,
        prefix="",
        architecture=f"{class_name}Model",
        config_keys=keys,
        check_config=_check_config(feed_forward, defaults.get("num_layers", 6)),
        read_decoder=_read_decoder,
        fresh_factor=_fresh_factor,
        adapt=_adapt(feed_forward),
        backbone=_BACKBONE,
        copies=tuple((name, "shared.weight") for name in _TABLES),
        heads={
            "seq2seq_lm": Head(
                architecture=f"{class_name}ForConditionalGeneration",
                renames=(Rename("output", "lm_head"),),
                read_summary=lambda _: SummarySettings(source="tokens"),
                read_vocabulary=read_vocabulary,
                ties=(("lm_head.weight", "shared.weight"),),
                states_tie=False,
                start_token_id=0,
            ),
        },
        # Version 1.0 of the first checkpoints has a table that no layer reads.
        buffers=("EncDecAttention.relative_attention_bias.weight",),
    )


T5 = _family("t5", "T5", feed_forward="relu", read_vocabulary=_read_vocabulary)
MT5 = _family(
    "mt5",
    "MT5",
    feed_forward="gated-gelu",
    read_vocabulary=lambda _: VocabularySettings(use_bias=False),
    vocab_size=250112,
    d_ff=1024,
    num_layers=8,
    num_heads=6,
)
