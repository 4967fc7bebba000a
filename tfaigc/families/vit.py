"""ViT (Dosovitskiy et al., arXiv:2010.11929) and DeiT (Touvron et al., 2012.12877)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families import bert_tables as tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings
from tfaigc.models import ImageSettings

_BLOCK = "encoder/block_{i}/"
_LAYER = "encoder.layer.{i}."

_CONFIG_KEYS = (
    *tables.without(
        tables.with_defaults(
            tables.SIZE_KEYS, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        ),
        "vocab_size",
        "type_vocab_size",
        "max_position_embeddings",
    ),
    ConfigKey("attention_biases", "qkv_bias", True),
)

_CLASS_TOKEN = Rename("encoder/embeddings/class_token", "embeddings.cls_token", is_tensor=True)
_TEACHER_TOKEN = Rename(
    "encoder/embeddings/distillation_token", "embeddings.distillation_token", is_tensor=True
)
_NAMES = (
    Rename("encoder/embeddings/position", "embeddings.position_embeddings", is_tensor=True),
    Rename("encoder/embeddings/patches", "embeddings.patch_embeddings.projection"),
    Rename(_BLOCK + "attention/query", _LAYER + "attention.attention.query"),
    Rename(_BLOCK + "attention/key", _LAYER + "attention.attention.key"),
    Rename(_BLOCK + "attention/value", _LAYER + "attention.attention.value"),
    Rename(_BLOCK + "attention/output", _LAYER + "attention.output.dense"),
    Rename(_BLOCK + "attention_norm", _LAYER + "layernorm_before"),
    Rename(_BLOCK + "feed_forward/inner", _LAYER + "intermediate.dense"),
    Rename(_BLOCK + "feed_forward/outer", _LAYER + "output.dense"),
    Rename(_BLOCK + "feed_forward_norm", _LAYER + "layernorm_after"),
    Rename("encoder/final_norm", "layernorm"),
    *tables.POOLER,
)

_TWO_CLASSIFIERS = Head(
    architecture="DeiTForImageClassificationWithTeacher",
    renames=(
        Rename("classifier", "cls_classifier"),
        Rename("distilled_classifier", "distillation_classifier"),
    ),
    read_summary=lambda _: SummarySettings(source="first"),
    distilled=True,
)


def _check_config(distilled: bool) -> Callable[[Settings], Settings]:
    def check(stated: Settings) -> Settings:
        hidden_size = read_value(stated, "hidden_size", 768)
        if stated.get("pooler_output_size") is not None:
            tables.refuse_other(stated, "pooler_output_size", hidden_size)
        tables.refuse_other(stated, "pooler_act", "tanh")
        image = ImageSettings(
            image_size=_read_pair(stated, "image_size", 224),
            patch_size=_read_pair(stated, "patch_size", 16),
            num_channels=read_value(stated, "num_channels", 3),
            distilled=distilled,
        )
        return {
            "vocabulary_size": 0,
            "num_segments": 0,
            "max_positions": image.num_patches + 1 + distilled,
            "image": image,
            "pre_norm": True,
            "attention_output_bias": True,
        }

    return check


def _read_pair(stated: Settings, name: str, default: int) -> tuple[int, int]:
    value: Any = stated.get(name, default)
    pair = [value, value] if isinstance(value, int) else value
    if (
        not isinstance(pair, list | tuple)
        or len(pair) != 2
        or not all(isinstance(size, int) and size > 0 for size in pair)
    ):
        raise ConfigError(
            f"{name} in config.json must be a positive number, or one for height and one for "
            f"width. Received: {value!r}. Correct config.json."
        )
    return (pair[0], pair[1])


def _adapt(family: Family, stated: Settings) -> Family:
    """Gives a checkpoint that learned from a teacher too the head for both its classifiers."""
    classes = [str(name).removeprefix("TF") for name in stated.get("architectures") or ()]
    if _TWO_CLASSIFIERS.architecture not in classes:
        return family
    return replace(family, heads={**family.heads, "image_classification": _TWO_CLASSIFIERS})


def _family(model_type: str, name: str, *, distilled: bool) -> Family:
    tokens = (_CLASS_TOKEN, _TEACHER_TOKEN) if distilled else (_CLASS_TOKEN,)
    return Family(
        model_type=model_type,
        prefix=f"{model_type}.",
        architecture=f"{name}Model",
        config_keys=_CONFIG_KEYS,
        check_config=_check_config(distilled),
        backbone=(*tokens, *_NAMES),
        heads={
            "image_classification": Head(
                architecture=f"{name}ForImageClassification",
                renames=(Rename("classifier", "classifier"),),
                read_summary=lambda _: SummarySettings(source="first"),
            ),
        },
        other_heads=(
            "cls_classifier.",
            "distillation_classifier.",
            "decoder.",
            "embeddings.mask_token",
        ),
        adapt=_adapt,
    )


VIT = _family("vit", "ViT", distilled=False)
DEIT = _family("deit", "DeiT", distilled=True)
