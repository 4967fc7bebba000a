"""Networks without a checkpoint: their settings, and the weights that they start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfaigc.errors import ConfigError
from tfaigc.families.backbone import Backbone
from tfaigc.families.headed import HeadedBackbone
from tfaigc.families.registry import family_of
from tfaigc.families.weights import variables_of

# What config.json may say of a checkpoint that a fresh network is not.
_OF_CHECKPOINTS = (
    *("architectures", "id2label", "label2id", "problem_type", "task_specific_params"),
    *("_name_or_path", "dtype", "torch_dtype", "transformers_version"),
)


def fresh_config(
    stated: Mapping[str, Any], *, task: str, vocabulary_size: int | None, tokens: Mapping[str, int]
) -> dict[str, Any]:
    """Fits settings to a tokenizer.

    Args:
        stated: What ``config.json`` is to say; absent keys have the family's defaults.
        task: The task's name.
        vocabulary_size: Number of the tokenizer's tokens; None: nothing is tokenized.
        tokens: Ids of its special tokens, by names such as ``pad_token_id``.

    Returns:
        ``config.json``.

    Raises:
        ConfigError: ``model_type`` is not known or has no head for the task, or the settings have
            fewer tokens than the tokenizer.
    """
    kept = {key: value for key, value in stated.items() if key not in _OF_CHECKPOINTS}
    row = family_of(kept).head(task)
    if vocabulary_size is None:
        return kept
    size = kept.get("vocab_size", vocabulary_size)
    if size < vocabulary_size:
        raise ConfigError(
            f"vocab_size must be at least the tokenizer's, {vocabulary_size}. Received: {size}. "
            "Leave it out."
        )
    found = {**kept, **tokens, "vocab_size": size}
    if task == "seq2seq_lm":
        start = tokens.get(row.fresh_start)
        if start is None:
            raise ConfigError(
                f"The tokenizer must have a token that decoders begin with, its {row.fresh_start}. "
                f"Received: {', '.join(tokens) or 'no special token'}. Train one with family=."
            )
        found["decoder_start_token_id"] = start
    return found


def fresh_network_scales(network: HeadedBackbone) -> None:
    """Gives fresh weights the standard deviations of their family, where these differ by layer.

    All are drawn with ``initializer_range``; those that a family draws otherwise are multiplied.

    Args:
        network: A network whose weights are fresh.
    """
    backbone = network.backbone
    named = {**variables_of(backbone), **variables_of(network.head)}
    for path, variable in named.items():
        factor = backbone.family.fresh_factor(path, backbone.hugging_face_config())
        if factor != 1.0 and path.rpartition("/")[2] in ("kernel", "embeddings"):
            variable.assign(variable * factor)


def make_fresh(
    stated: Mapping[str, Any], *, task: str, seed: int, dtype: str | None, pooler: bool = False
) -> Backbone:
    """Makes a task's backbone, whose weights are fresh.

    Args:
        stated: ``config.json``.
        task: The task's name.
        seed: Seed of the weights and of dropout.
        dtype: Name of a Keras dtype policy, or None for the global one.
        pooler: Whether it must have a pooler, even where the task's head needs none.
    """
    pooler = pooler or family_of(stated).head(task).needs_pooler
    return Backbone(stated, pooler=pooler, seed=seed, dtype=dtype)
