"""Moves weights between a model's variables and a checkpoint, by a family's names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

import keras
import numpy as np

from tfaigc.checkpoints import WeightFile
from tfaigc.checkpoints.names import StoredTensor, join_parts, modern_name, stored_tensors
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families.deferred import fill
from tfaigc.families.family import Family, Head

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class WeightPlan:
    """What a checkpoint has for a model.

    Args:
        stored: For each variable's path the name of the tensor that has its value.
        fresh: Paths of variables that the checkpoint does not have, which get fresh values.
        unread: Names of the checkpoint's tensors that belong to heads that the model lacks.
    """

    stored: Mapping[str, str]
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

    Raises:
        ConfigError: The family has no names for its weights.
    """
    if not family.backbone:
        raise ConfigError(
            f"The weights of {family.model_type} have no names in Hugging Face layout, so a model "
            "of it cannot be written in it. Keep the network with "
            "backbone.network.save_to_preset(directory), or export the model."
        )
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
) -> WeightPlan:
    """Assigns a checkpoint's tensors to a model's variables.

    Args:
        weights: The opened checkpoint.
        tensors: The model's variables with the tensors that store them.
        family: The architecture.
        may_be_fresh: Beginnings of paths that the checkpoint may lack, each wholly.

    Returns:
        What was in the checkpoint, what was not, and what was in it but not in the model.

    Raises:
        CheckpointError: See ``plan_weights``; no variable has been changed then.
    """
    plan = plan_weights(weights, tensors, family=family, may_be_fresh=may_be_fresh)
    lock = Lock()
    for path, name in plan.stored.items():
        variable, tensor = tensors[path]
        fill(variable, partial(_read, weights, lock, name, tensor))
    return plan


def plan_weights(
    weights: WeightFile,
    tensors: Mapping[str, tuple[Any, StoredTensor]],
    *,
    family: Family,
    may_be_fresh: Sequence[str] = (),
) -> WeightPlan:
    """Finds for each of a model's variables the tensor of a checkpoint that has its value.

    Args:
        weights: The opened checkpoint.
        tensors: The model's variables with the tensors that store them.
        family: The architecture.
        may_be_fresh: Beginnings of paths that the checkpoint may lack, each wholly.

    Returns:
        What is in the checkpoint, what is not, and what is in it but not in the model.

    Raises:
        CheckpointError: A tensor is missing, has another shape, or belongs to nothing known.
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
    stored = {path: name for path, name in found.items() if name}
    used = set(stored.values())
    unread, unknown = _sort_leftovers(
        {bare: name for bare, name in names.items() if name not in used}, family
    )
    if unknown:
        raise CheckpointError(
            f"Every tensor of the checkpoint must have a place in a {family.model_type} model. "
            f"Unknown: {_some(unknown)}. Check model_type and the sizes in its config.json."
        )
    for path, name in stored.items():
        variable, tensor = tensors[path]
        _check_shape(name, weights.shape(name), variable.shape, tensor)
    return WeightPlan(stored, tuple(fresh), tuple(unread))


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


def _read(weights: WeightFile, lock: Lock, name: str, tensor: StoredTensor) -> np.ndarray:
    """Reads a tensor in the layout of its variable, from any thread."""
    with lock:
        array = weights.read(name, dtype="float32")
    return tensor.to_variable(array)
