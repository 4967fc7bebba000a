"""The best segmentation of many words at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers.unigram_trie import Trie


class Tokens(NamedTuple):
    """The tokens of many words, one behind the other.

    Attributes:
        numbers: int32, (tokens,): the pieces' numbers; -1 for a character that no piece covers.
        starts: int64, (tokens,): where each begins, counted over the characters of all words.
        ends: int64, (tokens,): where each ends.
        splits: int64, (words + 1,). Word i owns tokens splits[i] to splits[i + 1].
    """

    numbers: Any
    starts: Any
    ends: Any
    splits: Any


class Lattice:
    """Finds each word's segmentation of the highest score.

    The model is of Kudo (2018, https://arxiv.org/abs/1804.10959). Scores are added up from left to
    right, and of equal candidates for a place the one that starts first wins, as in the Rust
    tokenizer.

    Args:
        trie: The pieces.
        scores: The score of each of the trie's numbers.
        unknown_score: The score of a character that is no piece on its own.
    """

    def __init__(self, trie: Trie, scores: np.ndarray, unknown_score: float) -> None:
        self._trie = trie
        # Behind the pieces: an unknown character, and what is no token.
        self._scores = np.concatenate([scores, [unknown_score, -np.inf]]).astype(np.float64)
        self._unknown, self._nothing = len(scores), len(scores) + 1

    def __call__(self, codes: Any, splits: Any) -> Tokens:
        """Segments words.

        Args:
            codes: int32, (characters,): the code points of all words; no word is empty.
            splits: int64, (words + 1,).

        Returns:
            The tokens.
        """
        lengths = splits[1:] - splits[:-1]
        words = tf.range(tf.size(lengths, tf.int64))
        # There is a place in front of every character, and one behind every word.
        roots = splits[:-1] + words
        word_of_place = tf.repeat(words, lengths + 1)
        places = tf.range(tf.size(codes, tf.int64)) + tf.repeat(words, lengths)
        pieces, scores = self._find_pieces(codes, places, tf.size(word_of_place, tf.int64))
        backs = self._choose(scores, roots, lengths)
        ends = _ends_on_path(backs, roots + lengths, lengths)
        starts = tf.gather(backs, ends)
        columns = self._trie.longest - (ends - starts)
        numbers = tf.gather_nd(pieces, tf.stack([ends, columns], axis=1))
        word = tf.gather(word_of_place, ends)
        counts = tf.math.unsorted_segment_sum(tf.ones_like(word), word, tf.size(words))
        return Tokens(
            tf.where(tf.equal(numbers, self._unknown), -1, numbers),
            starts - word,
            ends - word,
            tf.concat([[0], tf.cumsum(counts)], axis=0),
        )

    def _find_pieces(self, codes: Any, places: Any, total: Any) -> tuple[Any, Any]:
        """Finds the pieces that end at each place: (places, longest), the longest first."""
        longest = self._trie.longest
        symbols = tf.scatter_nd(places[:, None], self._trie.symbols(codes), total[None])
        found, numbers = _array(tf.int64), _array(tf.int32)
        alive, nodes, said = self._trie.step(
            (tf.zeros_like(places, tf.int32), self._trie.root(places)), tf.gather(symbols, places)
        )
        # A character on its own is a token in any case, if only an unknown one.
        values = self._trie.values(said)
        single = tf.tensor_scatter_nd_update(
            tf.fill(tf.shape(places), self._unknown),
            alive[:, None],
            tf.where(values >= 0, values, self._unknown),
        )
        found = found.write(0, (places + 1) * longest + longest - 1)
        numbers = numbers.write(0, single)

        def walk(size: Any, heads: Any, nodes: Any, said: Any, found: Any, numbers: Any) -> Any:
            letters = tf.gather(symbols, heads + size)
            alive, nodes, said = self._trie.step((nodes, said), letters)
            heads = tf.gather(heads, alive)
            values = self._trie.values(said)
            ending = tf.where(values >= 0)[:, 0]
            ends = tf.gather(heads, ending) + size + 1
            index = tf.cast(size, tf.int32)
            found = found.write(index, ends * longest + longest - 1 - size)
            numbers = numbers.write(index, tf.gather(values, ending))
            return size + 1, heads, nodes, said, found, numbers

        start = (tf.gather(places, alive), nodes, said)
        *_, found, numbers = tf.while_loop(
            lambda size, heads, *_: tf.size(heads) > 0,
            walk,
            (tf.constant(1, tf.int64), *start, found, numbers),
            shape_invariants=(tf.TensorShape([]), *[tf.TensorShape([None])] * 3, None, None),
        )
        found, numbers = found.concat()[:, None], numbers.concat()
        pieces = tf.fill(total[None] * longest, self._nothing)
        pieces = tf.tensor_scatter_nd_update(pieces, found, numbers)
        scores = tf.fill(total[None] * longest, tf.constant(-np.inf, tf.float64))
        values = tf.gather(tf.constant(self._scores), numbers)
        scores = tf.tensor_scatter_nd_update(scores, found, values)
        return tf.reshape(pieces, [-1, longest]), tf.reshape(scores, [-1, longest])

    def _choose(self, scores: Any, roots: Any, lengths: Any) -> Any:
        """Finds the place before each place: int64, (places,). All words advance together."""
        longest = self._trie.longest
        columns = tf.range(longest)
        order = tf.argsort(lengths, direction="DESCENDING")
        roots = tf.gather(roots, order)
        longest_word = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
        # How many words have at least so many characters.
        active = tf.cumsum(
            tf.math.bincount(tf.cast(lengths, tf.int32), dtype=tf.int64), reverse=True
        )
        # An array without a first entry could not be put together where there are no words.
        ends, backs = (_array(tf.int64).write(0, roots[:0]) for _ in range(2))

        def advance(size: Any, best: Any, ends: Any, backs: Any) -> Any:
            words = active[size]
            places = roots[:words] + size
            best = best[:words]
            candidates = tf.gather(scores, places) + best
            top = tf.reduce_max(candidates, axis=1, keepdims=True)
            first = tf.reduce_min(tf.where(tf.equal(candidates, top), columns, longest), axis=1)
            index = tf.cast(size, tf.int32)
            ends = ends.write(index, places)
            backs = backs.write(index, places - longest + tf.cast(first, tf.int64))
            return size + 1, tf.concat([best[:, 1:], top], axis=1), ends, backs

        start = tf.concat([tf.fill([longest - 1], -np.inf), [0.0]], axis=0)
        best = tf.tile(tf.cast(start, tf.float64)[None], [tf.size(roots), 1])
        _, _, ends, backs = tf.while_loop(
            lambda size, *_: size <= longest_word,
            advance,
            (tf.constant(1, tf.int64), best, ends, backs),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, longest]), None, None),
        )
        itself = tf.range(tf.shape(scores, tf.int64)[0])
        return tf.tensor_scatter_nd_update(itself, ends.concat()[:, None], backs.concat())


def _array(dtype: Any) -> Any:
    return tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False, element_shape=[None])


def _ends_on_path(backs: Any, last: Any, lengths: Any) -> Any:
    """Lists the places where tokens end, by following all ways back in steps of doubling size."""
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
