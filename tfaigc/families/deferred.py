"""Variables that get their values from a checkpoint when they are made, or never."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common import global_state

from tfaigc.checkpoints.aligned import ALIGNMENT, empty_aligned

# Where Keras lists the variables that it still has to make.
_PENDING = "uninitialized_variables"
# Where Keras keeps the scope that puts it off.
_SCOPE = "stateless_scope"

# Threads that read and lay out tensors while variables are made of others.
_READERS = 2


@contextmanager
def valueless_variables() -> Iterator[None]:
    """Makes models inside whose variables have shapes, but never values."""
    before = _pending()
    try:
        with keras.StatelessScope(initialize_variables=False), _without_collections():
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
    before = _pending()
    try:
        with _without_collections():
            with keras.StatelessScope(initialize_variables=False):
                yield
            _make(_pending()[len(before) :])
    finally:
        # A model that could not be loaded needs no values.
        global_state.set_global_attribute(_PENDING, before)


@contextmanager
def immediate_variables() -> Iterator[None]:
    """Makes variables inside at once, even where ``deferred_variables`` would put it off."""
    scope = global_state.get_global_attribute(_SCOPE)
    global_state.set_global_attribute(_SCOPE, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(_SCOPE, scope)


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
    stored = _Stored(read)
    if is_deferred(variable):
        variable._initializer = stored
    else:
        variable.assign(stored(variable.shape, variable.dtype))


class _Stored:
    """An initializer that gives a stored value."""

    def __init__(self, read: Callable[[], np.ndarray]) -> None:
        self._read = read

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        tensor = to_tensor(self._read())
        return tensor if dtype is None else ops.cast(tensor, dtype)


def _make(variables: list[Any]) -> None:
    """Gives variables their values: stored ones, or else fresh ones."""
    stored = [each for each in variables if isinstance(each._initializer, _Stored)]
    with ThreadPoolExecutor(_READERS) as pool:
        values = pool.map(lambda each: each._initializer(each.shape, each._dtype), stored)
        for variable, value in zip(stored, values, strict=True):
            variable._initializer = lambda shape, dtype=None, value=value: value
            variable._deferred_initialize()
    for variable in variables:
        if is_deferred(variable):
            variable._deferred_initialize()


def _pending() -> list[Any]:
    return list(global_state.get_global_attribute(_PENDING) or ())


@contextmanager
def _without_collections() -> Iterator[None]:
    """Puts off the search for cyclic garbage.

    The many small objects of a model would set it off several times, and each time it looks at all
    that the imported libraries consist of.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def to_tensor(array: np.ndarray) -> Any:
    """Takes an array to the backend's tensor, which may go on to use its memory.

    TensorFlow copies what it is given up to twice, which a large table makes felt; it takes memory
    that is aligned as it wishes, and offered through DLPack, as it is.
    """
    if keras.backend.backend() != "tensorflow" or array.size == 0:
        return ops.convert_to_tensor(array)
    import tensorflow as tf

    fits = array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
    if not fits or array.ctypes.data % ALIGNMENT:
        aligned = empty_aligned(array.shape, array.dtype)
        aligned[...] = array
        array = aligned
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
