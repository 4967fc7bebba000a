"""Unicode's normalization forms C, KC and KD as the Rust tokenizer sees them.

The forms are defined in Unicode Standard Annex #15 (https://unicode.org/reports/tr15/). Their
tables are read off the Rust tokenizer's answers, so that they are of its version of Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from tokenizers import normalizers

from tfaigc.tokenizers import characters, code_points, located, strings
from tfaigc.tokenizers.code_points import CharacterMap, CodePoints

_BITS = 21  # a code point's
Form = Callable[[CodePoints], CodePoints]


def normalizer(*, compatible: bool, composed: bool) -> strings.Function:
    """Makes a function that brings texts into a normalization form.

    Args:
        compatible: Whether compatibility characters are decomposed too (KD and KC).
        composed: Whether characters are composed again (C and KC).

    Returns:
        A function from string (n,), or located texts, to the same.
    """
    touched = frozenset(_decompositions(compatible)) | frozenset(combining_classes())
    if composed:
        # Characters that decompose and come back unchanged need no work on their own.
        form: Any = normalizers.NFKC() if compatible else normalizers.NFC()
        seconds = frozenset(second for _, second in compositions())
        touched = frozenset(characters.changes(form)) | frozenset(combining_classes()) | seconds
    function = code_point_form(compatible=compatible, composed=composed)

    def apply(texts: Any) -> Any:
        return code_points.encode(function(code_points.decode(texts)))

    def fast(texts: Any) -> Any:
        return strings.where(texts, strings.contains(texts, touched), apply)

    return lambda texts: located.recode(texts, fast, function)


@lru_cache
def code_point_form(*, compatible: bool, composed: bool) -> Form:
    """Makes a function that brings code points into a normalization form.

    Args:
        compatible: Whether compatibility characters are decomposed too.
        composed: Whether characters are composed again.

    Returns:
        The function.
    """
    decompose = CharacterMap(_decompositions(compatible))
    classes = strings.table(combining_classes())

    def apply(texts: CodePoints) -> CodePoints:
        ordered = _reorder(decompose(texts), classes)
        return _compose(ordered, classes) if composed else ordered

    return apply


@lru_cache
def _decompositions(compatible: bool) -> dict[int, str]:
    return characters.changes(normalizers.NFKD() if compatible else normalizers.NFD())


@lru_cache
def combining_classes() -> dict[int, int]:
    """The marks that are reordered, each with a number that orders them as Rust does.

    Each mark is compared with one mark of every class, by watching whether they swap places.
    """
    nfd = normalizers.NFD().normalize_str
    every = characters.every_codepoint()
    # U+0345 has the highest class but its own, U+0334 the lowest.
    behind = _swapped(nfd, ["\u0345" + chr(code) for code in every])
    before = _swapped(nfd, [chr(code) + "\u0334" for code in every])
    found = zip(every, behind, before, strict=True)
    candidates = [code for code, *swaps in found if any(swaps)]
    references = sorted({unicodedata.combining(chr(code)): code for code in candidates}.items())
    marks = [chr(code) for rank, code in references if rank]
    pairs = [(chr(code), mark) for code in candidates for mark in marks]
    after = _swapped(nfd, [code + mark for code, mark in pairs])
    before = _swapped(nfd, [mark + code for code, mark in pairs])
    shape = (len(candidates), len(marks))
    lower, higher = (np.reshape(found, shape).sum(axis=1) for found in (after, before))
    # Odd numbers are classes between two that are compared with.
    between = (lower + higher) == len(marks)
    ranks = np.where(between, 2 * lower + 1, 2 * lower + 2)
    return {
        code: int(rank)
        for code, rank, swaps in zip(candidates, ranks, lower + higher, strict=True)
        if swaps
    }


def _swapped(nfd: Callable[[str], str], texts: list[str]) -> list[bool]:
    """Tells which texts of two characters a normalizer turns around."""
    outputs = nfd(characters.SEPARATOR.join(texts)).split(characters.SEPARATOR)
    return [output == text[::-1] != text for text, output in zip(texts, outputs, strict=True)]


@lru_cache
def compositions() -> dict[tuple[int, int], int]:
    """The pairs of characters that compose, each with what they compose to."""
    nfc = normalizers.NFC().normalize_str
    recomposed = characters.changes(normalizers.NFC())
    pairs = {}
    for code, output in _decompositions(False).items():
        if code in recomposed or len(output) < 2:
            continue
        first = nfc(output[:-1])
        if len(first) != 1 or nfc(first + output[-1]) != chr(code):
            raise AssertionError(f"U+{code:04X} does not compose from a pair of characters.")
        pairs[ord(first), ord(output[-1])] = code
    return pairs


def _reorder(texts: CodePoints, classes: strings.Function) -> CodePoints:
    """Sorts the marks behind each base character by their classes."""
    ranks = classes(texts.codes)
    first = code_points.is_first(texts)
    behind = code_points.previous(ranks, 0)
    unordered = tf.reduce_any((ranks > 0) & (behind > ranks) & ~first)

    def sort() -> tuple[Any, Any]:
        total = tf.size(texts.codes, tf.int64)
        bases = tf.cumsum(tf.cast(tf.equal(ranks, 0) | first, tf.int64))
        # The last term makes keys distinct, so that equal classes keep their order.
        keys = (bases * 512 + tf.cast(ranks, tf.int64)) * total + tf.range(total)
        order = tf.argsort(keys)
        return tf.gather(texts.codes, order), tf.gather(texts.changes, order)

    codes, changes = tf.cond(unordered, sort, lambda: (texts.codes, texts.changes))
    return CodePoints(codes, texts.splits, changes)


@lru_cache
def _pair_tables() -> tuple[np.ndarray, np.ndarray, strings.Function, strings.Function]:
    pairs = compositions()
    keys = np.array([first << _BITS | second for first, second in pairs], np.int64)
    order = np.argsort(keys)
    results = np.array(list(pairs.values()), np.int32)[order]
    firsts = strings.table({first: 1 for first, _ in pairs})
    seconds = strings.table({second: 1 for _, second in pairs})
    return keys[order], results, firsts, seconds


def _compose(texts: CodePoints, classes: strings.Function) -> CodePoints:
    """Composes each base character with the marks behind it, one mark per round."""

    def step(_: Any, places: Any, fences: Any, *state: Any) -> tuple[Any, ...]:
        current = CodePoints(*state)
        bases, marks, results = _find_compositions(current, classes, places, fences)
        targets = tf.expand_dims(bases, 1)
        fences = tf.tensor_scatter_nd_update(fences, targets, tf.gather(places, marks))
        current = current._replace(
            codes=tf.tensor_scatter_nd_update(current.codes, targets, results),
            changes=tf.tensor_scatter_nd_add(
                current.changes, targets, tf.gather(current.changes, marks) - 1
            ),
        )
        gone = tf.scatter_nd(tf.expand_dims(marks, 1), tf.ones_like(marks), tf.shape(places))
        kept = tf.equal(gone, 0)
        places, fences = tf.boolean_mask(places, kept), tf.boolean_mask(fences, kept)
        return (tf.size(marks) > 0, places, fences, *code_points.keep(current, kept))

    places = tf.range(tf.size(texts.codes))
    state = (tf.constant(True), places, tf.fill(tf.shape(places), -1), *texts)
    flat = tf.TensorShape([None])
    shapes = (tf.TensorShape([]), flat, flat, flat, texts.splits.shape, flat)
    _, _, _, *composed = tf.while_loop(lambda more, *_: more, step, state, shape_invariants=shapes)
    return CodePoints(*composed)


def _find_compositions(
    texts: CodePoints, classes: strings.Function, places: Any, fences: Any
) -> tuple[Any, Any, Any]:
    """Finds, for each base character, the first character behind it that composes with it.

    A mark that did not compose is not tried again with what its base became later, hence fences.
    """
    keys, results, firsts, seconds = _pair_tables()
    ranks = classes(texts.codes)
    first = code_points.is_first(texts)
    starts = tf.equal(ranks, 0) | first
    groups = tf.cumsum(tf.cast(starts, tf.int32)) - 1
    group_starts = tf.cast(tf.where(starts)[:, 0], tf.int32)
    # A base behind a base may compose with it; a mark looks at the base of its group.
    own = tf.gather(group_starts, tf.where(starts & ~first, groups - 1, groups))
    behind = tf.range(tf.size(ranks)) - 1
    reachable = tf.equal(own, behind) | (
        (code_points.previous(ranks, 0) < ranks) & tf.equal(starts, False)
    )
    open_ = (
        ~first & reachable & tf.equal(tf.gather(ranks, own), 0) & (tf.gather(fences, own) < places)
    )
    likely = open_ & (seconds(texts.codes) > 0) & (firsts(tf.gather(texts.codes, own)) > 0)
    marks = tf.cast(tf.where(likely)[:, 0], tf.int32)
    bases = tf.gather(own, marks)
    wanted = _pair_keys(tf.gather(texts.codes, bases), tf.gather(texts.codes, marks))
    found = tf.minimum(tf.searchsorted(tf.constant(keys), wanted), len(keys) - 1)
    hit = tf.equal(tf.gather(tf.constant(keys), found), wanted)
    marks, bases, found = (tf.boolean_mask(each, hit) for each in (marks, bases, found))
    # Bases that are about to vanish wait, and each of the others takes its first.
    taken = tf.scatter_nd(tf.expand_dims(marks, 1), tf.ones_like(marks), [tf.size(ranks)])
    chosen = tf.equal(tf.gather(taken, bases), 0) & ~tf.equal(
        bases, code_points.previous(bases, -1)
    )
    marks, bases, found = (tf.boolean_mask(each, chosen) for each in (marks, bases, found))
    return bases, marks, tf.gather(tf.constant(results), found)


def _pair_keys(firsts: Any, seconds: Any) -> Any:
    return tf.cast(firsts, tf.int64) * (1 << _BITS) + tf.cast(seconds, tf.int64)
