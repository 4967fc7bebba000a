"""What a head adds to the inputs that its backbone runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfaigc.families.backbone import Backbone
from tfaigc.families.family import Head

Inputs = Mapping[str, Any]


def backbone_inputs(inputs: Inputs, head: Head, backbone: Backbone) -> Inputs:
    """Takes a head's inputs to the backbone's.

    Args:
        inputs: What the caller gave.
        head: The head.
        backbone: What it stands on.

    Returns:
        The inputs, with what the head implies and the caller has not given.
    """
    if head.global_tokens != "none" and "global_mask" not in inputs:
        return {**inputs, "global_mask": _global_mask(inputs, head.global_tokens, backbone)}
    if head.decoder_text != "own":
        return _for_both_stacks(inputs, head.decoder_text, backbone)
    return inputs


def _global_mask(inputs: Inputs, global_tokens: str, backbone: Backbone) -> Any:
    """Chooses the tokens that see all others, int, (batch, length)."""
    token_ids = inputs["token_ids"]
    columns = ops.arange(ops.shape(token_ids)[1], dtype="int32")[None, :]
    found = ops.equal(token_ids, _stated_id(backbone, "sep_token_id", 2))
    first = ops.argmax(ops.cast(found, "int32"), axis=1)[:, None]
    is_first = ops.equal(columns, ops.zeros_like(token_ids))
    if "pack_ids" in inputs:
        pack_ids = inputs["pack_ids"]
        earlier = ops.concatenate([pack_ids[:, :1], pack_ids[:, :-1]], axis=1)
        is_first = ops.logical_or(is_first, ops.not_equal(pack_ids, earlier))
    chosen = {
        "first": is_first,
        "question": ops.less(columns, first),
        "answer": ops.greater(columns, first + 1),
    }[global_tokens]
    mask = ops.cast(chosen, "int32")
    if "padding_mask" in inputs:
        mask = mask * ops.cast(inputs["padding_mask"], "int32")
    return mask


def _for_both_stacks(inputs: Inputs, decoder_text: str, backbone: Backbone) -> Inputs:
    """Has both stacks read one text, the decoder one token later; segments are not told apart."""
    given = dict(inputs)
    token_ids = given.pop("token_ids")
    given.pop("segment_ids", None)
    mask = given.pop("padding_mask", None)
    if decoder_text == "shifted":
        start = _stated_id(backbone, "decoder_start_token_id", 2)
        first = ops.full_like(token_ids[:, :1], start)
    else:
        counted = ops.cast(
            ops.not_equal(token_ids, _stated_id(backbone, "pad_token_id", 1)), "int32"
        )
        if mask is not None:
            counted = counted * ops.cast(mask, "int32")
        last = ops.maximum(ops.sum(counted, axis=1, keepdims=True) - 1, 0)
        first = ops.take_along_axis(token_ids, last, axis=1)
    later = ops.concatenate([first, token_ids[:, :-1]], axis=1)
    given |= {"encoder_token_ids": token_ids, "decoder_token_ids": later}
    if mask is not None:
        given |= {"encoder_padding_mask": mask, "decoder_padding_mask": mask}
    return given


def _stated_id(backbone: Backbone, key: str, absent: int) -> int:
    """Reads a token's id from ``config.json``."""
    value = backbone.stated(key)
    return absent if value is None else int(value)
