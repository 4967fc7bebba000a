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

# A convolution's kernel from (height, width, inputs, outputs), as in Keras, to (outputs, inputs,
# height, width), as in PyTorch, and back.
_TO_OUTPUTS = (3, 2, 0, 1)
_FROM_OUTPUTS = (2, 3, 1, 0)


@dataclass(frozen=True)
class Rename:
    """One row of a table of names: a layer here, and the module that it is in a checkpoint.

    Args:
        ours: Path of a layer, such as ``"encoder/block_{i}/attention/query"``; ``{i}`` stands for
            a number that both names share.
        theirs: Name of the module, such as ``"encoder.layer.{i}.attention.self.query"``.
        transposed: Whether a kernel is stored as (outputs, inputs), as PyTorch's ``Linear`` does.
        part: Which of how many equal parts of the stored outputs this layer is, such as ``(1, 3)``
            for the keys in a tensor that holds queries, keys and values.
        groups: How many groups the stored outputs fall into, each with such parts; with one for
            each head, the tensor holds a head's queries, keys and values, then the next one's.
        is_tensor: Whether ``theirs`` is the name of a tensor instead of a module's; without
            ``heads`` it is stored with an axis of one row in front, such as (1, width).
        heads: Into how many heads the stored last axis is split, which makes two axes of it; 0: it
            is not split.
    """

    ours: str
    theirs: str
    transposed: bool = True
    part: tuple[int, int] = (0, 1)
    groups: int = 1
    is_tensor: bool = False
    heads: int = 0


@dataclass(frozen=True)
class StoredTensor:
    """Where a variable lies in a checkpoint.

    Args:
        name: The tensor's name.
        transposed: Whether its two axes are the variable's, swapped.
        part: Which of how many equal parts of the tensor, along its outputs, the variable is.
        groups: How many groups of outputs have such parts.
        in_row: Whether the variable is the only row of the tensor.
        heads: Into how many heads its last axis is split, which makes two axes of it; 0: none.
    """

    name: str
    transposed: bool
    part: tuple[int, int] = (0, 1)
    groups: int = 1
    in_row: bool = False
    heads: int = 0

    def stored_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Takes the variable's shape to the whole tensor's."""
        stored = list(shape)
        if self.transposed:
            stored = [*shape[::-1]] if len(shape) < 4 else [shape[axis] for axis in _TO_OUTPUTS]
        stored[self._axis] *= self.part[1]
        if self.heads:
            stored[-1:] = [self.heads, stored[-1] // self.heads]
        return (1, *stored) if self.in_row else tuple(stored)

    def to_variable(self, array: np.ndarray) -> np.ndarray:
        """Takes the stored array to the variable's layout."""
        index, count = self.part
        if self.heads:
            array = array.reshape(*array.shape[:-2], -1)
        if self.in_row:
            array = array[0]
        if count > 1:
            pieces = np.split(array, count * self.groups, axis=self._axis)[index::count]
            array = pieces[0] if self.groups == 1 else np.concatenate(pieces, axis=self._axis)
        if array.ndim == 4:
            return np.ascontiguousarray(array.transpose(_FROM_OUTPUTS))
        return array.T if self.transposed else array

    def to_stored(self, array: np.ndarray) -> np.ndarray:
        """Takes the variable's array to the stored layout of its part."""
        if self.in_row:
            return array[None]
        if array.ndim == 4:
            return np.ascontiguousarray(array.transpose(_TO_OUTPUTS))
        stored = np.ascontiguousarray(array.T) if self.transposed else array
        return stored.reshape(*stored.shape[:-1], self.heads, -1) if self.heads else stored

    @property
    def _axis(self) -> int:
        """The stored axis along which parts lie."""
        return 0 if self.transposed else -1


def join_parts(parts: Iterable[tuple[StoredTensor, np.ndarray]]) -> dict[str, np.ndarray]:
    """Puts tensors together from the stored layouts of their parts.

    Args:
        parts: Each part's place, and its array.

    Returns:
        The whole tensors by name.

    Example:
        >>> parts = [(StoredTensor("b", False, (1, 2)), np.array([2])),
        ...          (StoredTensor("b", False, (0, 2)), np.array([1]))]
        >>> join_parts(parts)
        {'b': array([1, 2])}
    """
    found: dict[str, list[tuple[StoredTensor, np.ndarray]]] = {}
    for tensor, array in parts:
        found.setdefault(tensor.name, []).append((tensor, array))
    return {name: _join(pairs) for name, pairs in found.items()}


def _join(pairs: list[tuple[StoredTensor, np.ndarray]]) -> np.ndarray:
    """Puts one tensor together: each group has a piece of each part."""
    if len(pairs) == 1:
        return pairs[0][1]
    tensor = pairs[0][0]
    in_order = [array for _, array in sorted(pairs, key=lambda pair: pair[0].part[0])]
    split = [np.split(array, tensor.groups, axis=tensor._axis) for array in in_order]
    pieces = [piece for group in zip(*split, strict=True) for piece in group]
    return np.concatenate(pieces, axis=tensor._axis)


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
        >>> table = [Rename("block_{i}/query", "layer.{i}.query")]
        >>> stored_tensors(["block_3/query/kernel"], table)
        {'block_3/query/kernel': StoredTensor(name='layer.3.query.weight', transposed=True, ...)}
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
                    module if rename.is_tensor else f"{module}.{_LEAVES[leaf]}",
                    leaf == "kernel" and rename.transposed,
                    rename.part,
                    rename.groups,
                    in_row=rename.is_tensor and not rename.heads,
                    heads=rename.heads,
                )
                break
        else:
            raise KeyError(f"no rename fits the variable {path!r}")
    names = [(tensor.name, tensor.part) for tensor in found.values()]
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
