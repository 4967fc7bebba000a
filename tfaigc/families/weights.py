"""Moves weights between a model's variables and a checkpoint, by a family's names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from tfaigc.checkpoints import WeightFile
from tfaigc.checkpoints.names import StoredTensor, join_parts, modern_name, stored_tensors
from tfaigc.errors import CheckpointError
from tfaigc.families.family import Family, Head

Variables = Mapping[str, Any]

# What went wrong while deferred variables got their values; None: nothing is deferred.
_failures: ContextVar[list[CheckpointError] | None] = ContextVar("failures", default=None)

# Bytes; what TensorFlow's kernels want.
_ALIGNMENT = 64


@dataclass(frozen=True)
class LoadedWeights:
    """What a checkpoint gave to a model.

    Args:
        fresh: Paths of variables that the checkpoint does not have, which keep their fresh values.
        unread: Names of the checkpoint's tensors that belong to heads that the model lacks.
    """

    fresh: tuple[str, ...]
    unread: tuple[str, ...]


def variables_of(model: keras.Model) -> dict[str, Any]:
    """Names a model's weights by their place in it.

    Args:
        model: A built model.

    Returns:
        Each weight under its path without the model's own name.
    """
    return {variable.path.partition("/")[2]: variable for variable in model.weights}


def tensors_of(
    family: Family, backbone: Variables, *, head: Head | None, head_variables: Variables
) -> dict[str, tuple[Any, StoredTensor]]:
    """Pairs each variable with the tensor that stores it.

    Args:
        family: The architecture.
        backbone: The backbone's variables by path.
        head: The head's names, or None for a bare backbone.
        head_variables: The head's variables by path.

    Returns:
        Variable and tensor under the variable's path.
    """
    pairs = {
        path: (backbone[path], tensor)
        for path, tensor in stored_tensors(backbone, family.backbone).items()
    }
    if head is None:
        return pairs
    pairs = {
        path: (variable, replace(tensor, name=family.prefix + tensor.name))
        for path, (variable, tensor) in pairs.items()
    }
    stored = stored_tensors(head_variables, head.renames)
    return pairs | {path: (head_variables[path], tensor) for path, tensor in stored.items()}


def load_weights(
    weights: WeightFile,
    tensors: Mapping[str, tuple[Any, StoredTensor]],
    *,
    family: Family,
    may_be_fresh: Sequence[str] = (),
) -> LoadedWeights:
    """Assigns a checkpoint's tensors to a model's variables.

    Args:
        weights: The opened checkpoint.
        tensors: The model's variables with the tensors that store them.
        family: The architecture.
        may_be_fresh: Beginnings of paths that the checkpoint may lack, each wholly.

    Returns:
        What was not in the checkpoint, and what was in it but not in the model.

    Raises:
        CheckpointError: A tensor is missing, has another shape, or belongs to nothing known. No
            variable has been changed then.
    """
    names = {_bare(modern_name(name), family): name for name in weights.names()}
    check_copies(weights, names, {tensor.name for _, tensor in tensors.values()}, family)
    for tied, original in (*family.copies, *family.ties):
        # Of two tied tensors a checkpoint may store either.
        if tied in names and original not in names:
            names[original] = names[tied]
    found = {path: names.get(_bare(tensor.name, family)) for path, (_, tensor) in tensors.items()}
    for _, tensor in tensors.values():
        names.pop(_bare(tensor.name, family), None)
    fresh = _fresh_parts(found, may_be_fresh)
    # What training leaves alone is computed, and need not be stored.
    missing = [
        tensors[path][1].name
        for path, name in found.items()
        if not name and path not in fresh and tensors[path][0].trainable
    ]
    if missing:
        raise CheckpointError(
            f"The checkpoint must have every weight of the model. Missing: {_some(missing)}. "
            "Take a complete checkpoint, or correct the sizes in its config.json."
        )
    used = set(found.values())
    names = {bare: name for bare, name in names.items() if name not in used}
    unread, unknown = _sort_leftovers(names, family)
    if unknown:
        raise CheckpointError(
            f"Every tensor of the checkpoint must have a place in a {family.model_type} model. "
            f"Unknown: {_some(unknown)}. Check model_type and the sizes in its config.json."
        )
    arrays = {}
    for path, name in found.items():
        if name:
            variable, tensor = tensors[path]
            _check_shape(name, weights.shape(name), variable.shape, tensor)
            arrays[path] = name
    for path, name in arrays.items():
        _fill(weights, name, *tensors[path])
    return LoadedWeights(tuple(fresh), tuple(unread))


def check_copies(
    weights: WeightFile, names: Mapping[str, str], wanted: Collection[str], family: Family
) -> None:
    """Refuses tensors that should repeat another but do not.

    Args:
        weights: The opened checkpoint.
        names: Its tensors' names by their names without the family's prefix.
        wanted: Names of the tensors that the model reads.
        family: The architecture.

    Raises:
        CheckpointError: Two tensors differ of which the model has room for one.
    """
    bare = {_bare(name, family) for name in wanted}
    for copy, original in family.copies:
        if copy in bare or copy not in names or original not in names:
            continue
        one, other = (weights.read(names[name], dtype="float32") for name in (copy, original))
        if not np.array_equal(one, other):
            raise CheckpointError(
                f"The tensors {names[copy]} and {names[original]} must be equal where embeddings "
                "are shared. They differ. State in config.json that they are not shared, or take "
                "another checkpoint."
            )


def _fill(weights: WeightFile, name: str, variable: Any, tensor: StoredTensor) -> None:
    """Gives a variable its stored value: now, or when it is first made."""

    def value(shape: Any = None, dtype: Any = None) -> Any:
        try:
            array = tensor.to_variable(weights.read(name, dtype="float32"))
        except CheckpointError as error:
            failures = _failures.get()
            if failures is None:
                raise
            # Keras would come back to variables without a value when it next makes deferred ones.
            failures.append(error)
            array = np.zeros(variable.shape, "float32")
        return ops.cast(_to_tensor(array), dtype or variable.dtype)

    if is_deferred(variable):
        variable._initializer = value
    else:
        variable.assign(value())


def _to_tensor(array: np.ndarray) -> Any:
    """Takes an array to the backend's tensor.

    TensorFlow copies what it is given up to twice, which a large table makes felt; it takes memory
    that is aligned as it wishes, and offered through DLPack, as it is.
    """
    if keras.backend.backend() != "tensorflow" or array.size == 0:
        return ops.convert_to_tensor(array)
    import tensorflow as tf

    buffer = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    aligned = buffer[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    aligned[...] = array
    return tf.experimental.dlpack.from_dlpack(aligned.__dlpack__())


@contextmanager
def deferred_variables() -> Iterator[None]:
    """Makes the variables of models built inside only at the end.

    ``load_weights`` inside gives them their stored values, so that memory never holds fresh values
    beside stored ones, and no time goes into drawing them.

    Raises:
        CheckpointError: A tensor is broken.
    """
    failures: list[CheckpointError] = []
    token = _failures.set(failures)
    try:
        with keras.StatelessScope():
            yield
    finally:
        _failures.reset(token)
    if failures:
        raise failures[0]


def is_deferred(variable: Any) -> bool:
    """Says whether a variable has no value yet."""
    return variable._value is None


def stored_arrays(tensors: Mapping[str, tuple[Any, StoredTensor]]) -> dict[str, np.ndarray]:
    """Takes a model's variables to the arrays that a checkpoint stores, by tensor name."""
    return join_parts(
        (tensor, tensor.to_stored(variable.numpy())) for variable, tensor in tensors.values()
    )


def _bare(name: str, family: Family) -> str:
    return name.removeprefix(family.prefix)


def _fresh_parts(found: Mapping[str, str | None], may_be_fresh: Sequence[str]) -> list[str]:
    """Lists the paths of those optional parts of which the checkpoint has nothing at all."""
    fresh: list[str] = []
    for part in may_be_fresh:
        paths = [path for path in found if path.startswith(part + "/")]
        if not any(found[path] for path in paths):
            fresh.extend(paths)
    return fresh


def _sort_leftovers(names: Mapping[str, str], family: Family) -> tuple[list[str], list[str]]:
    unread: list[str] = []
    unknown: list[str] = []
    tied = tuple(name for pair in family.ties for name in pair)
    buffers = tuple(f".{end}" for end in family.buffers)
    copies = {name for pair in family.copies for name in pair}
    optional = (*family.head_tensors, *tied, "pooler.")
    for bare, name in sorted(names.items()):
        if f".{bare}".endswith(buffers) or bare in copies:
            continue
        (unread if bare.startswith(optional) else unknown).append(name)
    return unread, unknown


def _check_shape(
    name: str, stored: Sequence[int], wanted: Sequence[int], tensor: StoredTensor
) -> None:
    expected = tensor.stored_shape(wanted)
    if tuple(stored) != expected:
        raise CheckpointError(
            f"The tensor {name} must have the shape {expected} that config.json asks for. "
            f"Received: {tuple(stored)}. Correct config.json, or take a checkpoint that fits it."
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
