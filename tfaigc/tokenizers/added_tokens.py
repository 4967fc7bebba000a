"""Added tokens, found in the text before the model sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import characters, cuckoo, located, ragged, strings

Spec = Mapping[str, Any]
Finish = Callable[[Any, Any], Any]


class AddedTokens:
    """Splits texts at added tokens.

    Args:
        tokens: Entries of "added_tokens", each with its content as it appears in the texts.

    Raises:
        TokenizerError: A combination of flags cannot be compiled.
    """

    def __init__(self, tokens: Sequence[Spec]) -> None:
        for token in tokens:
            _check(token, tokens)
        self._ids = np.array([token["id"] for token in tokens], np.int32)
        spaces = characters.expression(characters.whitespace())
        # The longest first, because RE2 takes the first alternative that matches.
        ordered = sorted(tokens, key=lambda token: len(token["content"]), reverse=True)
        self._expression = "|".join(_expression(token, spaces) for token in ordered)
        self._stripped = any(token["lstrip"] or token["rstrip"] for token in tokens)
        self._edges = f"^{spaces}+|{spaces}+$"
        self._lookup = cuckoo.lookup([token["content"] for token in tokens]) if tokens else None
        self._single_words = np.array([token["single_word"] for token in tokens], bool)

    def apply(self, texts: Any, starts: Any, encode: Finish) -> Any:
        """Encodes texts with their added tokens.

        Args:
            texts: string, (n,), or located texts.
            starts: bool, (n,): whether each begins where the whole text begins.
            encode: What encodes the stretches between added tokens: string (m,), or located texts,
                and as many such marks to an int32 RaggedTensor (m, None), empty for the empty
                string.

        Returns:
            int32 RaggedTensor, (n, None); (n, None, 5) for located texts, see `located.tokens`.
        """
        if self._lookup is None:
            return encode(texts, starts)
        pieces = strings.split(
            located.plain(texts), delimiters=self._expression, kept=self._expression
        )
        found = self._lookup(self._strip(pieces.flat_values))
        if self._single_words.any():
            pieces, found = self._join_parts_of_words(pieces, found)
        flat, rows = pieces.values, ragged.owners(pieces.row_splits)
        added = found >= 0
        first = tf.equal(tf.range(tf.size(flat, tf.int64)), tf.gather(pieces.row_starts(), rows))
        # The pieces make up the texts, so what their characters stand for stays the same.
        parts = located.change(texts, lambda _: flat)
        between = encode(located.empty(parts, added), first & tf.gather(starts, rows))
        ids = located.whole(tf.gather(self._ids, tf.boolean_mask(found, added)), parts, added)
        lengths = tf.cast(added, tf.int64)
        tokens = tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)
        joined = ragged.join([tokens, between])
        splits = tf.gather(joined.row_splits, pieces.row_splits)
        return tf.RaggedTensor.from_row_splits(joined.values, splits, validate=False)

    def _join_parts_of_words(self, pieces: Any, found: Any) -> tuple[Any, Any]:
        """Takes tokens that must be words of their own for text where they touch a word."""
        flat, rows = pieces.values, ragged.owners(pieces.row_splits)
        word = characters.expression(characters.word())
        same_row = tf.equal(rows[1:], rows[:-1])
        touching = tf.strings.regex_full_match(flat, f"(?s).*{word}")[:-1] & same_row
        touched = tf.strings.regex_full_match(flat, f"(?s){word}.*")[1:] & same_row
        nothing = tf.zeros_like(rows[:1], tf.bool)
        beside = tf.concat([nothing, touching], 0) | tf.concat([touched, nothing], 0)
        single = tf.gather(tf.constant(self._single_words), tf.maximum(found, 0))
        found = tf.where(beside & single, -1, found)
        text = found < 0
        follows = tf.concat([nothing, same_row & text[1:] & text[:-1]], 0)
        groups = tf.cumsum(tf.cast(~follows, tf.int64))
        count = tf.reduce_max(tf.concat([groups, [0]], 0))
        joined = tf.strings.unsorted_segment_join(flat, groups - 1, count)
        kept = tf.boolean_mask(found, ~follows)
        kept_rows = tf.boolean_mask(rows, ~follows)
        return tf.RaggedTensor.from_value_rowids(joined, kept_rows, pieces.nrows()), kept

    def _strip(self, pieces: Any) -> Any:
        return tf.strings.regex_replace(pieces, self._edges, "") if self._stripped else pieces


def _expression(token: Spec, spaces: str) -> str:
    literal = "".join(f"\\x{{{ord(char):x}}}" for char in token["content"])
    before = f"{spaces}*" if token["lstrip"] else ""
    after = f"{spaces}*" if token["rstrip"] else ""
    return before + literal + after


def _check(token: Spec, tokens: Sequence[Spec]) -> None:
    content = token["content"]
    stripping = any(other["lstrip"] or other["rstrip"] for other in tokens)
    if token["single_word"] and (token["lstrip"] or token["rstrip"]):
        _refuse(token, "single_word must be false where it takes white space in")
    if not content:
        _refuse(token, "content must not be empty after normalization")
    if "\0" in content:
        _refuse(token, "content must not contain NUL")
    if stripping and content != content.strip():
        _refuse(token, "content must not begin or end with white space")
    shadowed = any(other["content"].startswith(content) and not other["lstrip"] for other in tokens)
    if token["lstrip"] and shadowed:
        _refuse(token, "content must not begin another token without lstrip")


def _refuse(token: Spec, rule: str) -> None:
    raise TokenizerError(
        f"An added token's {rule} to run in the graph. Received: {dict(token)}. "
        "Use encode, or change the token in tokenizer.json."
    )
