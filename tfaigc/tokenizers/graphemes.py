"""Short grapheme clusters as the Rust tokenizer sees them.

Clusters are defined in Unicode Standard Annex #29 (https://unicode.org/reports/tr29/). Precompiled
normalizers look only at clusters of fewer than six bytes, so rules that join more are left out: all
about flags, and about pictographs but for the two that have two bytes.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf
from tokenizers import normalizers

from tfaigc.tokenizers import characters, code_points, strings
from tfaigc.tokenizers.code_points import CodePoints

_SEPARATOR = "\x01"  # a control character, which never joins a cluster
_JOINER = 0x200D
# Rules of two neighbors, each a bit: what the first must be, and the second.
_EXTENDING, _PREPENDED, _LINE_END, _LEADING, _VOWEL, _TRAILING = (1 << bit for bit in range(6))
_HANGUL = (*range(0x1100, 0x1200), *range(0xA960, 0xA980), *range(0xAC00, 0xD800))


def joined(texts: CodePoints) -> Any:
    """Marks the characters that belong to the cluster of the character before them.

    Args:
        texts: The code points.

    Returns:
        bool, (characters,); right for clusters of fewer than six bytes.
    """
    firsts, seconds, pictographs = _tables()
    codes = texts.codes
    behind = code_points.previous(codes, 0)
    rules = tf.bitwise.bitwise_and(firsts(behind), seconds(codes))
    marks = pictographs(tf.stack([code_points.previous(behind, 0), codes]))
    pictograph = tf.equal(behind, _JOINER) & tf.equal(marks[0], 2) & (marks[1] > 0)
    return ((rules > 0) | pictograph) & ~code_points.is_first(texts)


@lru_cache
def extending() -> frozenset[int]:
    """The characters that join the cluster of a letter before them."""
    return _where("x{}", 1)


@lru_cache
def _tables() -> tuple[strings.Function, strings.Function, strings.Function]:
    every = range(sys.maxunicode + 1)
    # Marks stay apart from control characters, and are one piece there.
    plain = frozenset(every) - _where("{}\u0301\u0302", 2) - {0, ord(_SEPARATOR)}
    prepended = _where("{}x", 1)
    # A prepended sign shortens the way to six bytes, where a cluster falls apart.
    before_leading, before_vowel, before_trailing = (
        _where(f"\u0600{{}}{second}", 3, _HANGUL) for second in "\u1100\u1161\u11a8"
    )
    after_leading, after_vowel, after_trailing = (
        _where(f"\u0600{first}{{}}", 3, _HANGUL) for first in ("\u1100", "\uac00", "\uac01")
    )
    firsts: dict[int, int] = {}
    seconds: dict[int, int] = {}
    for codes, bit, table in (
        (plain, _EXTENDING, firsts),
        (extending(), _EXTENDING, seconds),
        (prepended, _PREPENDED, firsts),
        (plain, _PREPENDED, seconds),
        ({0x0D}, _LINE_END, firsts),
        ({0x0A}, _LINE_END, seconds),
        (before_leading, _LEADING, firsts),
        (after_leading - after_vowel, _LEADING, seconds),
        (before_vowel, _VOWEL, firsts),
        (after_vowel - after_trailing, _VOWEL, seconds),
        (before_trailing, _TRAILING, firsts),
        (after_trailing, _TRAILING, seconds),
    ):
        for code in codes:
            table[code] = table.get(code, 0) | bit
    pictographs = dict.fromkeys(_where("\u00a9\u200d{}", 3) - extending(), 1)
    pictographs.update(dict.fromkeys((0xA9, 0xAE), 2))
    return strings.table(firsts), strings.table(seconds), strings.table(pictographs)


def _where(frame: str, pieces: int, among: Sequence[int] | None = None) -> frozenset[int]:
    """Finds the characters that, set into a frame, give a number of replaced pieces.

    A cluster of fewer than six bytes is one piece; in a longer one each character is.
    """
    codes = [code for code in among or characters.codepoints() if code > 1]
    texts = [frame.format(chr(code)) for code in codes]
    outputs = _probe().normalize_str(_SEPARATOR.join(texts)).split(_SEPARATOR)
    return frozenset(
        code for code, output in zip(codes, outputs, strict=True) if len(output) == pieces
    )


@lru_cache
def _probe() -> normalizers.Normalizer:
    """A precompiled normalizer that replaces whatever it takes as one piece by one letter.

    Its trie, in the format of Darts-clone (https://github.com/s-yata/darts-clone), has every byte
    but 0 and 1 as a key.
    """
    root, leaves = 256, 512
    units = [0] * (leaves + 256)
    units[0] = root << 10
    for byte in range(2, 256):
        node, leaf = root ^ byte, leaves + byte
        units[node] = byte | 1 << 8 | (node ^ leaf) << 10
        units[leaf] = 1 << 31
    trie = struct.pack(f"<{len(units)}I", *units)
    return normalizers.Precompiled(struct.pack("<I", len(trie)) + trie + b"y\0")
