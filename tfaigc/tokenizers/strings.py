"""String operations that several stages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_text.python.ops import regex_split_ops

from tfaigc.tokenizers import ragged
from tfaigc.tokenizers.characters import expression

Function = Callable[[Any], Any]

_VALID = r"[\x00-\x{D7FF}\x{E000}-\x{10FFFF}]*"
_PAGE = 256
_CODEPOINTS = 0x110000


def valid_utf8(texts: Any) -> Any:
    """Replaces every ill-formed sequence by U+FFFD, as Python's errors="replace" does.

    Args:
        texts: string, (n,).

    Returns:
        string, (n,).
    """
    # Decoding costs ten times what checking does.
    return where(
        texts,
        ~tf.strings.regex_full_match(texts, _VALID),
        lambda broken: tf.strings.unicode_transcode(broken, "UTF-8", "UTF-8", errors="replace"),
    )


def where(texts: Any, condition: Any, function: Function) -> Any:
    """Applies a function to some of the texts.

    Args:
        texts: string, (n,).
        condition: bool, (n,).
        function: Maps string (m,) to string (m,).

    Returns:
        string, (n,).
    """
    rows = tf.where(condition)
    changed = function(tf.gather_nd(texts, rows))
    return tf.tensor_scatter_nd_update(texts, rows, changed)


def contains(texts: Any, characters: frozenset[int]) -> Any:
    """Finds the texts that contain any of some characters.

    Args:
        texts: string, (n,).
        characters: Code points.

    Returns:
        bool, (n,).
    """
    return tf.strings.regex_full_match(texts, f"(?s).*{expression(characters)}.*")


def split(texts: Any, *, delimiters: str, kept: str = "") -> Any:
    """Splits at what a regular expression matches; empty pieces are dropped.

    Args:
        texts: string, (n,).
        delimiters: RE2's expression.
        kept: The delimiters that become pieces of their own.

    Returns:
        string RaggedTensor, (n, None).
    """
    # The operation itself: what stands around it makes its offsets ragged too, and adds three
    # assertions for each of its outputs, which every request to a server would run.
    pieces, _, _, splits = regex_split_ops.gen_regex_split_ops.regex_split_with_offsets(
        texts, f"({delimiters})", f"({kept})"
    )
    return tf.RaggedTensor.from_row_splits(pieces, splits, validate=False)


def around(texts: Any, characters: frozenset[int], function: Function) -> Any:
    """Applies a function to the stretches between some characters.

    Args:
        texts: string, (n,).
        characters: The code points that stay as they are.
        function: Maps string (m,) to string (m,).

    Returns:
        string, (n,).
    """
    if not characters:
        return function(texts)
    kept = expression(characters)

    def apply(some: Any) -> Any:
        pieces = split(some, delimiters=kept, kept=kept)
        flat = pieces.flat_values
        flat = where(flat, ~tf.strings.regex_full_match(flat, kept), function)
        return ragged.join_strings(pieces.with_flat_values(flat))

    found = contains(texts, characters)
    return where(where(texts, ~found, function), found, apply)


def table(values: Mapping[int, int]) -> Function:
    """Makes a function that looks up a number for each code point.

    Args:
        values: Code points with their numbers; all others have 0.

    Returns:
        A function from int32 (n,), code points, to int32 (n,).
    """
    full = np.zeros(_CODEPOINTS, np.int32)
    full[list(values)] = list(values.values())
    # Nearly all pages are zero and share one row.
    distinct: dict[bytes, int] = {}
    places = [
        distinct.setdefault(page.tobytes(), len(distinct)) for page in full.reshape(-1, _PAGE)
    ]
    rows, pages = np.frombuffer(b"".join(distinct), np.int32), np.array(places, np.int32)

    def apply(codes: Any) -> Any:
        page = tf.gather(tf.constant(pages), codes // _PAGE)
        return tf.gather(tf.constant(rows), page * _PAGE + codes % _PAGE)

    return apply


def mapper(changes: Mapping[int, int]) -> Function:
    """Makes a function that maps each character to another one.

    Args:
        changes: Code points, each with the one that takes its place.

    Returns:
        A function from string (n,) to string (n,).
    """
    difference = table({code: other - code for code, other in changes.items()})
    affected = frozenset(changes)

    def apply(texts: Any) -> Any:
        codes = tf.strings.unicode_decode(texts, "UTF-8")
        flat = codes.flat_values
        return tf.strings.unicode_encode(codes.with_flat_values(flat + difference(flat)), "UTF-8")

    return lambda texts: where(texts, contains(texts, affected), apply)


def byte_mapper(letters: Mapping[int, int]) -> Function:
    """Makes a function that writes each byte of a text as a character.

    Args:
        letters: Bytes, each with the code point that stands for it.

    Returns:
        A function from string (n,) to string (n,).
    """
    codes = np.arange(256, dtype=np.int32)
    codes[list(letters)] = list(letters.values())

    def apply(texts: Any) -> Any:
        # In this encoding every byte is a character of the same number.
        found = tf.strings.unicode_decode(texts, "ISO-8859-1")
        return tf.strings.unicode_encode(
            found.with_flat_values(tf.gather(tf.constant(codes), found.flat_values)), "UTF-8"
        )

    return apply
