"""Byte-pair encoding of words of any length.

A pass over all words makes one merge or a few in each, so a very long word would take as many
passes as it has merges. It is cut into overlapping chunks that are merged side by side. Where two
neighbors find the same token at the same place in their overlap, they are joined there, and that is
exact: up to the token's end the first chunk has made the merges that the whole word makes, for none
of them crosses the token's borders; likewise the second chunk from its beginning. Neighbors without
such a token, as in a long run of one letter, become one chunk and are merged again.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfaigc.tokenizers import ragged
from tfaigc.tokenizers.bpe_merges import Merges
from tfaigc.tokenizers.bpe_symbols import Symbols

_WIDTH = 48
_STRIDE = _WIDTH // 2
_NOWHERE = tf.int32.max
# Runs that repeat themselves after so many symbols are not cut.
_LONGEST_PERIOD = 16
_GROWTH = 4


def encode(merges: Merges, units: Symbols) -> Symbols:
    """Merges the symbols of words.

    Args:
        merges: The table of merges.
        units: The words' single tokens.

    Returns:
        The words' tokens.
    """
    symbols, splits, sizes = units

    def step(_: Any, begins: Any, ends: Any, words: Any, *__: Any) -> tuple[Any, ...]:
        places = tf.ragged.range(begins, ends).flat_values
        chunks = ragged.repeat(tf.range(tf.size(begins)), ends - begins)
        tokens, following = merges.merge(tf.gather(symbols, places), chunks)
        # Where each token ends; after a chunk's last one comes the chunk's end.
        after = tf.gather(tf.concat([places, [0]], 0), following)
        after = tf.where(following < tf.size(places), after, tf.gather(ends, chunks))
        there = tf.not_equal(tokens, merges.nothing)
        joints, joined = _joints(begins, ends, words, tokens, after, there)
        failed = joined & tf.equal(joints, _NOWHERE)
        lows = tf.concat([begins[:1], tf.where(joined, joints, begins[1:])], 0)
        highs = tf.concat([tf.where(joined, joints, ends[:-1]), ends[-1:]], 0)
        kept = there & (places >= tf.gather(lows, chunks)) & (places < tf.gather(highs, chunks))
        found, starts = tf.boolean_mask(tokens, kept), tf.boolean_mask(places, kept)
        united = _unite(_widen(failed, begins, ends) & joined, begins, ends, words)
        return (tf.reduce_any(failed), *united, found, starts)

    nothing = tf.zeros([0], tf.int32)
    state = (tf.constant(True), *_chunks(symbols, splits), nothing, nothing)
    flat = [tf.TensorShape([None])] * 5
    state = tf.while_loop(
        lambda more, *_: more, step, state, shape_invariants=(tf.TensorShape([]), *flat)
    )
    *_, tokens, starts = state
    behind = tf.pad(tf.cumsum(sizes), [[1, 0]])
    begun = tf.gather(behind, tf.concat([starts, tf.size(symbols)[None]], 0))
    return Symbols(tokens, tf.searchsorted(starts, splits), begun[1:] - begun[:-1])


def _chunks(symbols: Any, splits: Any) -> tuple[Any, Any, Any]:
    """Cuts words into chunks: their begins, their ends, and the words they are of, int32 (m,)."""
    starts, stops = splits[:-1], splits[1:]
    lengths = stops - starts
    counts = tf.maximum((lengths - _WIDTH + _STRIDE - 1) // _STRIDE, 0) + 1
    counts = tf.where(lengths > 0, counts, 0)
    words = ragged.repeat(tf.range(tf.size(counts)), counts)
    order = tf.range(tf.size(words)) - tf.gather(tf.cumsum(counts, exclusive=True), words)
    begins = tf.gather(starts, words) + order * _STRIDE
    ends = tf.minimum(begins + _WIDTH, tf.gather(stops, words))
    # Chunks that overlap in a run of repetitions hardly ever agree where its tokens begin.
    joined = tf.squeeze(tf.where(tf.equal(words[1:], words[:-1])), 1)
    places = tf.gather(begins[1:], joined)[:, tf.newaxis] + tf.range(_WIDTH - _STRIDE)
    overlaps = tf.gather(symbols, places)
    repeating = tf.zeros_like(joined, tf.bool)
    for period in range(1, _LONGEST_PERIOD + 1):
        same = tf.equal(overlaps[:, period:], overlaps[:, :-period])
        repeating |= tf.reduce_all(same, axis=1)
    size = tf.cast(tf.shape(words[1:]), tf.int64)
    whole = tf.scatter_nd(joined[:, tf.newaxis], tf.cast(repeating, tf.int32), size)
    return _unite(whole > 0, begins, ends, words)


def _unite(together: Any, begins: Any, ends: Any, words: Any) -> tuple[Any, Any, Any]:
    """Makes one chunk of those that belong together with the next one, bool (m - 1,)."""
    size = tf.size(begins)
    first = tf.concat([[True], ~together], 0)[:size]
    last = tf.concat([~together, [True]], 0)[:size]
    return (
        tf.boolean_mask(begins, first),
        tf.boolean_mask(ends, last),
        tf.boolean_mask(words, first),
    )


def _widen(failed: Any, begins: Any, ends: Any) -> Any:
    """Marks joints around those that failed too, so that few rounds suffice, bool (m - 1,)."""
    places = tf.squeeze(tf.where(failed), 1)
    low, high = tf.gather(begins, places), tf.gather(ends, places + 1)
    margin = _GROWTH * (high - low - _WIDTH - _STRIDE)
    first = tf.searchsorted(begins[1:], low - margin)
    # The failed joint itself is always marked.
    first = tf.minimum(first, tf.cast(places, tf.int32))
    behind = tf.searchsorted(begins[1:], high + margin)
    behind = tf.maximum(behind, tf.cast(places, tf.int32) + 1)
    size = tf.size(begins)
    opened = tf.math.unsorted_segment_sum(tf.ones_like(first), first, size)
    closed = tf.math.unsorted_segment_sum(tf.ones_like(behind), behind, size)
    return tf.cumsum(opened - closed)[:-1] > 0


def _joints(
    begins: Any, ends: Any, words: Any, tokens: Any, after: Any, there: Any
) -> tuple[Any, Any]:
    """Finds where each chunk can be joined with the next one, int32 (m - 1,).

    The second result, bool (m - 1,), says which chunks are of the same word as the next one.
    """
    joined = tf.equal(words[1:], words[:-1])
    lengths = ends - begins
    offsets = tf.cumsum(lengths, exclusive=True)
    overlaps = tf.where(joined, ends[:-1] - begins[1:], 0)
    second = tf.ragged.range(offsets[1:], offsets[1:] + overlaps).flat_values
    pairs = ragged.repeat(tf.range(tf.size(overlaps)), overlaps)
    back = offsets[1:] - offsets[:-1] - begins[1:] + begins[:-1]
    first = second - tf.gather(back, pairs)
    same = tf.gather(there, second)
    for values in (tokens, after):
        same &= tf.equal(tf.gather(values, first), tf.gather(values, second))
    places = second - tf.gather(offsets[1:] - begins[1:], pairs)
    found = tf.where(same, places, _NOWHERE)
    return tf.math.unsorted_segment_min(found, pairs, tf.size(overlaps)), joined
