"""Renames find every variable's tensor, once."""

from __future__ import annotations

import numpy as np
import pytest

from tfaigc.checkpoints.names import Rename, StoredTensor, modern_name, stored_tensors


def test_the_first_rename_that_fits_wins() -> None:
    table = [Rename("a_{i}/b", "x.{i}.y", transposed=False), Rename("a_{i}/{i}", "{i}.z.{i}")]
    found = stored_tensors(["a_10/b/kernel", "a_1/2/bias", "a_1/2/gamma"], table[:1] + table[1:])
    assert found["a_10/b/kernel"] == StoredTensor("x.10.y.weight", False)
    assert found["a_1/2/bias"].name == "1.z.2.bias"
    assert found["a_1/2/gamma"].name == "1.z.2.weight"


def test_wrong_tables() -> None:
    with pytest.raises(KeyError, match="no rename fits"):
        stored_tensors(["a/kernel"], [Rename("b", "c")])
    with pytest.raises(KeyError, match="share a tensor"):
        stored_tensors(["a/kernel", "b/kernel"], [Rename("a", "c"), Rename("b", "c")])


def test_transposed_tensors_come_back() -> None:
    array = np.arange(6).reshape(2, 3)
    tensor = StoredTensor("a", True)
    assert np.array_equal(tensor.to_variable(tensor.to_stored(array)), array)
    assert tensor.to_stored(array).shape == (3, 2)
    assert tensor.to_stored(array).flags.c_contiguous


def test_names_of_old_checkpoints() -> None:
    assert modern_name("LayerNorm.beta") == "LayerNorm.bias"
    assert modern_name("gamma.weight") == "gamma.weight"
