"""Writes named arrays as safetensors in Hugging Face layout."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file

from tfaigc.errors import CheckpointError

SINGLE_NAME = "model.safetensors"
INDEX_NAME = "model.safetensors.index.json"
MAX_SHARD_BYTES = 5_000_000_000


def write_weights(
    directory: str | Path,
    tensors: Mapping[str, npt.ArrayLike],
    *,
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> None:
    """Writes weights so that transformers loads them.

    Everything is written under temporary names first; weight files of an earlier save that are not
    part of the new one are removed at the end.

    Args:
        directory: Where to; made if need be.
        tensors: Names to arrays, of any shape and type that safetensors knows.
        max_shard_bytes: Weights larger than this are cut into several files with an index. A single
            array is never cut.

    Raises:
        CheckpointError: There is nothing to write, or it cannot be written.
    """
    if not tensors:
        raise CheckpointError("Weights must hold at least one array. Received: none.")
    directory = Path(directory)
    arrays = {name: np.asarray(tensor) for name, tensor in tensors.items()}
    shards = _plan_shards(arrays, max_shard_bytes)
    temporary: dict[str, Path] = {}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for filename, names in shards.items():
            temporary[filename] = directory / f".{filename}.{uuid.uuid4().hex}"
            # save_file copies memory as it lies, so strided arrays are laid out first.
            contiguous = {name: np.asarray(arrays[name], order="C") for name in names}
            _save(contiguous, temporary[filename])
        if len(shards) > 1:
            temporary[INDEX_NAME] = directory / f".{INDEX_NAME}.{uuid.uuid4().hex}"
            temporary[INDEX_NAME].write_text(_index(arrays, shards), encoding="utf-8")
        for filename, path in temporary.items():
            os.replace(path, directory / filename)
        _remove_stale(directory, keep=set(temporary))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"Weights must be writable to {directory}. Received: {error}. Free disk space, check "
            "the permissions, or choose another directory."
        ) from error
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def _save(arrays: dict[str, np.ndarray], path: Path) -> None:
    path.touch()
    mode = path.stat().st_mode
    save_file(arrays, path, metadata={"format": "pt"})
    # The library makes files that only their owner can read, whatever the umask says.
    path.chmod(mode)


def _plan_shards(arrays: Mapping[str, np.ndarray], max_shard_bytes: int) -> dict[str, list[str]]:
    groups: list[list[str]] = [[]]
    size = 0
    for name, array in arrays.items():
        if groups[-1] and size + array.nbytes > max_shard_bytes:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += array.nbytes
    if len(groups) == 1:
        return {SINGLE_NAME: groups[0]}
    return {
        f"model-{number:05d}-of-{len(groups):05d}.safetensors": names
        for number, names in enumerate(groups, start=1)
    }


def _index(arrays: Mapping[str, np.ndarray], shards: Mapping[str, list[str]]) -> str:
    total_size = sum(array.nbytes for array in arrays.values())
    weight_map = {name: filename for filename, names in shards.items() for name in names}
    index = {"metadata": {"total_size": total_size}, "weight_map": weight_map}
    return json.dumps(index, indent=2) + "\n"


def _remove_stale(directory: Path, keep: set[str]) -> None:
    stale = [directory / SINGLE_NAME, directory / INDEX_NAME]
    stale += directory.glob("model-[0-9]*-of-[0-9]*.safetensors")
    for path in stale:
        if path.name not in keep:
            path.unlink(missing_ok=True)
