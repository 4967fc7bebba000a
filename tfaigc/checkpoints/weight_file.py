"""What every kind of weight file offers: named arrays, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import ml_dtypes
import numpy as np
import numpy.typing as npt

from tfaigc.errors import CheckpointError, suggestion

if TYPE_CHECKING:
    from typing_extensions import Self


class WeightFile(Protocol):
    """A file, or a set of shards, that holds named arrays.

    Opening one reads only names and shapes; each `read` fetches one array. Use it as a context
    manager, or call `close`.
    """

    @property
    def path(self) -> Path:
        """The file that was opened; the index where there are several shards."""
        ...

    def names(self) -> list[str]:
        """Returns the names of all arrays, in the file's order."""
        ...

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of one array."""
        ...

    def dtype(self, name: str) -> np.dtype[np.generic]:
        """Returns the type of one array as stored; bfloat16 and float8 are those of ml_dtypes."""
        ...

    def read(self, name: str, dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Reads one array.

        Args:
            name: One of `names()`.
            dtype: What floating-point arrays become, for example "float32"; None keeps the type
                stored. Integers and booleans are never converted.

        Returns:
            The array, contiguous, of shape `shape(name)`.

        Raises:
            CheckpointError: There is no such array, or its bytes are broken.
        """
        ...

    def close(self) -> None:
        """Closes the file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ClosingMixin:
    """Makes a weight file a context manager that closes it at the end."""

    def close(self) -> None:
        """Closes the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def convert_floats(array: np.ndarray, dtype: npt.DTypeLike | None) -> np.ndarray:
    """Converts an array of floating-point numbers; leaves every other one alone.

    Args:
        array: Any shape.
        dtype: The type wanted, or None for no change.

    Returns:
        The same shape; a copy only where the type changes.

    Example:
        >>> convert_floats(np.zeros(2, "float16"), "float32").dtype
        dtype('float32')
        >>> convert_floats(np.zeros(2, "int64"), "float32").dtype
        dtype('int64')
    """
    if dtype is None or not is_floating(array.dtype):
        return array
    return array.astype(dtype, copy=False)


def is_floating(dtype: npt.DTypeLike) -> bool:
    """Says whether a type holds real numbers, those of ml_dtypes included.

    Example:
        >>> is_floating("float16"), is_floating(ml_dtypes.bfloat16), is_floating("int8")
        (True, True, False)
    """
    resolved = np.dtype(dtype)
    # ml_dtypes registers its types with the kind "V", the one of raw bytes.
    if resolved.kind != "V":
        return resolved.kind == "f"
    try:
        ml_dtypes.finfo(resolved)
    except ValueError:
        return False
    return True


def unknown_name(path: Path, name: str, valid: Iterable[str]) -> CheckpointError:
    """Makes the error for an array that the file does not hold."""
    names = list(valid)
    return CheckpointError(
        f"An array's name must be one of the {len(names)} in {path}. Received: {name!r}."
        f"{suggestion(name, names)} List them with names()."
    )
