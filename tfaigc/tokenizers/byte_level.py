"""The alphabet in which byte-level tokenizers spell bytes (Radford et al., 2019, GPT-2).

Each of the 256 bytes has a printable character. Spelling texts that way costs time, so the compiler
does not: it reads the vocabulary as bytes instead. See `PreTokenizer.raw`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import tensorflow as tf

from tfaigc.tokenizers import strings

_FIRST_SPARE = 256


@lru_cache
def alphabet() -> dict[str, int]:
    """The characters, each with the byte that it stands for."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    found = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    return {**found, **{chr(_FIRST_SPARE + rank): byte for rank, byte in enumerate(others)}}


def read(token: str) -> bytes | None:
    r"""Reads a token as bytes.

    Args:
        token: An entry of a vocabulary.

    Returns:
        The bytes, or None if a character is not of the alphabet.

    Example:
        >>> read("Ġcafé")
        b' caf\xe9'
    """
    letters = alphabet()
    if not all(char in letters for char in token):
        return None
    return bytes(letters[char] for char in token)


def sizes(bytes_: Any) -> Any:
    """Counts the bytes in UTF-8 of the characters that stand for bytes.

    Args:
        bytes_: int32, (n,).

    Returns:
        int32, (n,).
    """
    letters = sorted(alphabet(), key=alphabet().__getitem__)
    return tf.gather(tf.constant([len(letter.encode()) for letter in letters]), bytes_)


def spell(texts: Any) -> Any:
    """Spells the bytes of texts in the alphabet.

    Args:
        texts: string, (n,).

    Returns:
        string, (n,).
    """
    # Latin-1 has a character for each byte, of the same number.
    characters = tf.strings.unicode_transcode(texts, "ISO-8859-1", "UTF-8")
    return _speller()(characters)


@lru_cache
def _speller() -> strings.Function:
    return strings.mapper({byte: ord(char) for char, byte in alphabet().items()})
