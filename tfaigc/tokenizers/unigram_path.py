"""The best paths through the lattices of many words, however long.

All words advance together, one character at a time, so a very long word would take as many steps as
it has characters. It is cut into segments that advance side by side. What a segment begins with is
found before: a segment turns the scores of the places before it into those of its last places, and
in the algebra of maxima and sums that is a product with a matrix (Mohri, 2002, "Semiring frameworks
and algorithms for shortest-distance problems").

Floating-point sums depend on their order, so in general this would not be exact. But scores that
were float32 once, as those of SentencePiece were, are multiples of a power of two or hardly differ
from one. Once a sum is large enough to be such a multiple too, that small difference is rounded
away in every further addition: all later sums are exact, in any order. See `Grid`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import ragged

LONGEST = 512
"""Characters up to which a word is not cut; the first segment of those that are."""
_SEGMENT = 256  # characters of the others
_DIGITS = 53  # of float64, binary
_EXPONENTS = range(16, 40)
# Sums get there within a segment, even where a piece has 16 characters.
_LARGEST_LEAST = 64.0


@dataclass(frozen=True)
class Grid:
    """The multiples of a power of two that the scores of pieces nearly are.

    A sum that is a multiple, and whose absolute value is more than `least`, stays a multiple when a
    score is added in float64: what the score differs by is less than half of the last digit.

    Attributes:
        unit: The power of two.
        scores: float64, (pieces,): the scores, rounded.
        least: What the absolute value of a sum must exceed.
        longest: The most characters of a word whose sums are all exact.
    """

    unit: float
    scores: np.ndarray
    least: float
    longest: int


def find_grid(scores: np.ndarray) -> Grid | None:
    """Finds the grid of scores.

    Args:
        scores: float64, (pieces,); minus infinity for what is no piece.

    Returns:
        The grid, or None where there is none.

    Example:
        >>> find_grid(np.array([-0.5, -4.0, -np.inf])).least
        0.0
        >>> find_grid(np.array([-0.1, -4.0])) is None
        True
    """
    finite = scores[np.isfinite(scores)]
    if finite.max() > 0:
        return None
    grids = []
    for unit in (2.0**-exponent for exponent in _EXPONENTS):
        difference = np.abs(np.round(finite / unit) * unit - finite).max()
        # The last digit of what is larger than `least` is worth more than twice the difference.
        least = 2.0 ** (np.floor(np.log2(difference)) + _DIGITS + 1) if difference else 0.0
        longest = int(2.0**_DIGITS * unit / max(-finite.min(), 1.0))
        grids.append(Grid(unit, np.round(scores / unit) * unit, float(least), longest))
    best = min(grids, key=lambda grid: grid.least)
    return best if best.least <= _LARGEST_LEAST else None


def choose(scores: Any, pieces: Any, roots: Any, lengths: Any, *, grid: Grid | None) -> Any:
    """Finds the best place before each place.

    Args:
        scores: float64, (places, longest): the pieces that end at each place, the longest first.
        pieces: int32, (places, longest): their numbers among the grid's scores.
        roots: int64, (words,): each word's first place, before its first character.
        lengths: int64, (words,): their characters.
        grid: The grid of the scores, if there is one.

    Returns:
        int64, (places,); of a word's first place, itself.
    """
    heads, sums = _walk_heads(scores, roots, lengths, grid)
    counts = tf.tensor_scatter_nd_update(
        tf.ones_like(lengths),
        heads[:, None],
        1 + (tf.gather(lengths, heads) - LONGEST + _SEGMENT - 1) // _SEGMENT,
    )
    firsts = tf.cumsum(counts, exclusive=True)
    words = ragged.repeat(tf.range(tf.size(counts)), counts)
    order = tf.range(tf.size(words, tf.int64)) - tf.gather(firsts, words)
    before = tf.where(order > 0, LONGEST + _SEGMENT * (order - 1), 0)
    begins = tf.gather(roots, words) + before
    sizes = tf.gather(lengths, words) - before
    most = tf.where(order > 0, tf.constant(_SEGMENT, tf.int64), LONGEST)
    sizes = tf.where(tf.gather(counts, words) > 1, tf.minimum(sizes, most), sizes)
    windows = tf.tile(_start(scores)[None], tf.stack([tf.size(words), 1]))
    if grid is not None:
        first, count = tf.gather(firsts, heads), tf.gather(counts, heads)
        windows = _enter(windows, sums, pieces, begins, first, count, grid)
    return _advance(windows, scores, begins, sizes)


def _start(scores: Any) -> Any:
    """Gives the window before a word: a path comes from its last place and from nowhere else."""
    nowhere = tf.fill([tf.shape(scores)[1] - 1], tf.constant(-np.inf, tf.float64))
    return tf.concat([nowhere, [0.0]], axis=0)


def _walk_heads(scores: Any, roots: Any, lengths: Any, grid: Grid | None) -> tuple[Any, Any]:
    """Walks through the first segments of the words that may be cut.

    Returns:
        int64, (m,): which words; float64, (m, longest): the scores of the segments' last places.
    """
    if grid is None:
        return tf.zeros([0], tf.int64), None
    long = tf.where((lengths > LONGEST) & (lengths <= grid.longest))[:, 0]
    begins = tf.gather(roots, long)
    paths = tf.tile(_start(scores)[None, None], tf.stack([tf.size(begins), 1, 1]))
    sums = _walk(paths, begins, lambda places: tf.gather(scores, places), size=LONGEST)[:, 0]
    multiples = sums / grid.unit
    exact = tf.equal(tf.round(multiples), multiples) & (sums < -grid.least)
    exact = tf.reduce_all(exact | tf.math.is_inf(sums), axis=1)
    return tf.boolean_mask(long, exact), tf.boolean_mask(sums, exact)


def _enter(
    windows: Any, sums: Any, pieces: Any, begins: Any, firsts: Any, counts: Any, grid: Grid
) -> Any:
    """Finds the scores of the places before each segment: float64, (segments, longest).

    `sums` are those before the second segments of the words that are cut, `firsts` and `counts`
    those words' first segments and how many they have.
    """
    order = tf.argsort(counts, direction="DESCENDING")
    firsts, counts, sums = (tf.gather(each, order) for each in (firsts, counts, sums))
    # Of a word's segments, the last one leads nowhere.
    leading = tf.ragged.range(firsts + 1, firsts + counts - 1)
    matrices = _transfers(pieces, tf.gather(begins, leading.flat_values), grid)
    rows = leading.row_starts()

    def step(index: Any, entered: Any, found: Any, places: Any) -> Any:
        words = tf.math.count_nonzero(counts > index + 1)
        matrix = tf.gather(matrices, rows[:words] + index - 1)
        entered = tf.reduce_max(entered[:words, :, None] + matrix, axis=1)
        at = tf.cast(index, tf.int32)
        found = found.write(at, entered)
        return index + 1, entered, found, places.write(at, firsts[:words] + index + 1)

    most = tf.reduce_max(tf.concat([counts, [0]], axis=0))
    found = _array(windows.dtype, [None, None]).write(0, sums)
    places = _array(tf.int64, [None]).write(0, firsts + 1)
    *_, found, places = tf.while_loop(
        lambda index, *_: index < most - 1,
        step,
        (tf.constant(1, tf.int64), sums, found, places),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, None]), None, None),
    )
    return tf.tensor_scatter_nd_update(windows, places.concat()[:, None], found.concat())


def _transfers(pieces: Any, begins: Any, grid: Grid) -> Any:
    """Lists what whole segments add on the way from each place before them to their last places.

    Args:
        pieces: int32, (places, longest).
        begins: int64, (segments,).
        grid: The grid of the pieces' scores.

    Returns:
        float64, (segments, longest, longest): from, to.
    """
    longest = tf.shape(pieces)[1]
    nowhere = tf.fill(tf.stack([longest, longest]), tf.constant(-np.inf, tf.float64))
    start = tf.linalg.set_diag(nowhere, tf.zeros([longest], tf.float64))
    paths = tf.tile(start[None], tf.stack([tf.size(begins), 1, 1]))

    def arriving(places: Any) -> Any:
        return tf.gather(tf.constant(grid.scores), tf.gather(pieces, places))

    return _walk(paths, begins, arriving, size=_SEGMENT)


def _walk(paths: Any, begins: Any, arriving: Callable[[Any], Any], *, size: int) -> Any:
    """Walks through whole segments.

    Args:
        paths: float64, (segments, k, longest): k times the scores of the places before each.
        begins: int64, (segments,).
        arriving: Maps places, int64 (segments,), to the scores of what ends there.
        size: The segments' characters.

    Returns:
        float64, (segments, k, longest): the scores of each segment's last places.
    """
    steps = tf.where(tf.size(begins) > 0, size, 0)

    def step(index: Any, paths: Any) -> Any:
        candidates = paths + arriving(begins + tf.cast(index, tf.int64))[:, None]
        top = tf.reduce_max(candidates, axis=2, keepdims=True)
        return index + 1, tf.concat([paths[:, :, 1:], top], axis=2)

    _, paths = tf.while_loop(
        lambda index, _: index <= steps,
        step,
        (tf.constant(1), paths),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, None, None])),
    )
    return paths


def _advance(windows: Any, scores: Any, begins: Any, sizes: Any) -> Any:
    """Finds the best place before each place, segment by segment, all of them side by side."""
    longest = tf.shape(scores, tf.int64)[1]
    columns = tf.range(longest)
    order = tf.argsort(sizes, direction="DESCENDING")
    begins = tf.gather(begins, order)
    most = tf.reduce_max(tf.concat([sizes, [0]], axis=0))
    # How many segments have at least so many characters.
    active = tf.cumsum(tf.math.bincount(tf.cast(sizes, tf.int32), dtype=tf.int64), reverse=True)
    # An array without a first entry could not be put together where there are no words.
    ends, backs = (_array(tf.int64, [None]).write(0, begins[:0]) for _ in range(2))

    def step(size: Any, best: Any, ends: Any, backs: Any) -> Any:
        places = begins[: active[size]] + size
        best = best[: active[size]]
        candidates = tf.gather(scores, places) + best
        top = tf.reduce_max(candidates, axis=1, keepdims=True)
        first = tf.reduce_min(tf.where(tf.equal(candidates, top), columns, longest), axis=1)
        index = tf.cast(size, tf.int32)
        ends = ends.write(index, places)
        backs = backs.write(index, places - longest + first)
        return size + 1, tf.concat([best[:, 1:], top], axis=1), ends, backs

    *_, ends, backs = tf.while_loop(
        lambda size, *_: size <= most,
        step,
        (tf.constant(1, tf.int64), tf.gather(windows, order), ends, backs),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, None]), None, None),
    )
    itself = tf.range(tf.shape(scores, tf.int64)[0])
    return tf.tensor_scatter_nd_update(itself, ends.concat()[:, None], backs.concat())


def ends_on_path(backs: Any, last: Any, lengths: Any) -> Any:
    """Lists the places where tokens end, by following all ways back in steps of doubling size.

    Args:
        backs: int64, (places,): the best place before each place.
        last: int64, (words,): each word's last place.
        lengths: int64, (words,): their characters.

    Returns:
        int64, (tokens,), ascending.
    """
    marked = tf.tensor_scatter_nd_update(
        tf.zeros_like(backs, bool), last[:, None], tf.ones_like(last, bool)
    )

    def double(reach: Any, marked: Any, jumps: Any) -> Any:
        reached = tf.gather(jumps, tf.where(marked)[:, 0])
        marked = tf.tensor_scatter_nd_update(marked, reached[:, None], tf.ones_like(reached, bool))
        return reach * 2, marked, tf.gather(jumps, jumps)

    longest = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
    _, marked, _ = tf.while_loop(
        lambda reach, *_: reach <= longest,
        double,
        (tf.constant(1, tf.int64), marked, backs),
        shape_invariants=(tf.TensorShape([]), *[tf.TensorShape([None])] * 2),
    )
    token_ends = marked & (backs < tf.range(tf.size(backs, tf.int64)))
    return tf.where(token_ends)[:, 0]


def _array(dtype: Any, shape: list[Any]) -> Any:
    return tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False, element_shape=shape)
