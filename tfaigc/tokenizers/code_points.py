"""Texts as numbers: one code point per character, rows one behind the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import strings


class CodePoints(NamedTuple):
    """Texts as code points.

    Attributes:
        codes: int32, (characters,).
        splits: int64, (texts + 1,). Text i owns codes splits[i] to splits[i + 1].
    """

    codes: Any
    splits: Any


def decode(texts: Any) -> CodePoints:
    """Reads texts as code points.

    Args:
        texts: string, (n,), valid UTF-8.

    Returns:
        The code points.
    """
    decoded = tf.strings.unicode_decode(texts, "UTF-8")
    return CodePoints(decoded.flat_values, decoded.row_splits)


def encode(texts: CodePoints) -> Any:
    """Writes code points as texts.

    Args:
        texts: The code points.

    Returns:
        string, (n,).
    """
    rows = tf.RaggedTensor.from_row_splits(texts.codes, texts.splits, validate=False)
    return tf.strings.unicode_encode(rows, "UTF-8")


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
    return CodePoints(tf.boolean_mask(texts.codes, kept), tf.gather(ends, texts.splits))


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

    def apply(self, texts: CodePoints, numbers: Any) -> CodePoints:
        """Replaces characters.

        Args:
            texts: The code points.
            numbers: int32, (characters,): which string takes the place of each.

        Returns:
            The new code points.
        """
        lengths = tf.gather(tf.constant(self._lengths), numbers)
        ends = tf.concat([[0], tf.cumsum(lengths)], axis=0)
        sources = tf.repeat(tf.range(tf.size(numbers)), lengths)
        within = tf.range(tf.size(sources, tf.int64)) - tf.gather(ends, sources)
        chosen = tf.gather(numbers, sources)
        replaced = tf.gather(
            tf.constant(self._codes), tf.gather(tf.constant(self._starts), chosen) + within
        )
        codes = tf.where(chosen > 0, replaced, tf.gather(texts.codes, sources))
        return CodePoints(codes, tf.gather(ends, texts.splits))


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
