"""SentencePiece's precompiled normalizers as TensorFlow operations.

The Rust tokenizer replaces a grapheme cluster of fewer than six bytes as a whole by what belongs to
the shortest of its beginnings that is a key; otherwise it replaces each character by itself.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import code_points, graphemes, located, strings
from tfaigc.tokenizers.code_points import CodePoints, Replacements

_LONGEST_CLUSTER = 5
_BITS = 21  # a code point's
_LABEL = 1 << 31 | 0xFF
_MOST_NODES = 2_000_000


def normalizer(charsmap: str) -> strings.Function:
    """Makes a function that normalizes texts as a precompiled map says.

    Args:
        charsmap: "precompiled_charsmap" of tokenizer.json.

    Returns:
        A function from string (n,), or located texts, to the same.

    Raises:
        TokenizerError: The map cannot be read, or has keys that are no whole characters.
    """
    rules = read_charsmap(charsmap)
    function = code_point_normalizer(charsmap)
    # A longer key can only match where something joins its first character.
    touched = frozenset(ord(key[0]) for key in rules if len(key) == 1)
    touched |= frozenset(ord(key[1]) for key in rules if len(key) > 1)
    if not touched:
        return lambda texts: texts

    def apply(texts: Any) -> Any:
        return code_points.encode(function(code_points.decode(texts)))

    def fast(texts: Any) -> Any:
        return strings.where(texts, strings.contains(texts, touched), apply)

    return lambda texts: located.recode(texts, fast, function)


def code_point_normalizer(charsmap: str) -> Any:
    """Makes a function that normalizes code points as a precompiled map says.

    Args:
        charsmap: "precompiled_charsmap" of tokenizer.json.

    Returns:
        A function from code points to code points.

    Raises:
        TokenizerError: The map cannot be read, or has keys that are no whole characters.
    """
    rules = read_charsmap(charsmap)
    outputs = ["", *sorted(set(rules.values()) - {""})]
    numbers = {output: index + 1 for index, output in enumerate(outputs)}
    replacements = Replacements(outputs)
    single = strings.table({ord(key): numbers[out] for key, out in rules.items() if len(key) == 1})
    longer = {key: numbers[out] for key, out in rules.items() if 2 <= len(key) <= 3}
    find = _finder(longer)

    def apply(texts: CodePoints) -> CodePoints:
        alone = single(texts.codes)
        return replacements.apply(texts, *_numbers(texts, alone, find))

    return apply


@lru_cache(maxsize=8)
def read_charsmap(charsmap: str) -> dict[str, str]:
    """Reads the keys that matter, of at most five bytes, with their replacements.

    Args:
        charsmap: "precompiled_charsmap" of tokenizer.json.

    Returns:
        The keys with their replacements.

    Raises:
        TokenizerError: The map cannot be read, or has keys that are no whole characters.
    """
    try:
        blob = base64.b64decode(charsmap, validate=True)
        (size,) = struct.unpack_from("<I", blob)
        units = np.frombuffer(blob, "<u4", size // 4, offset=4).astype(np.int64)
        outputs = blob[4 + size :]
        found = dict(_keys(units))
        return {key.decode(): _output(outputs, value) for key, value in found.items()}
    except (binascii.Error, struct.error, UnicodeDecodeError, ValueError, IndexError) as error:
        raise TokenizerError(
            "A normalizer of type 'Precompiled' must hold a map of whole characters to run in the "
            f"graph. Received: one that cannot be read so ({error}). "
            "Use encode, or download tokenizer.json again."
        ) from error


def _keys(units: np.ndarray) -> Iterator[tuple[bytes, int]]:
    """Lists the keys of a Darts-clone trie with their values."""
    labels = np.arange(1, 256)
    nodes = [(b"", _offset(int(units[0])))]
    visited = 0
    while nodes:
        prefix, node = nodes.pop()
        visited += 1
        if visited > _MOST_NODES:
            raise ValueError("its trie has no end")
        places = node ^ labels
        places = np.where(places < len(units), places, 0)
        for label in labels[(units[places] & _LABEL) == labels].tolist():
            unit = int(units[node ^ label])
            child = node ^ label ^ _offset(unit)
            key = prefix + bytes([label])
            if unit >> 8 & 1:
                yield key, int(units[child]) & ((1 << 31) - 1)
            if len(key) < _LONGEST_CLUSTER:
                nodes.append((key, child))


def _offset(unit: int) -> int:
    return (unit >> 10) << ((unit & 1 << 9) >> 6)


def _output(outputs: bytes, start: int) -> str:
    end = outputs.find(b"\0", start)
    return outputs[start : len(outputs) if end < 0 else end].decode()


def _finder(longer: dict[str, int]) -> Any:
    """Makes a function that looks up the first two and three characters of clusters."""
    keys = sorted((_pack(*map(ord, key)), number) for key, number in longer.items())
    packed = np.array([key for key, _ in keys] or [-1], np.int64)
    numbers = np.array([number for _, number in keys] or [0], np.int32)

    def find(wanted: Any) -> Any:
        places = tf.minimum(tf.searchsorted(tf.constant(packed), wanted), len(packed) - 1)
        hit = tf.equal(tf.gather(tf.constant(packed), places), wanted)
        return tf.where(hit, tf.gather(tf.constant(numbers), places), 0)

    return find


def _pack(first: Any, second: Any, third: Any = 0) -> Any:
    return (first * (1 << _BITS) + second) * (1 << _BITS) + third


def _numbers(texts: CodePoints, alone: Any, find: Any) -> tuple[Any, Any]:
    """Finds what takes the place of each character, and of how many, for clusters as a whole."""
    joined = graphemes.joined(texts)
    size = tf.size(joined)
    heads = tf.cast(tf.where(~joined)[:, 0], tf.int32)
    clusters = tf.cumsum(tf.cast(~joined, tf.int32)) - 1
    lengths = tf.concat([heads[1:], tf.fill([tf.minimum(size, 1)], size)], axis=0) - heads
    bytes_ = tf.math.segment_sum(code_points.sizes(texts.codes), clusters)
    short = (lengths > 1) & (bytes_ <= _LONGEST_CLUSTER)
    places = tf.boolean_mask(heads, short)
    codes = [
        tf.gather(tf.pad(tf.cast(texts.codes, tf.int64), [[0, 2]]), places + i) for i in (0, 1, 2)
    ]
    three = tf.boolean_mask(lengths, short) > 2
    found = tf.gather(alone, places)
    pairs = find(_pack(codes[0], codes[1]))
    triples = tf.where(three, find(_pack(*codes)), 0)
    found = tf.where(found > 0, found, tf.where(pairs > 0, pairs, triples))
    whole = tf.scatter_nd(tf.where(short), found, tf.shape(heads, tf.int64))
    numbers = tf.gather(whole, clusters)
    # Number 1 removes a character: the rest of a cluster that is replaced as a whole.
    rest = joined & (numbers > 0)
    found = tf.where(numbers > 0, tf.where(rest, 1, numbers), alone)
    replaced = tf.where(numbers > 0, tf.gather(lengths, clusters), 1)
    return found, tf.where(rest, 0, replaced)
