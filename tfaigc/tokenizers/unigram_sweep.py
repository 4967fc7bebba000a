"""The best paths through the lattices of many words, none of them very long.

A sweep over the characters, all words side by side, passes on the best sum of each place along the
pieces that begin there. That takes as many steps as the longest word has characters, and little
work: most places begin few pieces.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import ragged


class Edges(NamedTuple):
    """The pieces in the lattices of words.

    Attributes:
        starts: int64, (edges,): the places where they begin.
        ends: int64, (edges,): the places where they end.
        pieces: int32, (edges,): their numbers.
    """

    starts: Any
    ends: Any
    pieces: Any


def sort(edges: Edges, roots: Any, lengths: Any, *, longest: Any) -> tuple[Edges, Any]:
    """Sorts pieces by how many characters of their words stand before them.

    Args:
        edges: The pieces.
        roots: int64, (words,): each word's first place; its last one is before the next root.
        lengths: int64, (words,): their characters.
        longest: int64, (): the most characters of a piece.

    Returns:
        The pieces, and where those begin that have so many characters before them, int64,
        (longest word + 1,).
    """
    order = tf.argsort(lengths, direction="DESCENDING")
    ranks = tf.scatter_nd(order[:, None], tf.range(tf.size(lengths, tf.int64)), tf.shape(lengths))
    # How many words have more than so many characters, and how many places are before those.
    counts = tf.cumsum(tf.math.bincount(tf.cast(lengths, tf.int32), dtype=tf.int64), reverse=True)
    bases = tf.concat([[0], tf.cumsum(counts[1:])], axis=0)
    words = ragged.repeat(tf.range(tf.size(lengths, tf.int64)), lengths + 1)
    before = tf.range(tf.size(words, tf.int64)) - tf.gather(roots, words)
    rows = tf.gather(bases, before) + tf.gather(ranks, words)
    flat = tf.gather(rows, edges.starts) * longest + edges.ends - edges.starts - 1
    total = bases[-1] * longest
    found = tf.tensor_scatter_nd_update(
        tf.fill(total[None], -1), flat[:, None], tf.range(tf.size(flat))
    )
    places = tf.where(found >= 0)[:, 0]
    taken = tf.gather(found, places)
    return Edges(*(tf.gather(each, taken) for each in edges)), tf.searchsorted(
        places, bases * longest, out_type=tf.int64
    )


def choose(edges: Edges, begins: Any, scores: np.ndarray, roots: Any, total: Any) -> Any:
    """Finds the best piece that ends at each place.

    Args:
        edges: The pieces, sorted.
        begins: int64, (longest word + 1,): as `sort` gives it.
        scores: float64: the score of each number.
        roots: int64, (words,): each word's first place.
        total: int64, (): the number of places.

    Returns:
        int64, (places,): which of the edges, or -1 where none ends.
    """
    gains = tf.gather(tf.constant(scores), edges.pieces)

    def step(index: Any, sums: Any, best: Any) -> Any:
        rows = slice(begins[index], begins[index + 1])
        ends = edges.ends[rows]
        candidates = tf.gather(sums, edges.starts[rows]) + gains[rows]
        # Of equal candidates the one that starts first wins, which has come before.
        better = tf.where(candidates > tf.gather(sums, ends))
        ends = tf.gather_nd(ends, better)[:, None]
        sums = tf.tensor_scatter_nd_update(sums, ends, tf.gather_nd(candidates, better))
        best = tf.tensor_scatter_nd_update(best, ends, better[:, 0] + begins[index])
        return index + 1, sums, best

    nothing = tf.fill(total[None], tf.constant(-np.inf, tf.float64))
    sums = tf.tensor_scatter_nd_update(nothing, roots[:, None], tf.zeros_like(roots, tf.float64))
    _, _, best = tf.while_loop(
        lambda index, *_: index < tf.size(begins) - 1,
        step,
        (tf.constant(0), sums, tf.fill(total[None], tf.constant(-1, tf.int64))),
    )
    return best


def follow(best: Any, starts: Any, last: Any) -> Any:
    """Lists the pieces on the ways back from the ends of words.

    Args:
        best: int64, (places,): as `choose` gives it.
        starts: int64, (edges,): the places where the pieces begin.
        last: int64, (words,): each word's last place.

    Returns:
        int64, (tokens,): which of the edges, in the order of their ends.
    """
    marked = tf.zeros_like(best, tf.bool)

    def step(ends: Any, marked: Any) -> Any:
        marked = tf.tensor_scatter_nd_update(marked, ends[:, None], tf.ones_like(ends, tf.bool))
        before = tf.gather(starts, tf.gather(best, ends))
        return tf.boolean_mask(before, tf.gather(best, before) >= 0), marked

    _, marked = tf.while_loop(
        lambda ends, _: tf.size(ends) > 0,
        step,
        (last, marked),
        shape_invariants=(tf.TensorShape([None]), tf.TensorShape([None])),
    )
    return tf.boolean_mask(best, marked)
