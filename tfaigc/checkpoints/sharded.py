"""Reads arrays out of several files that an index binds together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from tfaigc.checkpoints.weight_file import ClosingMixin, WeightFile, unknown_name
from tfaigc.errors import CheckpointError


class ShardedFile(ClosingMixin):
    """The shards that a Hugging Face index (`*.index.json`) names, as one weight file.

    Args:
        path: The index.
        open_shard: Opens one shard; called when one of its arrays is first asked for.
        rename: Takes the index's names to those that the shards give.

    Raises:
        CheckpointError: The index is broken, names files elsewhere, or a shard is missing.
    """

    def __init__(
        self,
        path: Path,
        open_shard: Callable[[Path], WeightFile],
        *,
        rename: Callable[[str], str] = str,
    ) -> None:
        self.path = path
        self._weight_map = {rename(name): shard for name, shard in _read_weight_map(path).items()}
        self._open_shard = open_shard
        self._shards: dict[str, WeightFile] = {}
        missing = sorted(
            shard for shard in set(self._weight_map.values()) if not (path.parent / shard).is_file()
        )
        if missing:
            raise CheckpointError(
                f"Every shard that {path} names must lie beside it. Missing: "
                f"{', '.join(missing)}. Download the checkpoint again."
            )

    def names(self) -> list[str]:
        """Returns the names of all arrays, in the index's order."""
        return list(self._weight_map)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of one array."""
        return self._shard_of(name).shape(name)

    def dtype(self, name: str) -> np.dtype[np.generic]:
        """Returns the type of one array as stored."""
        return self._shard_of(name).dtype(name)

    def read(self, name: str, dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Reads one array; see `WeightFile.read`."""
        return self._shard_of(name).read(name, dtype)

    def close(self) -> None:
        """Closes every shard that was opened."""
        for shard in self._shards.values():
            shard.close()
        self._shards.clear()

    def _shard_of(self, name: str) -> WeightFile:
        if name not in self._weight_map:
            raise unknown_name(self.path, name, self._weight_map)
        filename = self._weight_map[name]
        if filename not in self._shards:
            self._shards[filename] = self._open_shard(self.path.parent / filename)
        return self._shards[filename]


def _read_weight_map(path: Path) -> dict[str, str]:
    try:
        weight_map = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        pairs = [(str(name), str(filename)) for name, filename in weight_map.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f'{path} must be JSON with a "weight_map" from array names to file names. '
            f"Received: {type(error).__name__}: {error}. Download the checkpoint again."
        ) from error
    for _, filename in pairs:
        # Only the spelling is judged: in the hub's cache a shard is a link to a file elsewhere.
        plain = PurePosixPath(filename)
        if plain.is_absolute() or ".." in plain.parts or "\\" in filename or not plain.parts:
            raise CheckpointError(
                f"{path} must name only files beside it. Received: {filename!r}. "
                "Do not use this checkpoint unless you trust where it comes from."
            )
    return dict(pairs)
