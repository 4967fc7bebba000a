"""Which weight file of a directory is read, and what is said where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tfaigc.checkpoints import open_weights, write_weights
from tfaigc.errors import CheckpointError


def first_value(directory: str | Path) -> float:
    with open_weights(directory) as weights:
        return float(weights.read("a")[0])


def test_order_of_preference(tmp_path: Path) -> None:
    torch.save({"a": torch.tensor([4.0])}, tmp_path / "shard.bin")
    index = {"weight_map": {"a": "shard.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert first_value(tmp_path) == 4
    torch.save({"a": torch.tensor([3.0])}, tmp_path / "pytorch_model.bin")
    assert first_value(tmp_path) == 3
    write_weights(tmp_path / "other", {"a": np.array([2.0])})
    (tmp_path / "other" / "model.safetensors").rename(tmp_path / "shard.safetensors")
    index = {"weight_map": {"a": "shard.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert first_value(tmp_path) == 2
    write_weights(tmp_path / "other", {"a": np.array([1.0])})
    (tmp_path / "other" / "model.safetensors").rename(tmp_path / "model.safetensors")
    assert first_value(str(tmp_path)) == 1


def test_directory_without_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"Received: an empty directory\. Expected one of"):
        open_weights(tmp_path)
    (tmp_path / "config.json").touch()
    (tmp_path / "onnx").mkdir()
    with pytest.raises(
        CheckpointError, match=r"config\.json, onnx/\. Expected one of: model\.safetensors, .*\.bin"
    ):
        open_weights(tmp_path)
    for number in range(30):
        (tmp_path / f"file-{number}").touch()
    with pytest.raises(CheckpointError, match="and 12 more"):
        open_weights(tmp_path)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Received: no such directory"):
        open_weights(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Received: a file"):
        open_weights(tmp_path / "file")


@pytest.mark.parametrize("name", ["flax_model.msgpack", "model.onnx", "bert_model.ckpt.index"])
def test_formats_that_are_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=f"Received: {name} .*save_pretrained as safetensors"):
        open_weights(tmp_path)


def test_real_model_of_transformers(tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import BertModel

    model = BertModel.from_pretrained(tiny_bert)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    for directory in (tiny_bert, tmp_path):
        with open_weights(directory) as weights:
            for name, parameter in model.named_parameters():
                np.testing.assert_array_equal(weights.read(name), parameter.detach().numpy())
                assert weights.shape(name) == tuple(parameter.shape)
