"""Which examples share a row, so that rows of one length have little padding."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def pack_rows(lengths: npt.NDArray[np.int64], row_length: int) -> Indices:
    """Fills rows, each example going where least room is left (best fit decreasing).

    Johnson (1974, Journal of Computer and System Sciences 8) bounds it: at most 11/9 of the fewest
    rows that would do, and four more. Examples of one length are placed together, so that the time
    depends on the different lengths rather than on the examples.

    Args:
        lengths: Tokens of each example, the longest first, from 1 to ``row_length``. (examples,).
        row_length: Tokens that a row has room for.

    Returns:
        The positions of each row's examples, and -1 where it has no more. int64, (rows, slots).

    Example:
        >>> pack_rows(np.array([7, 5, 4, 3, 1]), 10)
        array([[ 0,  3, -1],
               [ 1,  2,  4]])
    """
    row_of = np.empty(len(lengths), np.int64)
    # The rows that have room for so many more tokens.
    with_room: list[Indices] = [np.zeros(0, np.int64) for _ in range(row_length + 1)]
    rows = 0
    begins = [0, *(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(lengths)]
    for begin, end in itertools.pairwise(begins):
        length = int(lengths[begin])
        new = 0
        for room in range(length, row_length + 1):
            # A row may take several of one length: it comes up again where less room is left,
            # which is a place that was passed; so all that fit are put in at once.
            taking = with_room[room]
            each = room // length
            needed = -(-(end - begin) // each)
            if room == row_length:
                new = max(0, needed - len(taking))
                taking = np.concatenate([taking, np.arange(rows, rows + new)])
                rows += new
            used, with_room[room] = taking[:needed], taking[needed:]
            filled = np.repeat(used, each)[: end - begin]
            row_of[begin : begin + len(filled)] = filled
            begin += len(filled)
            left, counts = np.unique(filled, return_counts=True)
            for count in np.unique(counts):
                rest = room - int(count) * length
                with_room[rest] = np.concatenate([with_room[rest], left[counts == count]])
            if begin == end:
                break
    return _as_rows(row_of, rows)


def _as_rows(row_of: Indices, rows: int) -> Indices:
    """Takes each example's row to each row's examples."""
    order = np.argsort(row_of, kind="stable")
    counts = np.bincount(row_of, minlength=rows)
    slots = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    filled = np.full((rows, int(counts.max())), -1, np.int64)
    filled[row_of[order], slots] = order
    return filled
