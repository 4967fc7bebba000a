"""The bricks, each against its definition or PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tfaigc.errors import ConfigError
from tfaigc.layers import (
    ACTIVATIONS,
    PackedLayout,
    PaddedLayout,
    activation,
    attention_bias,
    positions_in_text,
    positions_past_padding,
    relative_buckets,
)
from tfaigc.layers.attention_heads import score_rows


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_equal_those_of_transformers(name: str) -> None:
    import torch
    from transformers.activations import ACT2FN

    x = np.linspace(-12, 12, 4001, dtype="float32")
    expected = ACT2FN[name](torch.tensor(x)).numpy()
    np.testing.assert_allclose(np.asarray(activation(name)(ops.array(x))), expected, atol=2e-6)


def test_unknown_activation() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'gelu_new'"):
        activation("gelu_nwe")


@pytest.mark.parametrize("layout", [PackedLayout, PaddedLayout])
def test_layouts_bring_rows_back_to_their_cells(layout: type) -> None:
    mask = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], "int32")
    grid = np.arange(36, dtype="float32").reshape(3, 3, 4)
    moved = layout(ops.array(mask))
    rows = moved.to_rows(ops.array(grid))
    assert rows.shape == ((3, 4) if layout is PackedLayout else (9, 4))
    back = np.asarray(moved.to_grid(rows))
    np.testing.assert_array_equal(back[mask == 1], grid[mask == 1])
    if layout is PackedLayout:
        assert not back[mask == 0].any()


def test_layout_of_an_empty_batch() -> None:
    layout = PackedLayout(ops.zeros((0, 5), "int32"))
    assert layout.to_grid(layout.to_rows(ops.zeros((0, 5, 4)))).shape == (0, 5, 4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_bias_leaves_forbidden_tokens_no_weight(dtype: str) -> None:
    mask = ops.array([[1, 1, 1, 0]])
    bias = attention_bias(mask, causal=True, pack_ids=ops.array([[1, 1, 2, 0]]), dtype=dtype)
    weights = np.asarray(ops.cast(ops.softmax(bias, axis=-1), "float32"))[0, 0]
    expected = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_allclose(weights[:3], expected, atol=1e-3)
    assert np.isfinite(weights).all()


@pytest.mark.parametrize("num_heads", [1, 2])
def test_rows_that_a_batch_shares(num_heads: int) -> None:
    random = np.random.default_rng(3)
    heads = random.normal(size=(4, num_heads, 40, 6)).astype("float32")
    rows = random.normal(size=(1, num_heads, 3, 6)).astype("float32")
    found = np.asarray(score_rows(ops.array(heads), ops.array(rows)))
    np.testing.assert_allclose(found, heads @ np.swapaxes(rows, 2, 3), atol=1e-5)


def test_positions_start_again_with_each_packed_text() -> None:
    ids = np.array([[7, 7, 7, 9, 9, 0, 0], [1, 2, 2, 2, 3, 3, 3]])
    expected = [[0, 1, 2, 0, 1, 0, 1], [0, 0, 1, 2, 0, 1, 2]]
    assert np.asarray(positions_in_text(ops.array(ids), ops.array(ids))).tolist() == expected


def test_positions_past_padding_start_again_with_each_packed_text() -> None:
    packs = ops.array([[7, 7, 7, 9, 9, 0, 0]])
    ids = ops.array([[5, 1, 6, 8, 1, 4, 4]])
    positions = positions_past_padding(ids, padding_id=1, pack_ids=packs)
    assert np.asarray(positions).tolist() == [[2, 1, 3, 2, 1, 2, 3]]


def test_distances_fall_into_the_buckets_of_transformers() -> None:
    import torch
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder
    from transformers.models.t5.modeling_t5 import T5Attention

    distances = torch.arange(-128, 129)
    ours = relative_buckets(32, 128)
    theirs = MPNetEncoder.relative_position_bucket(distances)
    np.testing.assert_array_equal(ours, theirs.numpy())
    for buckets, farthest in [(32, 128), (32, 20), (64, 256), (8, 100)]:
        distances = torch.arange(-farthest, farthest + 1)
        theirs = T5Attention._relative_position_bucket(distances, True, buckets, farthest)
        np.testing.assert_array_equal(relative_buckets(buckets, farthest), theirs.numpy())
