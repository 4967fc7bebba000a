"""Reversible renames between a model's variables and a checkpoint's tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

# What Keras calls a layer's variable, and what PyTorch calls a module's parameter.
_LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "embeddings": "weight",
}
_INDEX = "{i}"


@dataclass(frozen=True)
class Rename:
    """One row of a table of names: a layer here, and the module that it is in a checkpoint.

    Args:
        ours: Path of a layer, such as ``"encoder/block_{i}/attention/query"``; ``{i}`` stands for
            a number that both names share.
        theirs: Name of the module, such as ``"encoder.layer.{i}.attention.self.query"``.
        transposed: Whether a kernel is stored as (outputs, inputs), as PyTorch's ``Linear`` does.
    """

    ours: str
    theirs: str
    transposed: bool = True


@dataclass(frozen=True)
class StoredTensor:
    """Where a variable lies in a checkpoint.

    Args:
        name: The tensor's name.
        transposed: Whether its two axes are the variable's, swapped.
    """

    name: str
    transposed: bool

    def to_variable(self, array: np.ndarray) -> np.ndarray:
        """Takes the stored array to the variable's layout."""
        return array.T if self.transposed else array

    def to_stored(self, array: np.ndarray) -> np.ndarray:
        """Takes the variable's array to the stored layout."""
        return np.ascontiguousarray(array.T) if self.transposed else array


def stored_tensors(paths: Iterable[str], renames: Sequence[Rename]) -> dict[str, StoredTensor]:
    """Finds each variable's tensor by the first rename that fits.

    Args:
        paths: Variable paths, such as ``"encoder/block_0/attention/query/kernel"``.
        renames: The table, in the order in which it is tried.

    Returns:
        The tensor of each path.

    Raises:
        KeyError: No rename fits a path, or two paths get one tensor: the table is wrong.

    Example:
        >>> table = [Rename("block_{i}/query", "layer.{i}.self.query")]
        >>> stored_tensors(["block_3/query/kernel"], table)
        {'block_3/query/kernel': StoredTensor(name='layer.3.self.query.weight', transposed=True)}
    """
    patterns = [(_pattern(rename.ours), rename) for rename in renames]
    found: dict[str, StoredTensor] = {}
    for path in paths:
        layer, _, leaf = path.rpartition("/")
        for pattern, rename in patterns:
            match = pattern.fullmatch(layer)
            if match:
                module = rename.theirs
                for index in match.groups():
                    module = module.replace(_INDEX, index, 1)
                found[path] = StoredTensor(
                    f"{module}.{_LEAVES[leaf]}", leaf == "kernel" and rename.transposed
                )
                break
        else:
            raise KeyError(f"no rename fits the variable {path!r}")
    names = [tensor.name for tensor in found.values()]
    if len(set(names)) < len(names):
        raise KeyError(f"two variables share a tensor: {sorted(names)}")
    return found


def modern_name(name: str) -> str:
    """Gives a tensor the name that today's checkpoints use.

    Checkpoints converted from TensorFlow 1 name the layer norm's weights ``gamma`` and ``beta``.

    Example:
        >>> modern_name("embeddings.LayerNorm.gamma")
        'embeddings.LayerNorm.weight'
    """
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        if name.endswith(old):
            return name[: -len(old)] + new
    return name


def _pattern(ours: str) -> re.Pattern[str]:
    return re.compile(r"(\d+)".join(re.escape(part) for part in ours.split(_INDEX)))
