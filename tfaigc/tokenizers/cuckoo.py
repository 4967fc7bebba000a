"""Look-up of numbers and strings in constants of the graph.

A SavedModel has to track table resources; a constant needs nothing of the kind. Each key has one of
two places (Pagh and Rodler, 2004, cuckoo hashing), so that a look-up takes two gathers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Less than a third of the places are taken, so that a placing is found soon.
_ROOM = 1.6
_BUCKETS = 2**61 - 1


class CuckooTable:
    """A table of numbers.

    Args:
        keys: int64, (n,), distinct, not negative.
        values: int, (n,).
        default: What keys have that are not in the table.
    """

    def __init__(self, keys: Any, values: Any, *, default: int) -> None:
        source = np.random.default_rng(0)
        size = _next_prime(int(len(keys) * _ROOM) + 2)
        self._sizes = (size, _next_prime(size + 1))
        both = np.stack([keys % size, keys % self._sizes[1] + size])
        rows, side = np.arange(len(keys)), np.zeros(len(keys), np.int64)
        owners = np.full(sum(self._sizes), -1, np.int64)
        homeless = rows
        # Who finds no home takes the other place, and makes its owner homeless.
        while len(homeless):
            homeless = source.permutation(homeless)
            places = both[side[homeless], homeless]
            before = owners[places]
            owners[places] = homeless
            lost = np.concatenate([homeless[owners[places] != homeless], before[before >= 0]])
            homeless = np.unique(lost)
            side[homeless] ^= 1
        self._default = default
        self._keys = np.full(len(owners), -1, np.int64)
        self._values = np.full(len(owners), default, np.int32)
        self._keys[both[side, rows]] = keys
        self._values[both[side, rows]] = values

    def find(self, keys: Any) -> Any:
        """Looks keys up.

        Args:
            keys: int64, (n,), not negative.

        Returns:
            int32, (n,), their values, or the default.
        """
        table = tf.constant(self._keys)
        first, second = keys % self._sizes[0], keys % self._sizes[1] + self._sizes[0]
        place = tf.where(tf.equal(tf.gather(table, first), keys), first, second)
        found = tf.equal(tf.gather(table, place), keys)
        return tf.where(found, tf.gather(tf.constant(self._values), place), self._default)


def lookup(entries: Sequence[str]) -> Callable[[Any], Any]:
    """Makes a function that finds strings in a list.

    Args:
        entries: Distinct strings.

    Returns:
        A function from string (n,) to int32 (n,): each string's index, or -1.
    """
    # The last one catches what is not found; only entries below it are compared.
    listed = np.array([*(entry.encode() for entry in entries), b""], object)
    with tf.init_scope():
        keys = _hash(tf.constant(listed)).numpy()[:-1]
    distinct, rows = np.unique(keys, return_index=True)
    table = CuckooTable(distinct, rows, default=len(entries))
    shadowed = np.setdiff1d(np.arange(len(entries)), rows)

    def apply(texts: Any) -> Any:
        index = table.find(_hash(texts))
        same = tf.equal(tf.gather(tf.constant(listed), index), texts) & (index < len(entries))
        found = tf.where(same, index, -1)
        for row in shadowed.tolist():  # of the same hash as another: hardly ever any
            found = tf.where(tf.equal(texts, listed[row]), row, found)
        return found

    return apply


def _hash(texts: Any) -> Any:
    return tf.strings.to_hash_bucket_fast(texts, _BUCKETS)


def _next_prime(start: int) -> int:
    number = start | 1
    while any(number % divisor == 0 for divisor in range(3, int(number**0.5) + 1, 2)):
        number += 2
    return number
