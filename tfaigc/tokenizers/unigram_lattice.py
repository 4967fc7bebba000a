"""The best segmentation of many words at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import ragged, unigram_path, unigram_sweep
from tfaigc.tokenizers.unigram_sweep import Edges
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
        self._grid = unigram_path.find_grid(self._scores)

    def __call__(self, codes: Any, splits: Any) -> Tokens:
        """Segments words.

        Args:
            codes: int32, (characters,): the code points of all words; no word is empty.
            splits: int64, (words + 1,).

        Returns:
            The tokens.
        """
        lengths = splits[1:] - splits[:-1]
        # There is a place in front of every character, and one behind every word.
        roots = splits[:-1] + tf.range(tf.size(lengths, tf.int64))
        total = tf.size(codes, tf.int64) + tf.size(lengths, tf.int64)
        edges, longest = self._find_edges(codes, splits, total)
        starts, ends, numbers = tf.cond(
            tf.reduce_any(lengths > unigram_path.LONGEST),
            lambda: self._choose_of_all(edges, roots, lengths, total, longest),
            lambda: self._choose_of_few(edges, roots, lengths, total, longest),
        )
        word = tf.searchsorted(roots, starts, side="right", out_type=tf.int64) - 1
        counts = tf.math.unsorted_segment_sum(tf.ones_like(word), word, tf.size(lengths))
        return Tokens(
            tf.where(tf.equal(numbers, self._unknown), -1, numbers),
            starts - word,
            ends - word,
            tf.concat([[0], tf.cumsum(counts)], axis=0),
        )

    def _choose_of_few(
        self, edges: Edges, roots: Any, lengths: Any, total: Any, longest: Any
    ) -> Any:
        """Segments words that are not very long: where tokens start and end, and their numbers."""
        edges, begins = unigram_sweep.sort(edges, roots, lengths, longest=longest)
        best = unigram_sweep.choose(edges, begins, self._scores, roots, total)
        chosen = unigram_sweep.follow(best, edges.starts, roots + lengths)
        return tuple(tf.gather(each, chosen) for each in edges)

    def _choose_of_all(
        self, edges: Edges, roots: Any, lengths: Any, total: Any, longest: Any
    ) -> Any:
        """Does the same for words of any length."""
        sizes = edges.ends - edges.starts
        pieces = tf.tensor_scatter_nd_update(
            tf.fill(total[None] * longest, self._nothing),
            (edges.ends * longest + longest - sizes)[:, None],
            edges.pieces,
        )
        pieces = tf.reshape(pieces, tf.stack([total, longest]))
        scores = tf.gather(tf.constant(self._scores), pieces)
        backs = unigram_path.choose(scores, pieces, roots, lengths, grid=self._grid)
        ends = unigram_path.ends_on_path(backs, roots + lengths, lengths)
        starts = tf.gather(backs, ends)
        columns = longest - (ends - starts)
        return starts, ends, tf.gather_nd(pieces, tf.stack([ends, columns], axis=1))

    def _find_edges(self, codes: Any, splits: Any, total: Any) -> tuple[Edges, Any]:
        """Finds the pieces in words, and the most characters that one of them has."""
        lengths = splits[1:] - splits[:-1]
        words = tf.range(tf.size(lengths, tf.int64))
        places = tf.range(tf.size(codes, tf.int64)) + ragged.repeat(words, lengths)
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
        found = found.write(0, places)
        numbers = numbers.write(0, single)

        def walk(size: Any, heads: Any, nodes: Any, said: Any, found: Any, numbers: Any) -> Any:
            letters = tf.gather(symbols, heads + size)
            alive, nodes, said = self._trie.step((nodes, said), letters)
            heads = tf.gather(heads, alive)
            values = self._trie.values(said)
            ending = tf.where(values >= 0)[:, 0]
            index = tf.cast(size, tf.int32)
            # Behind all that begin at a place and have one character less.
            found = found.write(index, tf.gather(heads, ending) + size * total)
            numbers = numbers.write(index, tf.gather(values, ending))
            return size + 1, heads, nodes, said, found, numbers

        start = (tf.gather(places, alive), nodes, said)
        longest, *_, found, numbers = tf.while_loop(
            lambda size, heads, *_: tf.size(heads) > 0,
            walk,
            (tf.constant(1, tf.int64), *start, found, numbers),
            shape_invariants=(tf.TensorShape([]), *[tf.TensorShape([None])] * 3, None, None),
        )
        flat = found.concat()
        starts = flat % total
        edges = Edges(starts, starts + flat // total + 1, numbers.concat())
        return edges, longest


def _array(dtype: Any) -> Any:
    return tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False, element_shape=[None])
