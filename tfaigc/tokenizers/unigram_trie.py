"""The pieces of a Unigram model as a trie that many places of a text walk at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import strings

# A node with more children than this is placed on its own, one with fewer together with its like.
_FEW_CHILDREN = 4
_HALF = 32  # bits of each of two numbers in one


class Trie:
    """A trie over characters, in arrays.

    The children of a node lie in a table at the node's base plus the child's symbol; each place
    names its parent, so that nodes can interleave (Aoe, 1989, "An efficient digital search
    algorithm by using a double-array structure").

    Args:
        pieces: Distinct, non-empty pieces with their numbers, which are not negative.

    Attributes:
        longest: The most characters of a piece.
    """

    def __init__(self, pieces: Mapping[str, int]) -> None:
        self.longest = max(map(len, pieces), default=1)
        alphabet = sorted({char for piece in pieces for char in piece})
        symbols = {char: index + 1 for index, char in enumerate(alphabet)}
        self._symbols = strings.table({ord(char): symbol for char, symbol in symbols.items()})
        parents, letters, children, values = _edges(pieces, symbols, self.longest)
        bases, places, size = _arrange(parents, letters, len(symbols), len(values))
        # Two numbers in one, because fetching is what costs.
        self._nodes = bases.astype(np.int64) << _HALF | (values + 1)
        self._places = np.full(size, -1 << _HALF, np.int64)
        self._places[places] = parents.astype(np.int64) << _HALF | children

    def symbols(self, codes: Any) -> Any:
        """Numbers the characters that occur in pieces.

        Args:
            codes: int32, (n,): code points.

        Returns:
            int32, (n,): 0 for the characters that are in no piece.
        """
        return self._symbols(codes)

    def root(self, like: Any) -> Any:
        """Puts walkers at the root.

        Args:
            like: (n,).

        Returns:
            int64, (n,): where they are; only for `step`.
        """
        return tf.fill(tf.shape(like), tf.constant(self._nodes[0]))

    def step(self, state: tuple[Any, Any], symbols: Any) -> tuple[Any, Any, Any]:
        """Goes from nodes to children; walkers without a child to go to are left out.

        Args:
            state: int32, (n,), the nodes, 0 for the root, and int64, (n,), what `root` or this
                function said of them.
            symbols: int32, (n,).

        Returns:
            int64, (m,), which walkers go on; their nodes and what is said of them, as in `state`.
        """
        nodes, said = state
        places = tf.cast(tf.bitwise.right_shift(said, _HALF), tf.int32) + symbols
        entries = tf.gather(tf.constant(self._places), places)
        owners = tf.cast(tf.bitwise.right_shift(entries, _HALF), tf.int32)
        alive = tf.where(tf.equal(owners, nodes) & (symbols > 0))[:, 0]
        children = _low(tf.gather(entries, alive))
        return alive, children, tf.gather(tf.constant(self._nodes), children)

    @staticmethod
    def values(said: Any) -> Any:
        """Tells which pieces end at nodes.

        Args:
            said: int64, (n,): what `step` said of the nodes.

        Returns:
            int32, (n,): the pieces' numbers, or -1 where none ends.
        """
        return _low(said) - 1


def _low(numbers: Any) -> Any:
    return tf.cast(tf.bitwise.bitwise_and(numbers, (1 << _HALF) - 1), tf.int32)


def _edges(
    pieces: Mapping[str, int], symbols: Mapping[str, int], longest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lists parents, letters and children, and what ends at each node, one depth at a time."""
    ordered = sorted(pieces)
    lengths = np.fromiter(map(len, ordered), np.int64, len(ordered))
    numbers = np.fromiter((pieces[piece] for piece in ordered), np.int32, len(ordered))
    flat = np.fromiter((symbols[char] for piece in ordered for char in piece), np.int32)
    starts = np.cumsum(lengths) - lengths
    nodes = np.zeros(len(ordered), np.int64)  # where each piece has got to
    count, parts, values = 1, [], [np.array([-1], np.int32)]
    for depth in range(longest):
        alive = np.flatnonzero(lengths > depth)
        letters = flat[starts[alive] + depth]
        parents = nodes[alive]
        fresh = np.ones(len(alive), bool)
        fresh[1:] = (parents[1:] != parents[:-1]) | (letters[1:] != letters[:-1])
        children = count + np.cumsum(fresh) - 1
        nodes[alive] = children
        parts.append((parents[fresh], letters[fresh], children[fresh]))
        ends = np.full(int(fresh.sum()), -1, np.int32)
        whole = lengths[alive] == depth + 1
        ends[children[whole] - count] = numbers[alive[whole]]
        values.append(ends)
        count += len(ends)
    columns = [np.concatenate(column).astype(np.int32) for column in zip(*parts, strict=True)]
    return columns[0], columns[1], columns[2], np.concatenate(values)


def _arrange(
    parents: np.ndarray, letters: np.ndarray, symbols: int, nodes: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Finds a base for every node so that no two children share a place.

    Nodes with many children choose first; nodes with equally few try random bases together.
    """
    order = np.lexsort((letters, parents))
    parents, letters = parents[order], letters[order]
    owners, firsts, counts = np.unique(parents, return_index=True, return_counts=True)
    size = 2 * len(parents) + 2 * symbols + 2
    limit = size - symbols
    taken = np.zeros(size, bool)
    bases = np.zeros(nodes, np.int32)
    source = np.random.default_rng(0)
    for count in np.unique(counts)[::-1]:
        waiting = np.flatnonzero(counts == count)
        children = letters[firsts[waiting, None] + np.arange(count)]
        while len(waiting):
            tried = len(waiting) if count <= _FEW_CHILDREN else 1
            proposed = source.integers(0, limit, tried)
            places = proposed[:, None] + children[:tried]
            unique, place_of = np.unique(places, return_inverse=True)
            claimants = np.full(len(unique), tried)
            rows = np.broadcast_to(np.arange(tried)[:, None], places.shape)
            np.minimum.at(claimants, place_of.reshape(-1), rows.reshape(-1))
            won = claimants[place_of.reshape(places.shape)] == rows
            fits = (won & ~taken[places]).all(axis=1)
            taken[places[fits]] = True
            bases[owners[waiting[:tried][fits]]] = proposed[fits]
            left = np.concatenate([np.flatnonzero(~fits), np.arange(tried, len(waiting))])
            waiting, children = waiting[left], children[left]
    places = np.empty(len(parents), np.int64)
    places[order] = bases[parents] + letters
    return bases, places, size
