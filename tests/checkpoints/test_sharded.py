"""Indexes that bind shards together, and broken or hostile ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tfaigc.checkpoints import open_weights, write_weights
from tfaigc.errors import CheckpointError


def write_index(directory: Path, weight_map: Any) -> None:
    index = directory / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_pickled_shards(tmp_path: Path) -> None:
    first, second = torch.randn(3), torch.randn(2, 2)
    torch.save({"a": first}, tmp_path / "one.bin")
    torch.save({"b": second}, tmp_path / "two.bin", _use_new_zipfile_serialization=False)
    write_index(tmp_path, {"a": "one.bin", "b": "two.bin"})
    with open_weights(tmp_path) as weights:
        assert weights.path.name == "pytorch_model.bin.index.json"
        assert weights.names() == ["a", "b"]
        assert weights.shape("b") == (2, 2)
        assert weights.dtype("b") == np.float32
        np.testing.assert_array_equal(weights.read("a"), first.numpy())
        np.testing.assert_array_equal(weights.read("b", "float64"), second.double().numpy())
        with pytest.raises(CheckpointError, match="one of the 2"):
            weights.read("c")


def test_shards_may_be_links(tmp_path: Path) -> None:
    # So they lie in the hub's cache.
    write_weights(tmp_path / "blobs", {"a": np.ones(2)})
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "one.safetensors").symlink_to(tmp_path / "blobs" / "model.safetensors")
    index = {"weight_map": {"a": "one.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    with open_weights(snapshot) as weights:
        assert weights.read("a").tolist() == [1, 1]


@pytest.mark.parametrize("name", ["../one.bin", "/tmp/one.bin", "a/../../one.bin", "..\\one.bin"])
def test_shards_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    write_index(tmp_path, {"a": name})
    with pytest.raises(CheckpointError, match="must name only files beside it"):
        open_weights(tmp_path)


def test_missing_shards_are_listed(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "one.bin")
    write_index(tmp_path, {"a": "one.bin", "b": "two.bin", "c": "three.bin"})
    with pytest.raises(CheckpointError, match=r"Missing: three\.bin, two\.bin\."):
        open_weights(tmp_path)


def test_array_that_its_shard_lacks(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "one.bin")
    write_index(tmp_path, {"b": "one.bin"})
    with open_weights(tmp_path) as weights, pytest.raises(CheckpointError, match="Received: 'b'"):
        weights.read("b")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": 3}', "\udcff"])
def test_broken_index(tmp_path: Path, content: str) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match='must be JSON with a "weight_map"'):
        open_weights(tmp_path)
