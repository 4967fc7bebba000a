"""Unicode's normalization form D as the Rust tokenizer sees it.

The form is defined in Unicode Standard Annex #15 (https://unicode.org/reports/tr15/).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import tensorflow as tf
import tensorflow_text as tf_text
from tokenizers import normalizers

from tfaigc.tokenizers import characters, ragged, strings

# Text that keeps to Unicode's stream-safe format has no more marks in a row.
_MOST_MARKS = 30


def decompose(texts: Any) -> Any:
    """Brings texts into normalization form D.

    Args:
        texts: string, (n,).

    Returns:
        string, (n,).
    """
    return strings.around(texts, newer_characters(), _decompose)


@lru_cache
def newer_characters() -> frozenset[int]:
    """The characters that ICU decomposes or reorders, but the Rust tokenizer's older tables do not.

    Between them both agree, so texts are normalized around them.
    """
    codes = characters.codepoints()
    frames = (
        "{}",
        "|\u0345{}",  # U+0345 moves behind any combining class but 0 and 240
        "|{}\u0334",  # U+0334 moves before any combining class but 0 and 1
    )
    nfd = normalizers.NFD()
    found: set[int] = set()
    for frame in frames:
        texts = [frame.format(chr(code)) for code in codes]
        with tf.init_scope():
            outputs = tf_text.normalize_utf8(tf.constant(texts), "NFD").numpy()
        for code, text, output in zip(codes, texts, outputs, strict=True):
            if output != text.encode() and nfd.normalize_str(text) != output.decode():
                found.add(code)
    return frozenset(found)


def _decompose(texts: Any) -> Any:
    """Normalizes texts without newer characters."""
    marks = characters.expression(frozenset(_combining_classes()))
    # ICU's time grows with the square of the marks in a row; a hostile text could stall a server.
    many = tf.strings.regex_full_match(texts, f"(?s).*{marks}{{{_MOST_MARKS + 1}}}.*")
    texts = strings.where(texts, ~many, lambda some: tf_text.normalize_utf8(some, "NFD"))
    return strings.where(texts, many, _decompose_many_marks)


def _decompose_many_marks(texts: Any) -> Any:
    """Decomposes each character alone, then sorts the marks behind each base character."""
    alone = tf.strings.unicode_split(texts, "UTF-8")
    decomposed = alone.with_flat_values(tf_text.normalize_utf8(alone.flat_values, "NFD"))
    codes = tf.strings.unicode_decode(ragged.join_strings(decomposed), "UTF-8")
    flat = codes.flat_values
    classes = tf.cast(_class_table()(flat), tf.int64)
    total = tf.size(flat, tf.int64)
    ends = tf.expand_dims(codes.row_splits[1:-1], 1)
    breaks = tf.tensor_scatter_nd_add(
        tf.pad(tf.cast(tf.equal(classes, 0), tf.int64), [[0, 1]]), ends, tf.ones_like(ends[:, 0])
    )
    bases = tf.cumsum(breaks)[:-1]
    # The last term makes keys distinct, so that equal classes keep their order.
    keys = (bases * 256 + classes) * total + tf.range(total)
    return tf.strings.unicode_encode(
        codes.with_flat_values(tf.gather(flat, tf.argsort(keys))), "UTF-8"
    )


@lru_cache
def _combining_classes() -> dict[int, int]:
    """The marks that are reordered, each with its canonical combining class."""
    classes = {code: unicodedata.combining(chr(code)) for code in characters.codepoints()}
    newer = newer_characters()
    return {code: rank for code, rank in classes.items() if rank and code not in newer}


@lru_cache
def _class_table() -> strings.Function:
    return strings.table(_combining_classes())
