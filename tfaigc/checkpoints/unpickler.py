"""Unpickles PyTorch's weight files without PyTorch, and without running anything in them.

A pickle is a program: it may name any function and call it. This unpickler resolves a short list of
names, all to harmless stand-ins of this file, and refuses every other one before it is imported.
"""

from __future__ import annotations

import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import ml_dtypes
import numpy as np

from tfaigc.errors import CheckpointError

_DTYPES: dict[str, np.dtype[np.generic]] = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "int64": np.dtype(np.int64),
    "int32": np.dtype(np.int32),
    "int16": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint64": np.dtype(np.uint64),
    "uint32": np.dtype(np.uint32),
    "uint16": np.dtype(np.uint16),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
}
_STORAGE_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
# Overlapping tensors may hold more elements than their storage, but not without a bound: a few
# bytes in a file must not ask for all memory.
_MAX_OVERLAPPING_ELEMENTS = 1 << 24
_MAX_STORAGE_ELEMENTS = 1 << 48


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of elements in the file that tensors look into.

    Attributes:
        key: The file's name for the run.
        dtype: What the elements are.
        size: How many there are.
    """

    key: str
    dtype: np.dtype[np.generic]
    size: int


@dataclass(frozen=True, slots=True)
class TensorView:
    """Where a tensor lies in its storage.

    Attributes:
        storage: Holds the elements.
        dtype: What the elements are; differs from the storage's where that holds plain bytes.
        offset: The first element, counted in elements.
        shape: The tensor's shape.
        strides: Elements from one index to the next, one for each dimension.
    """

    storage: Storage
    dtype: np.dtype[np.generic]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.shape, *self.strides)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("a tensor has a negative or fractional shape, stride or offset")
        if len(self.shape) != len(self.strides):
            raise ValueError("a tensor has not as many strides as dimensions")
        available = self.storage.size * self.storage.dtype.itemsize // self.dtype.itemsize
        elements = math.prod(max(length, 1) for length in self.shape)
        if elements > max(available, _MAX_OVERLAPPING_ELEMENTS):
            raise ValueError(f"a tensor has {elements} elements, its storage only {available}")
        steps = zip(self.shape, self.strides, strict=True)
        last = self.offset + sum((length - 1) * stride for length, stride in steps)
        if 0 not in self.shape and last >= available:
            raise ValueError("a tensor reaches beyond its storage")

    def cut(self, content: np.ndarray) -> np.ndarray:
        """Cuts the tensor out of its storage.

        Args:
            content: All bytes of the storage, uint8.

        Returns:
            A contiguous array that owns its memory.
        """
        flat = content.view(self.dtype)
        strides = tuple(stride * self.dtype.itemsize for stride in self.strides)
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        view = np.lib.stride_tricks.as_strided(
            flat[self.offset :], self.shape, strides, writeable=False
        )
        return np.array(view, order="C")


class _StandIn:
    """A callable that a pickle can call but, having no attributes to set, not change."""

    __slots__ = ("_function",)
    _function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a pickle must not set {name!r}")


@dataclass(frozen=True, slots=True)
class _StorageType:
    dtype: np.dtype[np.generic]


def _rebuild_tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> TensorView:
    return TensorView(storage, storage.dtype, offset, tuple(shape), tuple(strides))


def _rebuild_typed_tensor(
    storage: Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    requires_grad: bool,
    hooks: Any,
    dtype: np.dtype[np.generic],
    *_: Any,
) -> TensorView:
    return TensorView(storage, dtype, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(data: TensorView, *_: Any) -> TensorView:
    return data


_ALLOWED: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch.Size": _StandIn(tuple),
    "torch._utils._rebuild_tensor": _StandIn(_rebuild_tensor),
    "torch._utils._rebuild_tensor_v2": _StandIn(_rebuild_tensor),
    "torch._utils._rebuild_tensor_v3": _StandIn(_rebuild_typed_tensor),
    "torch._utils._rebuild_parameter": _StandIn(_rebuild_parameter),
    "torch._utils._rebuild_parameter_with_state": _StandIn(_rebuild_parameter),
    "torch.storage.UntypedStorage": _StorageType(_DTYPES["uint8"]),
    **{f"torch.{name}": dtype for name, dtype in _DTYPES.items()},
    **{f"torch.{name}": _StorageType(_DTYPES[d]) for name, d in _STORAGE_DTYPES.items()},
}


class TensorUnpickler(pickle.Unpickler):
    """Loads mappings of tensors, and nothing that runs.

    Args:
        stream: Where the pickle is read from.
        path: The file's name, for messages.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        # Files of Python 2 hold names as bytes.
        super().__init__(stream, encoding="utf-8")
        self._path = path
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Resolves an allowed name to its stand-in; refuses every other one."""
        asked = f"{module}.{name}"
        if asked not in _ALLOWED:
            raise CheckpointError(
                f"A .bin file must hold nothing but tensors. Received: {self._path}, which asks to "
                f"run {asked}. Nothing in it was run. Do not load this file elsewhere unless you "
                "trust where it comes from; ask for the checkpoint as safetensors."
            )
        return _ALLOWED[asked]

    def persistent_load(self, reference: Any) -> Storage:
        """Notes a storage that the pickle refers to."""
        kind, storage_type, key, _, size, *view = reference
        if kind != "storage" or not isinstance(storage_type, _StorageType):
            raise ValueError(f"unknown reference {kind!r}")
        if any(part is not None for part in view):
            raise ValueError("storages that are views of others are not supported")
        if type(size) is not int or not 0 <= size <= _MAX_STORAGE_ELEMENTS:
            raise ValueError(f"a storage has the size {size!r}")
        storage = Storage(str(key), storage_type.dtype, size)
        if self.storages.setdefault(storage.key, storage) != storage:
            raise ValueError(f"storage {key!r} is described in two ways")
        return storage


def unpickle(stream: IO[bytes], path: Path) -> tuple[Any, dict[str, Storage]]:
    """Unpickles one object, safely.

    Args:
        stream: Positioned at the pickle; left behind it.
        path: The file's name, for messages.

    Returns:
        The object, with `TensorView` in the place of tensors, and the storages by key.

    Raises:
        CheckpointError: The pickle asks to run something, or is broken.
    """
    unpickler = TensorUnpickler(stream, path)
    try:
        return unpickler.load(), unpickler.storages
    except CheckpointError:
        raise
    # A hostile or broken pickle can make the unpickler raise nearly anything.
    except (Exception, RecursionError) as error:
        raise CheckpointError(
            f"{path} must be a weight file that torch.save wrote. Received: a file that cannot be "
            f"read ({type(error).__name__}: {error}). Download it again, or ask for the checkpoint "
            "as safetensors."
        ) from error


def named_tensors(loaded: Any, path: Path) -> dict[str, TensorView]:
    """Checks that an unpickled object is a mapping of names to tensors.

    Args:
        loaded: What `unpickle` gave; a mapping under the sole key "state_dict" or "model" is
            unwrapped.
        path: The file's name, for messages.

    Returns:
        The tensors by name, in the file's order.

    Raises:
        CheckpointError: It is something else.
    """
    # A pickle may have set attributes on its dictionaries, so their own methods are not called.
    if isinstance(loaded, dict) and dict.__len__(loaded) == 1:
        ((key, inner),) = dict.items(loaded)
        if key in ("state_dict", "model") and isinstance(inner, dict):
            loaded = inner
    if not isinstance(loaded, dict):
        found = type(loaded).__name__
    else:
        tensors = dict(dict.items(loaded))
        odd = [
            f"{name!r} ({type(value).__name__})"
            for name, value in tensors.items()
            if not (isinstance(name, str) and isinstance(value, TensorView))
        ]
        if not odd:
            return tensors
        found = f"a mapping with {', '.join(odd[:5])}"
    raise CheckpointError(
        f"{path} must hold a mapping of names to tensors. Received: {found}. Save the model's "
        "state_dict() alone, best as safetensors."
    )
