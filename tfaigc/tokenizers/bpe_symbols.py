"""The single tokens that byte-pair encoding starts from: one for each character or byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import byte_level, code_points, ragged, strings


class Symbols(NamedTuple):
    """The single tokens of words, one behind the other.

    Attributes:
        tokens: int32, (m,).
        splits: int32, (words + 1,). Word i owns tokens splits[i] to splits[i + 1].
        sizes: int32, (m,): the bytes that each stands for.
    """

    tokens: Any
    splits: Any
    sizes: Any


Reader = Callable[[Any], Symbols]
"""Maps words, string (n,), to their single tokens."""


@dataclass(frozen=True)
class Rules:
    """How characters become tokens.

    Attributes:
        vocabulary: Tokens with their ids.
        unknown: The id for characters that the vocabulary lacks; None to leave them out.
        fused: Whether unknown characters in a row become one token.
        fallback: Whether unknown characters become the tokens of their bytes.
        prefix: What precedes a character that does not begin a word.
        suffix: What follows a character that ends a word.
    """

    vocabulary: dict[str, int]
    unknown: int | None
    fused: bool
    fallback: bool
    prefix: str
    suffix: str


def byte_symbols(rules: Rules) -> Reader:
    """Makes a function that gives each byte of a word its token.

    Args:
        rules: The rules, for words spelled in the byte-level alphabet.

    Returns:
        A function of words that are not spelled, string (n,).

    Raises:
        TokenizerError: The fallback would have to spell what the alphabet spells.
    """
    letters = sorted(byte_level.alphabet(), key=byte_level.alphabet().__getitem__)
    if rules.fallback and not rules.vocabulary.keys() >= set(letters):
        raise TokenizerError(
            "byte_fallback must be false for a byte-level vocabulary without all 256 bytes to run "
            "in the graph. Received: true. Use encode, or correct it in tokenizer.json."
        )

    def read(words: Any) -> Symbols:
        lengths = tf.strings.length(words)
        units = tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8)
        units = tf.cast(units, tf.int32)
        return Symbols(units, _splits(lengths), byte_level.sizes(units))

    return _symbols(read, letters, rules)


def character_symbols(rules: Rules) -> Reader:
    """Makes a function that gives each character of a word its token.

    Args:
        rules: The rules.

    Returns:
        A function of words, string (n,).

    Raises:
        TokenizerError: Only some bytes have tokens for the fallback.
    """
    letters = ["", *sorted(_letters(rules))]
    places = strings.table({ord(char): place for place, char in enumerate(letters) if char})
    fallback = _byte_tokens(rules) if rules.fallback else None

    def read(words: Any) -> Symbols:
        codes = tf.strings.unicode_decode(words, "UTF-8")
        splits = tf.cast(codes.row_splits, tf.int32)
        return Symbols(codes.flat_values, splits, code_points.sizes(codes.flat_values))

    return _symbols(read, letters, rules, places=places, fallback=fallback)


def _symbols(
    read: Reader,
    letters: Sequence[str],
    rules: Rules,
    *,
    places: Callable[[Any], Any] = tf.identity,
    fallback: Any = None,
) -> Reader:
    """Makes the function that gives tokens to what `read` finds, each unit at its place."""
    table = _table(letters, rules)

    def apply(words: Any) -> Symbols:
        units, splits, sizes = read(words)
        size = tf.size(units)
        inner = tf.tensor_scatter_nd_update(
            tf.ones([size + 1], tf.int32), splits[:, tf.newaxis], tf.zeros_like(splits)
        )
        # Whether each unit does not begin, and whether it does not end a word.
        variants = 2 * inner[:-1] + inner[1:]
        tokens = tf.gather(tf.constant(table), variants * len(letters) + places(units))
        if fallback is not None:
            tokens, counts, sizes = _fall_back(tokens, units, fallback)
        elif rules.unknown is None:
            known = tokens >= 0
            counts = tf.cast(known, tf.int32)
            tokens, sizes = tf.boolean_mask(tokens, known), tf.boolean_mask(sizes, known)
        else:
            lost = tokens < 0
            tokens = tf.where(lost, rules.unknown, tokens)
            before = tf.concat([[False], lost], 0)[:-1] & (inner[:-1] > 0)
            kept = ~(lost & before) if rules.fused else tf.ones_like(lost)
            counts = tf.cast(kept, tf.int32)
            tokens = tf.boolean_mask(tokens, kept)
            sizes = tf.math.segment_sum(sizes, tf.cumsum(counts) - 1)
        return Symbols(tokens, tf.gather(tf.cumsum(tf.pad(counts, [[1, 0]])), splits), sizes)

    return apply


def _splits(lengths: Any) -> Any:
    return tf.pad(tf.cumsum(lengths), [[1, 0]])


def _letters(rules: Rules) -> set[str]:
    """The characters that have a token, at the beginning, at the end or inside of words."""
    found = set()
    for token in rules.vocabulary:
        for prefix in {"", rules.prefix}:
            for suffix in {"", rules.suffix}:
                core = token.removeprefix(prefix).removesuffix(suffix)
                if len(core) == 1 and prefix + core + suffix == token:
                    found.add(core)
    return found


def _table(letters: Sequence[str], rules: Rules) -> Any:
    """The letters' ids: alone, beginning, ending and inside of a word; -1 where there is none."""
    return np.array(
        [
            rules.vocabulary.get(before + letter + after, -1) if letter else -1
            for before in ("", rules.prefix)
            for after in (rules.suffix, "")
            for letter in letters
        ],
        np.int32,
    )


def _byte_tokens(rules: Rules) -> Any:
    """The ids of the 256 bytes, or None where there are none at all."""
    found = [rules.vocabulary.get(f"<0x{byte:02X}>", -1) for byte in range(256)]
    if max(found) < 0:
        return None
    if min(found) < 0 or rules.prefix or rules.suffix:
        raise TokenizerError(
            "byte_fallback must come with tokens for all 256 bytes, and without affixes, to run in "
            "the graph. Received: some of them. Use encode, or correct it in tokenizer.json."
        )
    return np.array(found, np.int32)


def _fall_back(tokens: Any, codes: Any, byte_tokens: Any) -> tuple[Any, Any, Any]:
    """Replaces -1 by the tokens of the bytes that a character has in UTF-8.

    Returns:
        int32, (m,), the tokens; int32, (n,), how many each character has; int32, (m,), the bytes of
        each token.
    """
    sizes = code_points.sizes(codes)
    order = tf.range(4)
    shifts = 6 * tf.maximum(sizes[:, tf.newaxis] - 1 - order, 0)
    shifted = tf.bitwise.right_shift(codes[:, tf.newaxis], shifts)
    leads = tf.gather(tf.constant([0, 0, 0xC0, 0xE0, 0xF0]), sizes)[:, tf.newaxis]
    values = tf.where(order > 0, 0x80 + shifted % 64, leads + shifted)
    lost = tokens < 0
    counts = tf.where(lost, sizes, 1)
    used = order < counts[:, tf.newaxis]
    found = tf.gather(tf.constant(byte_tokens), tf.where(used, values, 0) % 256)
    found = tf.where(lost[:, tf.newaxis], found, tokens[:, tf.newaxis])
    bytes_ = tf.where(lost, 1, sizes)
    return tf.boolean_mask(found, used), counts, ragged.repeat(bytes_, counts)
