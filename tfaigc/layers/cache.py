"""What attention remembers of the tokens that it has seen, so that each is computed once."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops


class AttentionCache:
    """Keys and values of one attention layer, in the columns of a text that is being written.

    Args:
        key: float, (batch, key heads, capacity, head size).
        value: float, as ``key``.
        length: int, (): how many columns are filled.
    """

    def __init__(self, key: Any, value: Any, length: Any) -> None:
        self.key = key
        self.value = value
        self._length = length

    def extend(self, key: Any, value: Any) -> tuple[Any, Any]:
        """Writes new tokens behind the old ones.

        Args:
            key: float, (batch, key heads, new, head size).
            value: float, as ``key``.

        Returns:
            Keys and values of all columns, with what is not filled yet.
        """
        self.key = write_columns(self.key, key, self._length, axis=2)
        self.value = write_columns(self.value, value, self._length, axis=2)
        return self.key, self.value


class TextCache(NamedTuple):
    """What a stack remembers of texts that are being written, one a row.

    Attributes:
        keys: For each layer, float, (batch, key heads, capacity, head size).
        values: As ``keys``.
        mask: int32, (batch, capacity): 1 where a token is; 0 in padding and what is not filled.
        length: int32, (): how many columns are filled.
    """

    keys: tuple[Any, ...]
    values: tuple[Any, ...]
    mask: Any
    length: Any

    def layer(self, index: int) -> AttentionCache:
        """Returns the part of one layer."""
        return AttentionCache(self.keys[index], self.values[index], self.length)

    def take(self, rows: Any) -> TextCache:
        """Picks texts: int, (picked,), each any number of times."""
        return TextCache(
            tuple(ops.take(key, rows, axis=0) for key in self.keys),
            tuple(ops.take(value, rows, axis=0) for value in self.values),
            ops.take(self.mask, rows, axis=0),
            self.length,
        )


def write_columns(grid: Any, new: Any, start: Any, *, axis: int) -> Any:
    """Replaces columns of a grid.

    Keras's own way to do so takes, on TensorFlow, an operation that servers do not link.

    Args:
        grid: (..., columns, ...).
        new: (..., new columns, ...), of the same shape but for these.
        start: int, (): the first column that is replaced.
        axis: Where the columns are.

    Returns:
        As ``grid``.

    Example:
        >>> write_columns(ops.zeros((1, 4)), ops.ones((1, 2)), 1, axis=1).numpy().tolist()
        [[0.0, 1.0, 1.0, 0.0]]
    """
    count = ops.shape(new)[axis]
    place = ops.arange(ops.shape(grid)[axis], dtype="int32") - start
    is_new = ops.logical_and(place >= 0, place < count)
    is_new = ops.reshape(is_new, (-1, *[1] * (len(grid.shape) - axis - 1)))
    if new.shape[axis] != 1:
        new = ops.take(new, ops.clip(place, 0, count - 1), axis=axis)
    return ops.where(is_new, ops.cast(new, grid.dtype), grid)
