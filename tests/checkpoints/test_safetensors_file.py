"""Safetensors files against the library's PyTorch side."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tfaigc.checkpoints import open_weights
from tfaigc.checkpoints.safetensors_file import SafetensorsFile
from tfaigc.errors import CheckpointError

TENSORS = {
    "float64": torch.linspace(-2, 2, 6, dtype=torch.float64).reshape(2, 3),
    "float32": torch.tensor(3.5),
    "float16": torch.tensor([1.5, -2.0]).half(),
    "bfloat16": torch.tensor([[1.5], [-2.0]]).bfloat16(),
    "float8_e4m3fn": torch.tensor([1.5, -2.0, 448.0]).to(torch.float8_e4m3fn),
    "float8_e5m2": torch.tensor([1.5, -2.0]).to(torch.float8_e5m2),
    "int64": torch.tensor([2**40, -1]),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "uint16": torch.tensor([65535], dtype=torch.uint16),
    "bool": torch.tensor([True, False]),
    "complex64": torch.tensor([1 + 2j]),
    "empty": torch.zeros(0, 3),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path / "model.safetensors"


def test_every_type(path: Path) -> None:
    with SafetensorsFile(path) as weights:
        assert set(weights.names()) == set(TENSORS)
        assert weights.metadata == {"format": "pt"}
        for name, tensor in TENSORS.items():
            array = weights.read(name)
            assert array.shape == weights.shape(name) == tuple(tensor.shape)
            assert array.dtype == weights.dtype(name)
            assert array.dtype.name == ("float32" if name == "empty" else name)
            if name != "complex64":
                np.testing.assert_array_equal(array.astype("float64"), tensor.double().numpy())
        assert weights.read("complex64").tolist() == [1 + 2j]


def test_floats_are_converted_on_request(path: Path) -> None:
    with open_weights(path.parent) as weights:
        assert weights.dtype("bfloat16") == ml_dtypes.bfloat16
        for name in ("float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"):
            array = weights.read(name, dtype="float32")
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, TENSORS[name].float().numpy())
        for name in ("int64", "bool", "complex64"):
            assert weights.read(name, dtype="float32").dtype.name == name


@pytest.mark.parametrize("length", [0, 5, 100, -1])
def test_truncated(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"model\.safetensors must be a whole safetensors"):
        open_weights(path.parent)


def test_file_that_shrinks_while_open(path: Path) -> None:
    save_file({"large": torch.zeros(100_000)}, path)
    with open_weights(path.parent) as weights:
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 1)
        with pytest.raises(CheckpointError, match=r"Received: 399999\. Download or save it again"):
            weights.read("large")


def test_unknown_name(path: Path) -> None:
    with open_weights(path.parent) as weights:
        with pytest.raises(CheckpointError, match="Did you mean 'float16'"):
            weights.read("flaot16")
        with pytest.raises(CheckpointError, match="must be one of the 12"):
            weights.shape("zzz")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="must exist"):
        SafetensorsFile(tmp_path / "model.safetensors")
