"""Decoders: padding on either side, rotary positions of all kinds, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
from family_cases import CASES

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.families import FAMILIES
from tfaigc.families.rope import read_rotary

DECODERS = [name for name, family in FAMILIES.items() if "causal_lm" in family.heads]


@pytest.mark.parametrize("name", DECODERS)
def test_padding_may_stand_on_either_side(name: str, tmp_path: Path) -> None:
    import torch

    reference = batteries.make_reference(CASES[name], CASES[name].backbone, tmp_path)
    backbone = tfaigc.Backbone.from_pretrained(tmp_path)
    inputs = batteries.ragged_batch(101, 0)
    right = np.asarray(backbone(inputs)["sequence_output"])
    mask = inputs["padding_mask"]
    left = batteries.pad_left(inputs)
    positions = np.maximum(np.cumsum(left["padding_mask"], axis=1) - 1, 0)
    with torch.no_grad():
        expected = reference(
            input_ids=torch.tensor(left["token_ids"]),
            attention_mask=torch.tensor(left["padding_mask"]),
            position_ids=torch.tensor(positions),
        ).last_hidden_state.numpy()
    tokens = left["padding_mask"].astype(bool)
    for remove_padding in (False, True):
        found = np.asarray(backbone(left, remove_padding=remove_padding)["sequence_output"])
        np.testing.assert_allclose(found[tokens], expected[tokens], atol=1e-5, rtol=0)
        np.testing.assert_allclose(found[tokens], right[mask.astype(bool)], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"rope_theta": 123456.7},
        {"rope_scaling": {"type": "linear", "factor": 2.5}, "rope_theta": 5e5},
        {"rope_scaling": {"rope_type": "dynamic", "factor": 2.3}},
        {
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 32.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192,
            },
            "rope_theta": 500000.0,
            "max_position_embeddings": 131072,
        },
        {
            "rope_scaling": {
                "type": "yarn",
                "factor": 4.0,
                "original_max_position_embeddings": 32768,
            },
            "rope_theta": 1000000,
            "max_position_embeddings": 131072,
        },
        {
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 150000.0,
                "factor": None,
                "attention_factor": 1.25,
                "original_max_position_embeddings": 4096,
                "truncate": False,
            },
            "max_position_embeddings": 32768,
        },
    ],
)
def test_rotary_positions_turn_as_in_transformers(entries: dict[str, Any]) -> None:
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    stated = {"max_position_embeddings": 4096, "head_dim": 128, **entries}
    rotary = LlamaRotaryEmbedding(LlamaConfig(**stated))
    found = read_rotary(stated, head_size=128, max_positions=stated["max_position_embeddings"])
    assert found.scale == pytest.approx(rotary.attention_scaling, abs=1e-12)
    # Equal but for the last bits, which positions in the ten thousands turn into 1e-3.
    np.testing.assert_allclose(found.frequencies, rotary.inv_freq.numpy(), rtol=4e-7, atol=0)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("gpt2", {"add_cross_attention": True}, "add_cross_attention .* must be false"),
        ("llama", {"num_key_value_heads": 3}, "num_heads must be a multiple of num_key"),
        ("llama", {"head_dim": 5}, "no more numbers than a head has.*6 of 5"),
        ("llama", {"partial_rotary_factor": 0.5}, "partial_rotary_factor .* must be 1"),
        ("llama", {"rope_scaling": {"type": "longrope"}}, "rope_type .*'longrope'"),
        ("llama", {"rope_scaling": {"type": "linear"}}, "Missing: factor"),
        ("llama", {"rope_scaling": {"type": "linear", "factor": "2"}}, "factor .*'2'"),
        ("llama", {"rope_scaling": {"type": "default", "foo": 1}}, "Unknown: foo"),
        ("llama", {"rope_scaling": [1]}, "rope_parameters .* must be an object"),
        ("mistral", {"layer_types": ["full_attention"] * 2}, "must be sliding_attention through"),
        ("qwen2", {"layer_types": ["full_attention"]}, "layer_types .*each of the 2 layers"),
        ("qwen2", {"layer_types": ["sliding_attention"] * 2}, "sliding_window .* at least 1"),
        ("qwen3", {"num_key_value_heads": "2"}, "num_key_value_heads .* must be of type int"),
    ],
)
def test_values_that_decoders_cannot_honour(
    name: str, changes: dict[str, Any], message: str
) -> None:
    stated = {"model_type": name, **CASES[name].settings, **changes}
    with pytest.raises(ConfigError, match=message):
        tfaigc.Backbone(stated)


@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_gradients_are_those_of_the_plain_operations(name: str) -> None:
    import tensorflow as tf

    backbone = tfaigc.Backbone({"model_type": name, **CASES[name].settings})
    inputs = batteries.ragged_batch(101, 0)
    gradients = []
    for training in (False, True):
        with tf.GradientTape() as tape:
            output = backbone(inputs, training=training)["sequence_output"]
            loss = tf.reduce_mean(tf.sin(3 * output))
        gradients.append(tape.gradient(loss, backbone.trainable_variables))
    for plain, stated in zip(*gradients, strict=True):
        plain, stated = tf.convert_to_tensor(plain), tf.convert_to_tensor(stated)
        np.testing.assert_allclose(stated.numpy(), plain.numpy(), atol=1e-6)


def test_bfloat16_is_near_float32() -> None:
    stated = {"model_type": "qwen3", **CASES["qwen3"].settings}
    wide, narrow = (tfaigc.Backbone(stated, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
    inputs = batteries.ragged_batch(101, 0)
    expected = np.asarray(wide(inputs)["sequence_output"])
    found = np.asarray(narrow(inputs)["sequence_output"]).astype("float32")
    mask = inputs["padding_mask"][..., None]
    np.testing.assert_allclose(found * mask, expected * mask, atol=0.1)
