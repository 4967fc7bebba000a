"""How activations lie in memory between the embedding and the last block."""

from __future__ import annotations

from typing import Any, Protocol

from keras import ops

from tfaigc.layers.gradients import with_gradient


class Layout(Protocol):
    """Moves activations between the grid (batch, length) and the rows that dense layers see."""

    def to_rows(self, grid: Any) -> Any:
        """Takes (batch, length, ...) to (rows, ...)."""
        ...

    def to_grid(self, rows: Any) -> Any:
        """Takes (rows, hidden) to (batch, length, hidden)."""
        ...


class PaddedLayout:
    """Every cell of the grid is a row, so that all shapes are as static as the inputs'.

    Args:
        padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
    """

    def __init__(self, padding_mask: Any) -> None:
        self._shape = ops.shape(padding_mask)

    def to_rows(self, grid: Any) -> Any:
        """Takes (batch, length, ...) to (batch * length, ...)."""
        return ops.reshape(grid, (-1, *grid.shape[2:]))

    def to_grid(self, rows: Any) -> Any:
        """Takes (batch * length, hidden) to (batch, length, hidden)."""
        return ops.reshape(rows, (*self._shape, rows.shape[-1]))


class PackedLayout:
    """Only tokens are rows: padding is left out, so that no dense layer computes it.

    The number of rows depends on the data, which XLA cannot compile.

    Args:
        padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
    """

    def __init__(self, padding_mask: Any) -> None:
        self._shape = ops.shape(padding_mask)
        tokens = ops.cast(ops.reshape(padding_mask, (-1,)), "bool")
        self._cells = ops.nonzero(tokens)[0]
        # The row of each cell; all padding has the row after the last.
        counted = ops.cumsum(ops.cast(tokens, "int32")) - 1
        self._rows = ops.where(tokens, counted, ops.shape(self._cells)[0])

    def to_rows(self, grid: Any) -> Any:
        """Takes (batch, length, ...) to (tokens, ...)."""
        cells = ops.reshape(grid, (-1, *grid.shape[2:]))
        if len(cells.shape) == 1:
            return ops.take(cells, self._cells, axis=0)

        @with_gradient
        def pick(cells: Any) -> tuple[Any, Any]:
            return ops.take(cells, self._cells, axis=0), self._spread

        return pick(cells)

    def to_grid(self, rows: Any) -> Any:
        """Takes (tokens, hidden) to (batch, length, hidden); padding becomes zero."""

        # Every cell has one row at most, so each way is the other's gradient; what TensorFlow
        # would derive adds rows up one after the other.
        @with_gradient
        def spread(rows: Any) -> tuple[Any, Any]:
            return self._spread(rows), lambda upstream: ops.take(upstream, self._cells, axis=0)

        return ops.reshape(spread(rows), (*self._shape, rows.shape[-1]))

    def _spread(self, rows: Any) -> Any:
        """Takes (tokens, hidden) to (batch * length, hidden)."""
        return ops.take(ops.pad(rows, ((0, 1), (0, 0))), self._rows, axis=0)


def make_layout(padding_mask: Any, *, remove_padding: bool) -> Layout:
    """Makes the layout that leaves padding out of the dense layers, or the one that does not.

    Args:
        padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
        remove_padding: Whether padding is left out; XLA cannot compile that.

    Returns:
        The layout.
    """
    return PackedLayout(padding_mask) if remove_padding else PaddedLayout(padding_mask)
