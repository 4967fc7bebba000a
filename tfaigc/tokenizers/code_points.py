"""Texts as numbers: one code point per character, rows one behind the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import ragged, strings


class CodePoints(NamedTuple):
    """Texts as code points.

    Attributes:
        codes: int32, (characters,).
        splits: int64, (texts + 1,). Text i owns codes splits[i] to splits[i + 1].
        changes: int32, (characters,): how each character came about, in the Rust tokenizer's terms:
            0 where it takes the place of one character, 1 where it was added, -n where it takes the
            place of one character and n more of them.
    """

    codes: Any
    splits: Any
    changes: Any


def decode(texts: Any) -> CodePoints:
    """Reads texts as code points.

    Args:
        texts: string, (n,), valid UTF-8.

    Returns:
        The code points.
    """
    decoded = tf.strings.unicode_decode(texts, "UTF-8")
    codes = decoded.flat_values
    return CodePoints(codes, decoded.row_splits, tf.zeros_like(codes))


def encode(texts: CodePoints) -> Any:
    """Writes code points as texts.

    Args:
        texts: The code points.

    Returns:
        string, (n,).
    """
    rows = tf.RaggedTensor.from_row_splits(texts.codes, texts.splits, validate=False)
    return tf.strings.unicode_encode(rows, "UTF-8")


def sizes(codes: Any) -> Any:
    """Counts the bytes of characters in UTF-8.

    Args:
        codes: int32, (n,).

    Returns:
        int32, (n,).
    """
    return 1 + sum(tf.cast(codes >= least, tf.int32) for least in (0x80, 0x800, 0x10000))


def sources(after: CodePoints, before: CodePoints) -> Any:
    """Tells which character each character stands for, as the Rust tokenizer counts.

    Args:
        after: Texts that have been changed.
        before: What they were.

    Returns:
        int64, (characters after,): places among the characters before.
    """
    added = after.changes > 0
    taken = tf.cast(tf.where(added, 0, 1 - after.changes), tf.int64)
    behind = tf.concat([[0], tf.cumsum(taken)], axis=0)
    counts = after.splits[1:] - after.splits[:-1]
    # What was taken before a text's first character is of other texts.
    shifts = ragged.repeat(before.splits[:-1] - tf.gather(behind, after.splits[:-1]), counts)
    firsts = ragged.repeat(before.splits[:-1], counts)
    return tf.maximum(behind[:-1] + shifts - tf.cast(added, tf.int64), firsts)


def is_first(texts: CodePoints) -> Any:
    """Marks the first character of every text.

    Args:
        texts: The code points.

    Returns:
        bool, (characters,).
    """
    starts = tf.expand_dims(texts.splits[:-1], 1)
    counts = tf.scatter_nd(starts, tf.ones_like(starts[:, 0]), [tf.size(texts.codes, tf.int64) + 1])
    return counts[:-1] > 0


def keep(texts: CodePoints, kept: Any) -> CodePoints:
    """Removes some characters.

    Args:
        texts: The code points.
        kept: bool, (characters,): those that stay.

    Returns:
        The code points that stay.
    """
    ends = tf.concat([[0], tf.cumsum(tf.cast(kept, tf.int64))], axis=0)
    codes, changes = (tf.boolean_mask(each, kept) for each in (texts.codes, texts.changes))
    return CodePoints(codes, tf.gather(ends, texts.splits), changes)


def previous(values: Any, filler: Any) -> Any:
    """Gives every character the value of the one before it.

    Args:
        values: (characters,).
        filler: The first character's value.

    Returns:
        Of the same shape and type.
    """
    return tf.concat([tf.fill([1], tf.cast(filler, values.dtype)), values], axis=0)[:-1]


class Replacements:
    """A list of strings that take the place of characters.

    Number 0 leaves a character as it is; number i stands for `outputs[i - 1]`.

    Args:
        outputs: The strings.
    """

    def __init__(self, outputs: Sequence[str]) -> None:
        self._lengths = np.array([1, *map(len, outputs)], np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        self._codes = np.array([0, *(ord(char) for output in outputs for char in output)], np.int32)

    def apply(self, texts: CodePoints, numbers: Any, replaced: Any = None) -> CodePoints:
        """Replaces characters.

        Args:
            texts: The code points, not changed before.
            numbers: int32, (characters,): which string takes the place of each.
            replaced: int32, (characters,): of how many characters it takes the place; None: of one.

        Returns:
            The new code points.
        """
        lengths = tf.gather(tf.constant(self._lengths), numbers)
        ends = tf.concat([[0], tf.cumsum(lengths)], axis=0)
        origins = ragged.repeat(tf.range(tf.size(numbers)), lengths)
        within = tf.range(tf.size(origins, tf.int64)) - tf.gather(ends, origins)
        chosen = tf.gather(numbers, origins)
        codes = tf.gather(
            tf.constant(self._codes), tf.gather(tf.constant(self._starts), chosen) + within
        )
        codes = tf.where(chosen > 0, codes, tf.gather(texts.codes, origins))
        after = CodePoints(codes, tf.gather(ends, texts.splits), tf.zeros_like(codes))
        if replaced is None:
            replaced = tf.ones_like(numbers)
        places = (ends, origins, tf.cast(within, tf.int32))
        return after._replace(
            changes=_changes(texts, after, places, tf.cast(lengths, tf.int32), replaced)
        )


def _changes(
    before: CodePoints,
    after: CodePoints,
    places: tuple[Any, Any, Any],
    lengths: Any,
    replaced: Any,
) -> Any:
    """Tells how the characters of strings came about that took the place of some characters.

    What is added is at a string's end; what has no place there, its last character takes. Where a
    string is empty, the character before it does, if there is one in the text.
    """
    ends, origins, within = places
    size, room = tf.gather(lengths, origins), tf.gather(replaced, origins)
    more = tf.where(tf.equal(within, size - 1), tf.maximum(room - size, 0), 0)
    changes = tf.cast(within >= room, tf.int32) - more
    counts = before.splits[1:] - before.splits[:-1]
    firsts = ragged.repeat(after.splits[:-1], counts)
    lost = tf.where(tf.equal(lengths, 0) & (ends[:-1] > firsts))
    return tf.tensor_scatter_nd_sub(
        changes, tf.gather_nd(ends, lost)[:, None] - 1, tf.gather_nd(replaced, lost)
    )


class CharacterMap:
    """Replaces each character on its own.

    Args:
        changes: Code points, each with the string that takes its place.
    """

    def __init__(self, changes: Mapping[int, str]) -> None:
        outputs = sorted(set(changes.values()))
        numbers = {output: index + 1 for index, output in enumerate(outputs)}
        self._replacements = Replacements(outputs)
        self._numbers = strings.table({code: numbers[output] for code, output in changes.items()})

    def __call__(self, texts: CodePoints) -> CodePoints:
        """Replaces the characters.

        Args:
            texts: The code points.

        Returns:
            The new code points.
        """
        return self._replacements.apply(texts, self._numbers(texts.codes))
