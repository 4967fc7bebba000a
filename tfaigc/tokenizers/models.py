"""The models of tokenizer.json, each in its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfaigc.tokenizers import ragged
from tfaigc.tokenizers.registry import Registry
from tfaigc.tokenizers.strings import Function


class Pieces(NamedTuple):
    """The tokens of words, one behind the other.

    Attributes:
        tokens: int32, (m,): their ids.
        splits: int64, (words + 1,). Word i owns tokens splits[i] to splits[i + 1].
        firsts: int32, (m,): which character of its word each token stands for first.
        lasts: int32, (m,): and which one last.
    """

    tokens: Any
    splits: Any
    firsts: Any
    lasts: Any

    def rows(self) -> Any:
        """Tells which word each token is of.

        Returns:
            int64, (m,).
        """
        return ragged.owners(self.splits)

    def take(self, words: Any) -> Pieces:
        """Takes words, some of them several times.

        Args:
            words: int32 or int64, (n,): which words.

        Returns:
            Their tokens.
        """
        starts = tf.gather(self.splits, words)
        lengths = tf.gather(self.splits, words + 1) - starts
        splits = tf.concat([[0], tf.cumsum(lengths)], axis=0)
        places = tf.range(splits[-1]) + ragged.repeat(starts - splits[:-1], lengths)
        tokens, firsts, lasts = (
            tf.gather(each, places) for each in (self.tokens, self.firsts, self.lasts)
        )
        return Pieces(tokens, splits, firsts, lasts)


def concatenate(first: Pieces, second: Pieces) -> Pieces:
    """Puts the words of another one behind those of one.

    Args:
        first: Pieces of words.
        second: Pieces of other words.

    Returns:
        All of them.
    """
    splits = tf.concat([first.splits, second.splits[1:] + first.splits[-1]], axis=0)
    tokens, firsts, lasts = (
        tf.concat([getattr(first, name), getattr(second, name)], axis=0)
        for name in ("tokens", "firsts", "lasts")
    )
    return Pieces(tokens, splits, firsts, lasts)


def one_each(tokens: Any, words: Any) -> Pieces:
    """Gives each word one token.

    Args:
        tokens: int32, (n,).
        words: string, (n,).

    Returns:
        The pieces.
    """
    lasts = tf.strings.length(words, unit="UTF8_CHAR") - 1
    splits = tf.range(tf.size(tokens, tf.int64) + 1)
    return Pieces(tokens, splits, tf.zeros_like(tokens), lasts)


def by_lookup(words: Any, find: Function, ids: Any, encode: Callable[[Any], Pieces]) -> Pieces:
    """Turns words into tokens, each of them once however often it occurs.

    Most words of prose are tokens, which a look-up tells faster than anything else.

    Args:
        words: string, (n,).
        find: Maps string (m,) to int32 (m,): places among `ids`, or -1.
        ids: The tokens of words that are tokens themselves, at least one.
        encode: What turns the other words into tokens.

    Returns:
        Their tokens.
    """
    distinct, places = tf.unique(words)
    found = find(distinct)
    known = found >= 0
    whole = tf.gather(tf.constant(ids, tf.int32), tf.boolean_mask(found, known))
    single = one_each(whole, tf.boolean_mask(distinct, known))
    others = encode(tf.boolean_mask(distinct, ~known))
    behind = tf.size(whole) + tf.cumsum(tf.cast(~known, tf.int32)) - 1
    rows = tf.where(known, tf.cumsum(tf.cast(known, tf.int32)) - 1, behind)
    return concatenate(single, others).take(tf.gather(rows, places))


Model = Callable[[Any], Pieces]
"""Maps string (n,), words without empty ones, to their tokens."""

MODELS: Registry[Model] = Registry("model")
