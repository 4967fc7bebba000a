"""Written tokens into texts, in Python and inside a graph."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.tokenizers import Tokenizer


class TokenTexts:
    """Takes what a model has written to text.

    Args:
        tokenizer: The model's tokenizer.
        size: Number of tokens that the model knows, which may be more than the tokenizer has.
        whole: Whether a text of its own was written, rather than the end of another: tokenizers
            leave out spaces where a text begins.
    """

    def __init__(self, tokenizer: Tokenizer, *, size: int, whole: bool) -> None:
        self.tokenizer = tokenizer
        self.size = size
        self.whole = whole

    @functools.cached_property
    def inner(self) -> list[bytes]:
        """What each token stands for behind others, by id."""
        return self._filled(self.tokenizer.pieces)

    @functools.cached_property
    def first(self) -> list[bytes]:
        """What each token stands for where what is written begins."""
        return self._filled(self.tokenizer.first_pieces) if self.whole else self.inner

    @functools.cached_property
    def is_special(self) -> np.ndarray:
        """Which tokens no text shows: bool, (size,)."""
        special = np.zeros(self.size, np.bool_)
        special[list(self.tokenizer.special_token_ids)] = True
        return special

    def join(self, ids: Sequence[int]) -> str:
        """Takes a row of token ids to text."""
        if self.whole:
            known = self.tokenizer.vocabulary_size
            return self.tokenizer.decode([[token for token in ids if token < known]])[0]
        return b"".join(self.inner[token] for token in ids).decode("utf-8", "replace")

    def in_graph(self, tokens: Any, lengths: Any) -> Any:
        """Takes rows of token ids to texts, with TensorFlow operations.

        Args:
            tokens: int32, (rows, length).
            lengths: int32, (rows,): how many of them count.

        Returns:
            string, (rows,); bytes that are no UTF-8 become U+FFFD.
        """
        is_written = tf.range(tf.shape(tokens)[1])[None] < lengths[:, None]
        parts = tf.gather(tf.constant(self.inner), tokens)
        if self.whole:
            is_shown = tf.logical_not(tf.gather(self.is_special, tokens))
            count = tf.cumsum(tf.cast(is_shown, tf.int32), axis=1)
            is_first = tf.logical_and(is_shown, tf.equal(count, 1))
            parts = tf.where(is_first, tf.gather(tf.constant(self.first), tokens), parts)
        joined = tf.strings.reduce_join(tf.where(is_written, parts, ""), axis=1)
        return tf.strings.unicode_transcode(joined, "UTF-8", "UTF-8", errors="replace")

    def _filled(self, known: Sequence[bytes]) -> list[bytes]:
        return [*known, *[b""] * (self.size - len(known))]
