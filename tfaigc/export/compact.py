"""Weights in fewer bits, which are widened again inside the served graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfaigc.errors import ExportError
from tfaigc.export.weights import BFLOAT16

# Below so many numbers there is nothing to save, and a small head or table has much to lose.
_SMALLEST = 4096
_LARGEST_INT8 = 127


class _InBfloat16(tf.Module):
    """A matrix in bfloat16.

    Args:
        values: float32, of any shape.
    """

    def __init__(self, values: Any) -> None:
        super().__init__()
        self.values = tf.Variable(tf.cast(values, tf.bfloat16), trainable=False)

    def widened(self) -> Any:
        """Returns the matrix in float32."""
        return tf.cast(self.values, tf.float32)

    def rows(self, ids: Any) -> Any:
        """Returns some of its rows in float32."""
        return tf.cast(tf.gather(self.values, tf.cast(ids, tf.int32)), tf.float32)


class _InInt8(tf.Module):
    """A matrix of whole numbers, symmetric about 0, with a float32 factor per output channel.

    Jacob et al., arXiv:1712.05877, section 2, with a zero point of 0.

    Args:
        values: float32, of any shape.
        channels: The axis of the channels.
    """

    def __init__(self, values: Any, *, channels: int) -> None:
        super().__init__()
        others = [axis for axis in range(len(values.shape)) if axis != channels]
        largest = tf.reduce_max(tf.abs(values), axis=others, keepdims=True)
        scales = tf.where(largest > 0, largest / _LARGEST_INT8, 1.0)
        self.scales = tf.Variable(scales, trainable=False)
        self.values = tf.Variable(tf.cast(tf.round(values / scales), tf.int8), trainable=False)

    def widened(self) -> Any:
        """Returns the matrix in float32."""
        return tf.cast(self.values, tf.float32) * self.scales

    def rows(self, ids: Any) -> Any:
        """Returns some rows of a table in float32."""
        ids = tf.cast(ids, tf.int32)
        return tf.cast(tf.gather(self.values, ids), tf.float32) * tf.gather(self.scales, ids)


class CompactWeights(tf.Module):
    """The weights of a model, the large matrices and tables among them in fewer bits.

    Norms, biases and whatever has less than 4,096 numbers stay in float32.

    Args:
        model: A Keras model in float32.
        dtype: "bfloat16-weights" or "int8".

    Raises:
        ExportError: A weight is not finite.
    """

    def __init__(self, model: keras.Model, *, dtype: str) -> None:
        super().__init__(name="weights")
        self.dtype = dtype
        tables = {id(table.embeddings) for table in _tables(model)}
        self.stored = [
            _compact(variable, dtype, is_table=id(variable) in tables)
            if _is_large(variable)
            else variable.value
            for variable in model.weights
        ]
        self._float32_bytes = 4 * model.count_params()

    def widened(self) -> Iterator[np.ndarray]:
        """Returns what the model's weights become, in their order."""
        for each in self.stored:
            yield np.asarray(each.widened() if isinstance(each, tf.Module) else each)

    def sizes(self) -> dict[str, Any]:
        """Returns the dtype's name, and what is stored and would be in float32, in bytes."""
        variables = [
            variable
            for each in self.stored
            for variable in (each.variables if isinstance(each, tf.Module) else [each])
        ]
        return {
            "dtype": self.dtype,
            "bytes": sum(each.dtype.size * each.shape.num_elements() for each in variables),
            "float32_bytes": self._float32_bytes,
        }

    @contextmanager
    def standing_in(self, model: keras.Model) -> Iterator[None]:
        """Has a model of the same shape compute with these weights, in the graph being traced.

        Args:
            model: The model, whose own weights are not read inside.
        """
        pairs = list(zip(model.weights, self.stored, strict=True))
        compact = {id(own): each for own, each in pairs if isinstance(each, tf.Module)}
        # Few rows are read of a table: to widen all of it could cost more than the network.
        tables = [
            table
            for table in _tables(model)
            if id(table.embeddings) in compact and type(table).call is keras.layers.Embedding.call
        ]
        for table in tables:
            table.call = compact[id(table.embeddings)].rows
        values = [
            (own, each.widened() if isinstance(each, tf.Module) else each) for own, each in pairs
        ]
        try:
            with keras.StatelessScope(state_mapping=values):
                yield
        finally:
            for table in tables:
                del table.call


def _tables(model: keras.Model) -> list[Any]:
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Embedding)]


def _is_large(variable: Any) -> bool:
    is_matrix = len(variable.shape) >= 2 and keras.backend.is_float_dtype(variable.dtype)
    return is_matrix and int(np.prod(variable.shape)) >= _SMALLEST


def _compact(variable: Any, dtype: str, *, is_table: bool) -> tf.Module:
    values = tf.convert_to_tensor(variable.value)
    if not bool(tf.reduce_all(tf.math.is_finite(values))):
        raise ExportError(
            f"Weights in fewer bits must be finite. Received: {variable.path} with NaN or "
            "infinity. Train again with a lower learning rate, or export with dtype='float32'."
        )
    if dtype == BFLOAT16:
        return _InBfloat16(values)
    # A table's channels are its rows.
    return _InInt8(values, channels=0 if is_table else len(values.shape) - 1)
