"""Weights written, read back, and loaded by those who made the format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from tfaigc.checkpoints import open_weights, write_weights, writer
from tfaigc.errors import CheckpointError

ARRAYS: dict[str, np.ndarray] = {
    "matrix": np.arange(12, dtype="float32").reshape(3, 4),
    "transposed": np.arange(12, dtype="float32").reshape(3, 4).T,
    "strided": np.arange(10, dtype="int64")[::2],
    "scalar": np.array(2.5, "float16"),
    "bfloat16": np.array([1.5, -2.0], ml_dtypes.bfloat16),
    "bool": np.array([True, False]),
    "big_endian": np.array([1.0, 2.0], ">f4"),
}


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def assert_equal_weights(directory: Path) -> None:
    with open_weights(directory) as weights:
        assert set(weights.names()) == set(ARRAYS)
        for name, array in ARRAYS.items():
            read = weights.read(name)
            assert read.dtype == array.dtype.newbyteorder("<")
            assert read.shape == array.shape
            np.testing.assert_array_equal(read, array)


def test_round_trip(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "model"
    write_weights(directory, ARRAYS)
    assert names(directory) == ["model.safetensors"]
    assert_equal_weights(directory)
    with safe_open(directory / "model.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}
    loaded = load_file(directory / "model.safetensors")
    np.testing.assert_array_equal(loaded["transposed"].numpy(), ARRAYS["transposed"])
    # As readable for others as any file.
    (directory / "plain").touch()
    modes = {(directory / name).stat().st_mode for name in ("plain", "model.safetensors")}
    assert len(modes) == 1


def test_shards(tmp_path: Path) -> None:
    write_weights(tmp_path, ARRAYS, max_shard_bytes=100)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(array.nbytes for array in ARRAYS.values())
    shards = sorted(set(index["weight_map"].values()))
    assert shards == [f"model-{n:05d}-of-00002.safetensors" for n in (1, 2)]
    assert names(tmp_path) == sorted([*shards, "model.safetensors.index.json"])
    assert_equal_weights(tmp_path)


def test_saving_again_leaves_no_stale_weights(tmp_path: Path) -> None:
    write_weights(tmp_path, ARRAYS, max_shard_bytes=100)
    (tmp_path / "config.json").touch()
    write_weights(tmp_path, ARRAYS)
    assert names(tmp_path) == ["config.json", "model.safetensors"]
    write_weights(tmp_path, ARRAYS, max_shard_bytes=60)
    assert "model.safetensors" not in names(tmp_path)
    assert_equal_weights(tmp_path)


def test_failure_keeps_the_earlier_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_weights(tmp_path, ARRAYS)

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.os, "replace", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        write_weights(tmp_path, {"other": np.zeros(2)})
    assert names(tmp_path) == ["model.safetensors"]
    assert_equal_weights(tmp_path)


def test_nothing_or_nonsense(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="at least one array"):
        write_weights(tmp_path, {})
    with pytest.raises(CheckpointError, match="must be writable"):
        write_weights(tmp_path, {"a": np.array(["text"])})
    assert names(tmp_path) == []


def test_transformers_loads_it(tiny_bert: Path, tmp_path: Path) -> None:
    import torch
    from transformers import BertModel

    with open_weights(tiny_bert) as weights:
        arrays = {name: weights.read(name) for name in weights.names()}
    shutil.copy(tiny_bert / "config.json", tmp_path)
    write_weights(tmp_path, arrays, max_shard_bytes=20_000)
    before, after = (BertModel.from_pretrained(d).state_dict() for d in (tiny_bert, tmp_path))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
