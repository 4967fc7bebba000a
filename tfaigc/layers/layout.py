"""How activations lie in memory between the embedding and the last block."""

from __future__ import annotations

from typing import Any, Protocol

from keras import ops


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
        cells = ops.reshape(ops.cast(padding_mask, "bool"), (-1,))
        self._cells = ops.reshape(ops.nonzero(cells)[0], (-1, 1))

    def to_rows(self, grid: Any) -> Any:
        """Takes (batch, length, ...) to (tokens, ...)."""
        cells = ops.reshape(grid, (-1, *grid.shape[2:]))
        return ops.take(cells, self._cells[:, 0], axis=0)

    def to_grid(self, rows: Any) -> Any:
        """Takes (tokens, hidden) to (batch, length, hidden); padding becomes zero."""
        batch, length = self._shape
        hidden = rows.shape[-1]
        cells = ops.scatter(self._cells, rows, (batch * length, hidden))
        return ops.reshape(cells, (batch, length, hidden))
