"""Strings that end a text, found while it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class Stops:
    """Looks for strings in what is being written, in the graph.

    A token may end inside of a character, and TensorFlow looks for characters alone: so each byte
    is written as the character of its number.

    Args:
        strings: The strings that end a text.
        pieces: What each token stands for inside a text, by id; not looked at where there are no
            strings.
    """

    def __init__(self, strings: Sequence[str] = (), pieces: Sequence[bytes] = ()) -> None:
        spelt = [_spell(string.encode()) for string in strings]
        self._pieces = [_spell(piece) for piece in pieces] if spelt else []
        self._pattern = f"(?s).*({'|'.join(map(re.escape, spelt))}).*"
        # So many characters may be the beginning of a string.
        self._kept = max(map(len, spelt), default=1) - 1

    def extend(self, tails: Any, tokens: Any) -> tuple[Any, Any]:
        """Puts tokens behind texts.

        Args:
            tails: string, (rows,): what the texts end with.
            tokens: int32, (rows,): the next tokens.

        Returns:
            string, (rows,): the new ends; and bool, (rows,): whether a string is in them.
        """
        if not self._pieces:
            return tails, tf.zeros_like(tokens, tf.bool)
        grown = tf.strings.join([tails, tf.gather(tf.constant(self._pieces), tokens)])
        size = tf.strings.length(grown, unit="UTF8_CHAR")
        kept = tf.minimum(size, self._kept)
        tails = tf.strings.substr(grown, size - kept, kept, unit="UTF8_CHAR")
        return tails, tf.strings.regex_full_match(grown, self._pattern)


def _spell(content: bytes) -> str:
    """Writes each byte as the character of its number."""
    return content.decode("latin-1")
