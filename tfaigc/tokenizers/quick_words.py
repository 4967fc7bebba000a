"""Words of usual texts, found without regular expressions, which take long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfaigc.tokenizers import characters, ragged

_ASCII = range(128)


@dataclass(frozen=True)
class Quick:
    """A quick way to split usual texts.

    Attributes:
        unusual: The characters that no usual text contains.
        words: Maps usual texts, string (n,), and whether each begins where the whole text begins,
            bool (n,), to words, string RaggedTensor (n, None).
    """

    unusual: frozenset[int]
    words: Callable[[Any, Any], Any]


def white_space() -> Quick:
    """Splits at white space, which is of ASCII in usual texts.

    Returns:
        The quick way.
    """
    # TensorFlow takes the same characters of ASCII for white space as the Rust tokenizer.
    unusual = characters.whitespace().difference(_ASCII)
    return Quick(unusual, lambda texts, starts: tf.strings.split(texts))


def metaspace(replacement: str, scheme: str, *, behind: Quick | None = None) -> Quick:
    """Splits at spaces, and writes them as parts of words.

    Args:
        replacement: What spaces are written as; usual texts do not contain it.
        scheme: Which words get one if there is none before them: "always", "first" or "never".
        behind: What splits the texts before, and leaves no spaces.

    Returns:
        The quick way.
    """

    def words(texts: Any, starts: Any) -> Any:
        found = tf.strings.split(texts, " ") if behind is None else behind.words(texts, starts)
        flat, rows = found.values, ragged.owners(found.row_splits)
        first = tf.equal(tf.range(tf.size(rows, tf.int64)), tf.gather(found.row_starts(), rows))
        # What is not first stands behind a space, or has none.
        spaced = ~first if behind is None else tf.zeros_like(first)
        if scheme == "always":
            spaced |= tf.ones_like(first) if behind else tf.not_equal(flat, "")
        elif scheme == "first":
            spaced |= first & tf.not_equal(flat, "") & tf.gather(starts, rows)
        flat = tf.where(spaced, replacement + flat, flat)
        kept = tf.not_equal(flat, "")
        ends = tf.cumsum(tf.pad(tf.cast(kept, tf.int64), [[1, 0]]))
        splits = tf.gather(ends, found.row_splits)
        return tf.RaggedTensor.from_row_splits(tf.boolean_mask(flat, kept), splits, validate=False)

    unusual = behind.unusual if behind else frozenset()
    return Quick(unusual | {ord(replacement)}, words)
