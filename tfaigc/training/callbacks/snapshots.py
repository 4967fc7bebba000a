"""Checkpoint directories on disk: written whole or not at all, read only when unbroken."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from tfaigc.errors import TrainingError

Array: TypeAlias = np.ndarray[Any, Any]

MODEL_FILE: Final = "model.safetensors"
OPTIMIZER_FILE: Final = "optimizer.safetensors"
STATE_FILE: Final = "state.json"
_PREFIX: Final = "step-"
_TEMPORARY: Final = ".tmp"
_REPLACED: Final = ".replaced"
FORMAT: Final = 1


class SnapshotError(Exception):
    """A snapshot is incomplete or broken."""


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint directory holds.

    Attributes:
        path: The directory.
        state: The contents of `state.json`.
        model: Every variable of the model by key, those that are not trained and the states of
            random seeds included.
        optimizer: Every variable of the optimizer by key.
    """

    path: Path
    state: dict[str, Any]
    model: dict[str, Array]
    optimizer: dict[str, Array]


def snapshot_path(directory: Path, global_step: int) -> Path:
    """Names the directory of a step.

    Example:
        >>> snapshot_path(Path("runs"), 123).name
        'step-00000123'
    """
    return directory / f"{_PREFIX}{global_step:08d}"


def list_snapshots(directory: Path) -> list[Path]:
    """Lists the snapshots in a directory, oldest first."""
    return [path for path in list_readable(directory) if not path.name.startswith(".")]


def list_readable(directory: Path) -> list[Path]:
    """Lists the snapshots in a directory, and those that were being replaced, oldest first."""
    if not directory.is_dir():
        return []
    found = [path for path in directory.iterdir() if path.is_dir() and _step_of(path) is not None]
    return sorted(found, key=lambda path: (_step_of(path) or 0, not path.name.startswith(".")))


def collect(variables: Sequence[Any]) -> dict[str, Array]:
    """Copies variables into arrays.

    Args:
        variables: Keras variables.

    Returns:
        The values by key, in the given order.
    """
    return {
        key: np.array(variable.numpy(), order="C")
        for key, variable in zip(collect_keys(variables), variables, strict=True)
    }


def write_snapshot(
    path: Path,
    *,
    model: Mapping[str, Array],
    optimizer: Mapping[str, Array],
    state: Mapping[str, Any],
) -> None:
    """Writes a snapshot under a temporary name and moves it into place.

    Args:
        path: The directory to make; one that is there already is replaced.
        model: The model's variables by key.
        optimizer: The optimizer's variables by key.
        state: What else belongs to the checkpoint.

    Raises:
        OSError: The disk is full, say, or the place may not be written to.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    temporary = path.with_name(f".{path.name}{_TEMPORARY}")
    _remove(temporary)
    temporary.mkdir(parents=True)
    try:
        try:
            save_file(dict(model), temporary / MODEL_FILE)
            save_file(dict(optimizer), temporary / OPTIMIZER_FILE)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        orders = {"model_variables": list(model), "optimizer_variables": list(optimizer)}
        text = json.dumps({"format": FORMAT, **state, **orders}, indent=2) + "\n"
        (temporary / STATE_FILE).write_text(text, encoding="utf-8")
        for file in temporary.iterdir():
            _flush(file)
        if path.exists():
            _remove(_aside(path))
            path.rename(_aside(path))
        temporary.rename(path)
        _flush(path.parent)
        _remove(_aside(path))
    except BaseException:
        _remove(temporary)
        raise


def read_state(path: Path) -> dict[str, Any]:
    """Reads a snapshot's state alone.

    Args:
        path: The snapshot's directory.

    Returns:
        The contents of `state.json`.

    Raises:
        SnapshotError: It is missing, broken, or of a format that this version does not know.
    """
    try:
        state = json.loads((path / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{STATE_FILE}: {error}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise SnapshotError(f"{STATE_FILE} is not of format {FORMAT}")
    return state


def read_snapshot(path: Path) -> Snapshot:
    """Reads a snapshot.

    Args:
        path: The snapshot's directory.

    Returns:
        Its contents; the arrays come in the order in which they were written.

    Raises:
        SnapshotError: A part is missing, cut off or otherwise broken.
    """
    state = read_state(path)
    model = _read_arrays(path / MODEL_FILE, state.get("model_variables"))
    optimizer = _read_arrays(path / OPTIMIZER_FILE, state.get("optimizer_variables"))
    return Snapshot(path=path, state=state, model=model, optimizer=optimizer)


def match(arrays: Mapping[str, Array], variables: Sequence[Any], *, path: Path) -> list[Array]:
    """Finds each variable's array.

    Names decide where they agree. They need not: Keras numbers unnamed layers through the whole
    process (`dense`, `dense_1`), so a model that is built a second time has other names in the
    same order, and then the order decides.

    Args:
        arrays: A snapshot's arrays, in the order in which they were written.
        variables: Keras variables.
        path: Where the arrays come from, for the message.

    Returns:
        One array per variable.

    Raises:
        TrainingError: The arrays are another model's.
    """
    keys = list(collect_keys(variables))
    if set(keys) != set(arrays):
        keys = list(arrays)
    if len(keys) != len(variables):
        raise TrainingError(
            f"The checkpoint must be of the same model and optimizer. Received: {path} with "
            f"{len(arrays)} variables for {len(variables)}. Build and compile the model as in the "
            "run that is to go on, or choose another directory."
        )
    for key, variable in zip(keys, variables, strict=True):
        if tuple(arrays[key].shape) != tuple(variable.shape):
            raise TrainingError(
                f"The checkpoint must be of the same model and optimizer. Received: {path} where "
                f"{key} has the shape {tuple(arrays[key].shape)}, not {tuple(variable.shape)}. "
                "Build and compile the model as in the run that is to go on, or choose another "
                "directory."
            )
    return [arrays[key] for key in keys]


def collect_keys(variables: Sequence[Any]) -> list[str]:
    """Names variables by their paths, with a number where a path occurs again."""
    counts: dict[str, int] = {}
    keys = []
    for variable in variables:
        counts[variable.path] = count = counts.get(variable.path, 0) + 1
        keys.append(variable.path if count == 1 else f"{variable.path}#{count}")
    return keys


def clean(directory: Path) -> None:
    """Undoes or completes what a killed process left half-done."""
    for path in directory.glob(f".{_PREFIX}*{_REPLACED}"):
        whole = path.with_name(path.name.removeprefix(".").removesuffix(_REPLACED))
        if whole.exists():
            _remove(path)
        else:
            path.rename(whole)
    for path in directory.glob(f".{_PREFIX}*{_TEMPORARY}"):
        _remove(path)


def remove_snapshot(path: Path) -> None:
    """Removes a snapshot so that no half of it can be taken for a whole."""
    condemned = path.with_name(f".{path.name}{_TEMPORARY}")
    _remove(condemned)
    path.rename(condemned)
    _remove(condemned)


def _read_arrays(path: Path, order: Any) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise SnapshotError(f"{path.name}: {error}") from error
    if not isinstance(order, list) or set(order) != set(arrays):
        raise SnapshotError(f"{path.name} does not hold the variables that {STATE_FILE} names")
    return {key: arrays[key] for key in order}


def _aside(path: Path) -> Path:
    """Where a snapshot waits while another of the same step takes its place."""
    return path.with_name(f".{path.name}{_REPLACED}")


def _step_of(path: Path) -> int | None:
    name = path.name
    if name.endswith(_REPLACED):
        name = name.removeprefix(".").removesuffix(_REPLACED)
    digits = name.removeprefix(_PREFIX)
    return int(digits) if name.startswith(_PREFIX) and digits.isdecimal() else None


def _flush(path: Path) -> None:
    """Hands a file or directory to the disk, where the system can do that."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
