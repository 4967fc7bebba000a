"""Blocks that the backward pass computes again: the same gradients, dropout included."""

from __future__ import annotations

from typing import Any

import batteries
import numpy as np
import pytest
import tensorflow as tf
from family_cases import CASES

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.models import freeze_lowest

_RATES = {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.2, "dropout": 0.2}


def gradients(name: str, *, recomputes: bool, in_graph: bool) -> list[Any]:
    settings = {**CASES[name].settings, **_RATES}
    if in_graph:
        settings["num_hidden_layers"] = 1
    backbone = tfaigc.Backbone({"model_type": name, **settings}, seed=3)
    backbone.encoder.recomputes = recomputes
    inputs = batteries.ragged_batch(101, backbone.config.num_segments)

    def compute() -> Any:
        with tf.GradientTape() as tape:
            outputs = backbone(inputs, training=True, remove_padding=True)["sequence_output"]
            loss = tf.reduce_mean(tf.sin(3 * outputs))
        return tape.gradient(loss, [each.value for each in backbone.trainable_variables])

    return (tf.function(compute) if in_graph else compute)()


# Of these some have tables for distances, which all blocks share.
@pytest.mark.parametrize(
    ("name", "in_graph"),
    [("bert", True), ("mpnet", False), ("deberta-v2", False), ("xlnet", False)],
)
def test_gradients_are_the_same(name: str, in_graph: bool) -> None:
    kept, again = (
        gradients(name, recomputes=recomputes, in_graph=in_graph) for recomputes in (False, True)
    )
    assert len(kept) == len(again)
    for expected, found in zip(kept, again, strict=True):
        assert (expected is None) == (found is None)
        if expected is not None:
            expected, found = map(tf.convert_to_tensor, (expected, found))
            np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-6, rtol=0)


def test_layers_that_share_weights_are_frozen_together() -> None:
    settings = {**CASES["albert"].settings, "num_hidden_groups": 1, "num_hidden_layers": 2}
    stack = tfaigc.Backbone({"model_type": "albert", **settings}).encoder
    with pytest.raises(ConfigError, match="Received: 1 of 2 layers with 1 sets of weights"):
        freeze_lowest(stack, 1)
    freeze_lowest(stack, 2)
    assert not stack.blocks[0].trainable_variables
