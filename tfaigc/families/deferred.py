"""Variables that get their values from a checkpoint when they are made, or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common import global_state

from tfaigc.errors import CheckpointError

# What went wrong while deferred variables got their values; None: nothing is deferred.
_failures: ContextVar[list[CheckpointError] | None] = ContextVar("failures", default=None)

# Where Keras lists the variables that it still has to make.
_PENDING = "uninitialized_variables"

# Bytes; what TensorFlow's kernels want.
_ALIGNMENT = 64


@contextmanager
def valueless_variables() -> Iterator[None]:
    """Makes models inside whose variables have shapes, but never values."""
    before = list(global_state.get_global_attribute(_PENDING) or ())
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(_PENDING, before)


@contextmanager
def deferred_variables() -> Iterator[None]:
    """Makes the variables of models built inside only at the end.

    ``fill`` inside gives them their stored values, so that memory never holds fresh values beside
    stored ones, and no time goes into drawing them.

    Raises:
        CheckpointError: A tensor is broken.
    """
    failures: list[CheckpointError] = []
    before = list(global_state.get_global_attribute(_PENDING) or ())
    token = _failures.set(failures)
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
        # Leaving an outermost scope makes the variables that are pending.
        with keras.StatelessScope():
            pass
    except BaseException:
        # A model that could not be loaded needs no values.
        global_state.set_global_attribute(_PENDING, before)
        raise
    finally:
        _failures.reset(token)
    if failures:
        raise failures[0]


def is_deferred(variable: Any) -> bool:
    """Says whether a variable has no value yet."""
    return variable._value is None


def fill(variable: Any, read: Callable[[], np.ndarray]) -> None:
    """Gives a variable its stored value: now, or when it is made.

    Args:
        variable: A Keras variable.
        read: Returns the value in the variable's shape.

    Raises:
        CheckpointError: The value cannot be read.
    """

    def value(shape: Any = None, dtype: Any = None) -> Any:
        try:
            array = read()
        except CheckpointError as error:
            failures = _failures.get()
            if failures is None:
                raise
            # Keras would come back to variables without a value when it next makes deferred ones.
            failures.append(error)
            array = np.zeros(variable.shape, "float32")
        return ops.cast(to_tensor(array), dtype or variable.dtype)

    if is_deferred(variable):
        variable._initializer = value
    else:
        variable.assign(value())


def to_tensor(array: np.ndarray) -> Any:
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
