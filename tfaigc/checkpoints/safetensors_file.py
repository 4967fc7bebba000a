"""Reads arrays out of one safetensors file."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from tfaigc.checkpoints.aligned import empty_aligned
from tfaigc.checkpoints.weight_file import ClosingMixin, convert_floats, unknown_name
from tfaigc.errors import CheckpointError

# The format's type names, to NumPy's.
DTYPES: dict[str, np.dtype[np.generic]] = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "F8_E8M0": np.dtype(ml_dtypes.float8_e8m0fnu),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I16": np.dtype(np.int16),
    "I8": np.dtype(np.int8),
    "U64": np.dtype(np.uint64),
    "U32": np.dtype(np.uint32),
    "U16": np.dtype(np.uint16),
    "U8": np.dtype(np.uint8),
    "BOOL": np.dtype(np.bool_),
    "C64": np.dtype(np.complex64),
}


class SafetensorsFile(ClosingMixin):
    """One safetensors file.

    The library checks the header against the file's size when it opens it; the bytes are then
    read from the file directly, because the library's NumPy side knows no float8.

    Args:
        path: The file.

    Raises:
        CheckpointError: The file is missing, truncated or no safetensors file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with safe_open(path, framework="numpy"):
                pass
            self._file = path.open("rb")
            (header_length,) = struct.unpack("<Q", self._file.read(8))
            header = json.loads(self._file.read(header_length))
        except FileNotFoundError as error:
            raise CheckpointError(f"{path} must exist. Received: no such file.") from error
        except (SafetensorError, OSError, ValueError, struct.error) as error:
            raise CheckpointError(
                f"{path} must be a whole safetensors file. Received: a file that is broken or "
                f"truncated ({error}). Download or save it again."
            ) from error
        self._data_start = 8 + header_length
        self.metadata: dict[str, str] = header.pop("__metadata__", {})
        self._entries: dict[str, Any] = header
        self._order = sorted(header, key=lambda name: header[name]["data_offsets"])

    def names(self) -> list[str]:
        """Returns the names of all arrays, in the order of their bytes."""
        return list(self._order)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of one array."""
        return tuple(self._entry(name)["shape"])

    def dtype(self, name: str) -> np.dtype[np.generic]:
        """Returns the type of one array as stored."""
        stored = self._entry(name)["dtype"]
        if stored not in DTYPES:
            raise CheckpointError(
                f"The type of {name!r} in {self.path} must be one of {', '.join(DTYPES)}. "
                f"Received: {stored}. Save the checkpoint in one of these types."
            )
        return DTYPES[stored]

    def read(self, name: str, dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Reads one array; see `WeightFile.read`."""
        start, end = self._entry(name)["data_offsets"]
        array = empty_aligned(self.shape(name), self.dtype(name))
        self._file.seek(self._data_start + start)
        # The file may have shrunk since it was opened.
        count = self._file.readinto(array.reshape(-1).view(np.uint8).data) if array.size else 0
        if count != end - start:
            raise CheckpointError(
                f"{self.path} must hold {end - start} bytes for {name!r}. Received: {count}. "
                "Download or save it again."
            )
        return convert_floats(array, dtype)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self._entries:
            raise unknown_name(self.path, name, self._order)
        return self._entries[name]
