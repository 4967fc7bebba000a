"""Reads arrays out of PyTorch's `.bin` files, of either format, without PyTorch."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from tfaigc.checkpoints.unpickler import Storage, TensorView, named_tensors, unpickle
from tfaigc.checkpoints.weight_file import ClosingMixin, convert_floats, unknown_name
from tfaigc.errors import CheckpointError

# What torch.save wrote first before version 1.6.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
# No honest pickle of names and shapes comes near.
_MAX_PICKLE_BYTES = 1 << 28


class PickleFile(ClosingMixin):
    """One file that torch.save wrote.

    Args:
        path: The file.

    Raises:
        CheckpointError: The file is missing, broken, asks to run code, or holds more than tensors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise CheckpointError(
                f"{path} must be a readable file. Received: {error.strerror}. Check the path."
            ) from error
        try:
            if zipfile.is_zipfile(self._file):
                self._tensors, self._read_storage = _open_zip(self._file, path)
            elif _begins_like_zip(self._file):
                raise _broken(path, "a truncated ZIP archive")
            else:
                self._tensors, self._read_storage = _open_legacy(self._file, path)
        except BaseException:
            self._file.close()
            raise
        self._last: tuple[str, np.ndarray] | None = None

    def names(self) -> list[str]:
        """Returns the names of all arrays, in the file's order."""
        return list(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of one array."""
        return self._tensor(name).shape

    def dtype(self, name: str) -> np.dtype[np.generic]:
        """Returns the type of one array as stored."""
        return self._tensor(name).dtype

    def read(self, name: str, dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Reads one array; see `WeightFile.read`."""
        tensor = self._tensor(name)
        # Tensors that share a storage follow one another, so the last one read is kept.
        if self._last is None or self._last[0] != tensor.storage.key:
            self._last = (tensor.storage.key, self._read_storage(tensor.storage))
        return convert_floats(tensor.cut(self._last[1]), dtype)

    def close(self) -> None:
        """Closes the file."""
        self._last = None
        self._file.close()

    def _tensor(self, name: str) -> TensorView:
        if name not in self._tensors:
            raise unknown_name(self.path, name, self._tensors)
        return self._tensors[name]


_Opened = tuple[dict[str, TensorView], Callable[[Storage], np.ndarray]]


def _broken(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{path} must be a whole weight file that torch.save wrote. Received: {reason}. "
        "Download it again, or ask for the checkpoint as safetensors."
    )


def _begins_like_zip(stream: IO[bytes]) -> bool:
    stream.seek(0)
    return stream.read(4) == b"PK\x03\x04"


def _open_zip(stream: IO[bytes], path: Path) -> _Opened:
    """Opens the format of torch.save since 1.6: a ZIP of `NAME/data.pkl` and `NAME/data/KEY`."""
    try:
        archive = zipfile.ZipFile(stream)
    except zipfile.BadZipFile as error:
        raise _broken(path, f"a broken ZIP archive ({error})") from error
    members = {info.filename: info for info in archive.infolist()}
    pickles = [name for name in members if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise _broken(path, "a ZIP archive without a single data.pkl")
    prefix = pickles[0].removesuffix("data.pkl")
    if any(name.startswith(f"{prefix}code/") for name in members):
        raise _broken(path, "a TorchScript program")

    def content(name: str, limit: int) -> bytes:
        info = members.get(name)
        if info is None:
            raise _broken(path, f"an archive without {name}")
        # torch.save never compresses, so a small file that swells to a large one is not its work.
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise _broken(path, f"an archive whose {name} is compressed or encrypted")
        if info.file_size > limit:
            raise _broken(path, f"{info.file_size} bytes in {name} where at most {limit} belong")
        try:
            return archive.read(info)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise _broken(path, f"a damaged {name} ({error})") from error

    if f"{prefix}byteorder" in members and content(f"{prefix}byteorder", 16) != b"little":
        raise _broken(path, "a file of a big-endian machine")

    loaded, _ = unpickle(io.BytesIO(content(pickles[0], _MAX_PICKLE_BYTES)), path)

    def read_storage(storage: Storage) -> np.ndarray:
        size = storage.size * storage.dtype.itemsize
        data = content(f"{prefix}data/{storage.key}", size)
        if len(data) != size:
            raise _broken(path, f"{len(data)} bytes for storage {storage.key} instead of {size}")
        return np.frombuffer(data, np.uint8)

    return named_tensors(loaded, path), read_storage


def _open_legacy(stream: IO[bytes], path: Path) -> _Opened:
    """Opens the older format: five pickles, then each storage's length and bytes."""
    stream.seek(0)
    magic, _ = unpickle(stream, path)
    if magic != _LEGACY_MAGIC:
        raise _broken(path, "a pickle that torch.save did not write")
    protocol, _ = unpickle(stream, path)
    system, _ = unpickle(stream, path)
    if protocol != _LEGACY_PROTOCOL or not (
        isinstance(system, dict) and system.get("little_endian") is True
    ):
        raise _broken(path, "a file of another protocol or of a big-endian machine")
    loaded, storages = unpickle(stream, path)
    keys, _ = unpickle(stream, path)
    positions = _storage_positions(stream, path, keys, storages)

    def read_storage(storage: Storage) -> np.ndarray:
        if storage.key not in positions:
            raise _broken(path, f"a file without storage {storage.key}")
        stream.seek(positions[storage.key])
        size = storage.size * storage.dtype.itemsize
        data = stream.read(size)
        if len(data) != size:
            raise _broken(path, f"{len(data)} bytes for storage {storage.key} instead of {size}")
        return np.frombuffer(data, np.uint8)

    return named_tensors(loaded, path), read_storage


def _storage_positions(
    stream: IO[bytes], path: Path, keys: object, storages: dict[str, Storage]
) -> dict[str, int]:
    if not isinstance(keys, list) or not all(
        isinstance(key, str) and key in storages for key in keys
    ):
        raise _broken(path, "a list of storages that does not fit its tensors")
    end = os.fstat(stream.fileno()).st_size
    positions = {}
    for key in keys:
        storage = storages[key]
        stated = int.from_bytes(stream.read(8), "little", signed=True)
        positions[key] = stream.tell()
        stream.seek(positions[key] + storage.size * storage.dtype.itemsize)
        if stream.tell() > end:
            raise _broken(path, f"a truncated file, which ends within storage {key}")
        if stated != storage.size:
            raise _broken(path, f"{stated} elements in storage {key} instead of {storage.size}")
    return positions
