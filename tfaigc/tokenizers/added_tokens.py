"""Added tokens, found in the text before the model sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import characters, dictionary, ragged, strings

Spec = Mapping[str, Any]
Finish = Callable[[Any], Any]


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
        self._lookup = dictionary.lookup([token["content"] for token in tokens]) if tokens else None

    def apply(self, texts: Any, encode: Finish) -> Any:
        """Encodes texts with their added tokens.

        Args:
            texts: string, (n,).
            encode: What encodes the stretches between added tokens: string (m,) to an int32
                RaggedTensor (m, None), empty for the empty string.

        Returns:
            int32 RaggedTensor, (n, None).
        """
        if self._lookup is None:
            return encode(texts)
        pieces = strings.split(texts, delimiters=self._expression, kept=self._expression)
        flat = pieces.flat_values
        found = self._lookup(self._strip(flat))
        added = found >= 0
        between = encode(tf.where(added, "", flat))
        ids = tf.gather(self._ids, tf.boolean_mask(found, added))
        lengths = tf.cast(added, tf.int64)
        tokens = tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)
        return pieces.with_flat_values(ragged.join([tokens, between])).merge_dims(1, 2)

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
    if token["single_word"]:
        _refuse(token, "single_word must be false")
    if not content:
        _refuse(token, "content must not be empty after normalization")
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
