"""Where each text lies in the rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from keras import ops


class Texts(Protocol):
    """Takes tokens' activations to one row for each text.

    ``sequence`` is float, (rows, length, hidden); ``counted`` is int, (rows, length): 1 where a
    token is of account, or None where all are. What comes back is float, (texts, hidden).
    """

    def first(self, sequence: Any) -> Any:
        """Picks each text's first token."""
        ...

    def last(self, sequence: Any, counted: Any) -> Any:
        """Picks the last token of account."""
        ...

    def mean(self, sequence: Any, counted: Any) -> Any:
        """Averages the tokens of account."""
        ...


class OwnRows:
    """Each text has a row of its own."""

    def first(self, sequence: Any) -> Any:
        """Picks each row's first token."""
        return sequence[:, 0]

    def last(self, sequence: Any, counted: Any) -> Any:
        """Picks each row's last token of account; the first, where none is."""
        if counted is None:
            return sequence[:, -1]
        columns = ops.arange(ops.shape(counted)[1], dtype="int32")
        last = ops.max(ops.where(ops.cast(counted, "bool"), columns[None, :], 0), axis=1)
        return ops.take_along_axis(sequence, last[:, None, None], axis=1)[:, 0]

    def mean(self, sequence: Any, counted: Any) -> Any:
        """Averages each row's tokens of account."""
        if counted is None:
            return ops.mean(sequence, axis=1)
        mask = ops.cast(counted, sequence.dtype)
        return ops.sum(sequence * mask[:, :, None], axis=1) / ops.sum(mask, axis=1, keepdims=True)


class SharedRows:
    """Several texts share a row.

    Args:
        starts: int, (texts,): the cell in which each text begins, counted row by row.

    Example:
        >>> sequence = ops.reshape(ops.arange(6, dtype="float32"), (2, 3, 1))
        >>> texts = SharedRows(ops.array([0, 2, 3]))
        >>> texts.first(sequence)[:, 0].numpy().tolist()
        [0.0, 2.0, 3.0]
        >>> texts.mean(sequence, ops.array([[1, 1, 1], [1, 1, 0]]))[:, 0].numpy().tolist()
        [0.5, 2.0, 3.5]
    """

    def __init__(self, starts: Any) -> None:
        self._starts = ops.cast(starts, "int32")

    def first(self, sequence: Any) -> Any:
        """Picks the token with which each text begins."""
        return ops.take(_flat(sequence), self._starts, axis=0)

    def last(self, sequence: Any, counted: Any) -> Any:
        """Picks each text's last token of account; the first, where none is."""
        cells = self._cells(sequence)
        counted = self._counted(sequence, counted)
        ends = ops.segment_max(
            ops.where(ops.cast(counted, "bool"), cells, 0), self._text_of(cells), self._count()
        )
        return ops.take(_flat(sequence), ops.maximum(ends, self._starts), axis=0)

    def mean(self, sequence: Any, counted: Any) -> Any:
        """Averages each text's tokens of account."""
        text = self._text_of(self._cells(sequence))
        mask = ops.cast(self._counted(sequence, counted), sequence.dtype)[:, None]
        total = ops.segment_sum(_flat(sequence) * mask, text, self._count())
        return total / ops.segment_sum(mask, text, self._count())

    def _count(self) -> Any:
        return ops.shape(self._starts)[0]

    def _cells(self, sequence: Any) -> Any:
        rows, length = ops.shape(sequence)[:2]
        return ops.arange(rows * length, dtype="int32")

    def _counted(self, sequence: Any, counted: Any) -> Any:
        if counted is None:
            return ops.ones_like(self._cells(sequence))
        return ops.reshape(counted, (-1,))

    def _text_of(self, cells: Any) -> Any:
        """Numbers the text of each cell; padding counts to the text before it."""
        return ops.searchsorted(self._starts, cells, side="right") - 1


def find_texts(inputs: Mapping[str, Any]) -> Texts:
    """Finds where the texts of a backbone's inputs lie.

    Args:
        inputs: See ``Backbone``.

    Returns:
        What takes activations to texts.
    """
    return SharedRows(inputs["text_starts"]) if "text_starts" in inputs else OwnRows()


def _flat(sequence: Any) -> Any:
    """Takes (rows, length, hidden) to (rows * length, hidden)."""
    return ops.reshape(sequence, (-1, sequence.shape[-1]))
