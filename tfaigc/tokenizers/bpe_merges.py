"""The merges of byte-pair encoding, over many words at once (Sennrich et al., 2016).

The Rust tokenizer merges the pair of lowest rank in a word, the leftmost of equals, until no pair
is left that can be merged. Here each pass merges, in every word, all pairs of the word's lowest
rank. That is the same as long as no new pair ranks lower, which would have to come first: where
a merge can bring about such a pair, only the leftmost one is merged in a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers.cuckoo import CuckooTable

_NO_RANK = np.iinfo(np.int32).max


class Merges:
    """The table of merges.

    Args:
        merges: (left, right, merged), token ids, in order of rank.
        size: One more than the largest token id.
    """

    def __init__(self, merges: Sequence[tuple[int, int, int]], size: int) -> None:
        table = np.array(merges, np.int64).reshape(-1, 3)
        # Stands where there is no token, so that no pair holds it.
        self.nothing = size
        self._base = size + 1
        keys = table[:, 0] * self._base + table[:, 1]
        # Where a pair is listed twice, the last one counts.
        keys, last = np.unique(keys[::-1], return_index=True)
        ranks = len(table) - 1 - last
        self._table = CuckooTable(keys, ranks, default=_NO_RANK)
        self._merged = table[:, 2].astype(np.int32)
        self._alone = _brings_lower_ranks(table, size)

    def rank(self, left: Any, right: Any) -> Any:
        """Looks pairs up.

        Args:
            left: int32, (n,), token ids.
            right: int32, (n,), token ids.

        Returns:
            int32, (n,): The pairs' ranks, or the largest number where there is no such merge.
        """
        keys = tf.cast(left, tf.int64) * self._base + tf.cast(right, tf.int64)
        return self._table.find(keys)

    def merge(self, tokens: Any, words: Any) -> tuple[Any, Any]:
        """Merges the tokens of words.

        Args:
            tokens: int32, (n,), the words' single tokens one behind the other.
            words: int32, (n,), the number of each token's word, ascending.

        Returns:
            int32, (n,), merged tokens, each at the place of its first part, and `nothing` at the
            places of other parts; int32, (n,), the place of the next token in the word, or n.
        """
        places, end = tf.range(tf.size(tokens)), tf.size(tokens)
        joined = tf.equal(words[1:], words[:-1])
        # The last entry of each list is of nobody; who has no neighbor points there.
        following = tf.concat([tf.where(joined, places[1:], end), [end, end]], 0)[: end + 1]
        preceding = tf.concat([[end], tf.where(joined, places[:-1], end), [end]], 0)[: end + 1]
        tokens = tf.concat([tokens, [self.nothing]], 0)
        ranks = self.rank(tokens, tf.gather(tokens, following))

        def step(_: Any, *state: Any) -> tuple[Any, ...]:
            found = self._lowest(state[1], state[2], words)
            return (tf.size(found) > 0, *self._merge_at(found, *state))

        state = (tf.constant(True), tokens, ranks, following, preceding)
        state = tf.while_loop(lambda more, *_: more, step, state)
        return state[1][:-1], state[3][:-1]

    def _lowest(self, ranks: Any, following: Any, words: Any) -> Any:
        """Finds the left tokens of the pairs of the lowest rank of each word, int32 (m,)."""
        ranks = ranks[:-1]
        best = tf.gather(tf.math.segment_min(ranks, words), words)
        lowest = tf.equal(ranks, best) & (ranks < _NO_RANK)
        found = tf.cast(tf.squeeze(tf.where(lowest), 1), tf.int32)
        # In a run of overlapping pairs, as in "aaa", every other one is merged.
        overlapping = tf.equal(tf.gather(following, found[:-1]), found[1:])
        begins = tf.concat([[True], ~overlapping], 0)[: tf.size(found)]
        runs = tf.cumsum(tf.cast(begins, tf.int32)) - 1
        order = tf.range(tf.size(found))
        first_of_run = tf.gather(tf.cast(tf.squeeze(tf.where(begins), 1), tf.int32), runs)
        kept = tf.equal((order - first_of_run) % 2, 0)
        if self._alone.any():
            alone = tf.gather(tf.constant(self._alone), tf.gather(ranks, found))
            word = tf.gather(words, found)
            first = tf.concat([[True], tf.not_equal(word[1:], word[:-1])], 0)[: tf.size(found)]
            kept &= first | ~alone
        return tf.boolean_mask(found, kept)

    def _merge_at(
        self, found: Any, tokens: Any, ranks: Any, following: Any, preceding: Any
    ) -> tuple[Any, ...]:
        """Merges the pairs whose left tokens are at the places `found`."""
        absorbed = tf.gather(following, found)
        after = tf.gather(following, absorbed)
        merged = tf.gather(tf.constant(self._merged), tf.gather(ranks, found))
        tokens = _put(tokens, found, merged)
        tokens = _put(tokens, absorbed, tf.fill(tf.shape(absorbed), self.nothing))
        following = _put(following, found, after)
        end = tf.size(tokens) - 1
        preceding = _put(preceding, after, tf.where(after < end, found, end))
        changed = tf.concat([found, tf.gather(preceding, found)], 0)
        left, right = (tf.gather(tokens, each) for each in (changed, tf.gather(following, changed)))
        ranks = _put(ranks, absorbed, tf.fill(tf.shape(absorbed), _NO_RANK))
        return tokens, _put(ranks, changed, self.rank(left, right)), following, preceding


def _put(values: Any, places: Any, new: Any) -> Any:
    return tf.tensor_scatter_nd_update(values, places[:, tf.newaxis], new)


def _brings_lower_ranks(table: Any, size: int) -> Any:
    """Tells of each merge whether its token is a part of a merge of lower rank."""
    order = np.arange(len(table))
    lowest = np.full(size, _NO_RANK, np.int64)
    for column in (0, 1):
        np.minimum.at(lowest, table[:, column], order)
    return lowest[table[:, 2]] <= order
