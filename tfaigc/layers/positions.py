"""Where each token stands in its text."""

from __future__ import annotations

from typing import Any

from keras import ops


def positions_in_text(token_ids: Any, pack_ids: Any = None, *, padding_mask: Any = None) -> Any:
    """Counts tokens from 0 in each text.

    Args:
        token_ids: int, (batch, length).
        pack_ids: int, (batch, length), or None: positions start again where the id changes.
        padding_mask: int, (batch, length), or None: cells with 0 are not counted, so that a text
            has the same positions wherever its padding stands.

    Returns:
        int32, (batch, length).

    Example:
        >>> ids = ops.array([[5, 6, 7, 8]])
        >>> positions_in_text(ids, ops.array([[1, 1, 2, 2]])).numpy().tolist()
        [[0, 1, 0, 1]]
    """
    columns = _columns(token_ids)
    starts = None if pack_ids is None else _start_of_text(columns, pack_ids)
    if padding_mask is None:
        return columns if starts is None else columns - starts
    counted = ops.cast(padding_mask, "int32")
    positions = ops.cumsum(counted, axis=1) - counted
    if starts is not None:
        positions = positions - ops.take_along_axis(positions, starts, axis=1)
    return positions


def positions_past_padding(token_ids: Any, *, padding_id: int, pack_ids: Any = None) -> Any:
    """Counts tokens from ``padding_id + 1`` in each text, as fairseq does (arXiv:1904.01038).

    Tokens that are ``padding_id`` are not counted, wherever they stand; their position is
    ``padding_id``.

    Args:
        token_ids: int, (batch, length).
        padding_id: The padding token.
        pack_ids: int, (batch, length), or None: positions start again where the id changes.

    Returns:
        int32, (batch, length).

    Example:
        >>> positions_past_padding(ops.array([[7, 8, 9, 1]]), padding_id=1).numpy().tolist()
        [[2, 3, 4, 1]]
    """
    counted = ops.cast(ops.not_equal(token_ids, padding_id), "int32")
    count = ops.cumsum(counted, axis=1)
    if pack_ids is not None:
        before = count - counted
        starts = _start_of_text(_columns(token_ids), pack_ids)
        count = count - ops.take_along_axis(before, starts, axis=1)
    return count * counted + padding_id


def _columns(token_ids: Any) -> Any:
    """Returns each cell's column, int32, (batch, length)."""
    length = ops.shape(token_ids)[1]
    return ops.broadcast_to(ops.arange(length, dtype="int32")[None, :], ops.shape(token_ids))


def _start_of_text(columns: Any, pack_ids: Any) -> Any:
    """Finds the column in which each token's own text starts: the last start at or before it."""
    earlier = ops.concatenate([pack_ids[:, :1], pack_ids[:, :-1]], axis=1)
    starts = ops.where(ops.equal(pack_ids, earlier), 0, columns)
    length = ops.shape(columns)[1]
    at_or_before = ops.arange(length)[None, :, None] >= ops.arange(length)[None, None, :]
    return ops.max(ops.where(at_or_before, starts[:, None, :], 0), axis=-1)
