"""Texts that know what each of their characters stands for, on their way to the tokens.

Where nobody asks for offsets, texts are plain strings. Otherwise they are `Located`, and the
functions here do with both what the stages have to do. What a character stands for follows the
Rust tokenizer's rules: one that takes the place of several stands for the last of them, and one
that is added stands for what the one before it stands for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tfaigc.tokenizers import code_points, ragged
from tfaigc.tokenizers.characters import expression, whitespace
from tfaigc.tokenizers.strings import Function

# Surrogates: regular expressions match them like any character, but no valid text has them.
OPEN, CLOSE = b"\xed\xa0\x82", b"\xed\xa0\x83"
_MARK_LEAD, _LEAST_SURROGATE = 0xED, 0xA0
# What the Rust tokenizer takes for white space at a token's edges: also a spelled space.
SPELLED_SPACE = "Ġ"


class Located(NamedTuple):
    """Texts and what their characters stand for.

    Attributes:
        texts: string, (n,), marked or not; a RaggedTensor (n, None) once they are words.
        spans: int32, (characters, 2): for each character of all texts, one behind the other and
            without marks, the first character of the given text that it stands for, and the one
            behind the last.
    """

    texts: Any
    spans: Any


def locate(texts: Any) -> Located:
    """Begins with characters that stand for themselves.

    Args:
        texts: string, (n,), valid UTF-8.

    Returns:
        The same texts, located.
    """
    places = tf.ragged.range(count(texts)).flat_values
    return Located(texts, tf.stack([places, places + 1], axis=1))


def plain(texts: Any) -> Any:
    """Forgets what characters stand for.

    Args:
        texts: string, (n,), or located texts.

    Returns:
        string, (n,).
    """
    return texts.texts if isinstance(texts, Located) else texts


def count(texts: Any) -> Any:
    """Counts the characters of texts without marks.

    Args:
        texts: string, (n,).

    Returns:
        int32, (n,).
    """
    return tf.strings.length(texts, unit="UTF8_CHAR")


def change(texts: Any, function: Function) -> Any:
    """Applies a function under which characters keep their number and order.

    Args:
        texts: string, (n,), or located texts.
        function: Maps string (n,) to string (n,); it may set and remove marks.

    Returns:
        Of the same kind.
    """
    if isinstance(texts, Located):
        return texts._replace(texts=function(texts.texts))
    return function(texts)


def replace(
    texts: Any,
    pattern: str,
    rewrite: Any,
    *,
    size: int,
    found: bytes = OPEN + rb"\0" + CLOSE,
    where: Any = None,
) -> Any:
    """Replaces what a regular expression matches.

    Args:
        texts: string, (n,), or located texts.
        pattern: RE2's expression.
        rewrite: RE2's replacement.
        size: How many characters take the place of those replaced.
        found: RE2's replacement that sets those that are replaced between `OPEN` and `CLOSE`.
        where: bool, (n,): the texts in which to replace; None for all.

    Returns:
        Of the same kind.
    """

    def apply(some: Any, rewritten: Any) -> Any:
        replaced = tf.strings.regex_replace(some, pattern, rewritten)
        return replaced if where is None else tf.where(where, replaced, some)

    if not isinstance(texts, Located):
        return apply(texts, rewrite)
    inside, last = _brackets(apply(texts.texts, found))
    counts = tf.where(last, size, tf.cast(~inside, tf.int32))
    return Located(apply(texts.texts, rewrite), ragged.repeat(texts.spans, counts))


def keep_bracketed(texts: Any, function: Function) -> Any:
    """Applies a function that removes all characters but those between `OPEN` and `CLOSE`.

    Args:
        texts: string, (n,), or located texts.
        function: Maps string (n,) to string (n,).

    Returns:
        Of the same kind.
    """
    if not isinstance(texts, Located):
        return function(texts)
    inside, _ = _brackets(texts.texts)
    return Located(function(texts.texts), tf.boolean_mask(texts.spans, inside))


def prepend(texts: Any, prefix: str) -> Any:
    """Sets a prefix before texts that are not empty; it stands for what follows.

    Args:
        texts: string, (n,), or located texts, without marks.
        prefix: The prefix.

    Returns:
        Of the same kind.
    """
    strings = plain(texts)
    longer = tf.where(tf.equal(strings, ""), strings, prefix + strings)
    if not isinstance(texts, Located):
        return longer
    places = tf.ragged.range(count(strings)).flat_values
    counts = tf.where(tf.equal(places, 0), 1 + len(prefix), 1)
    return Located(longer, ragged.repeat(texts.spans, counts))


def recode(texts: Any, fast: Function, exact: Any) -> Any:
    """Applies a function of code points, for which plain texts have a faster one.

    Args:
        texts: string, (n,), or located texts, without marks.
        fast: Maps string (n,) to string (n,).
        exact: Maps code points to code points, and tells what has changed.

    Returns:
        Of the same kind.
    """
    if not isinstance(texts, Located):
        return fast(texts)
    before = code_points.decode(texts.texts)
    after = exact(before)
    sources = code_points.sources(after, before)
    return Located(code_points.encode(after), tf.gather(texts.spans, sources))


def spell(texts: Any, function: Function) -> Any:
    """Applies a function that writes each byte as a character.

    Args:
        texts: string, (n,), or located texts, without marks; words if they are ragged.
        function: Maps string (n,) to string (n,).

    Returns:
        Of the same kind.
    """
    strings = plain(texts)
    are_words = isinstance(strings, tf.RaggedTensor)
    flat = strings.flat_values if are_words else strings
    spelled = strings.with_flat_values(function(flat)) if are_words else function(flat)
    if not isinstance(texts, Located):
        return spelled
    sizes = code_points.sizes(code_points.decode(flat).codes)
    return Located(spelled, ragged.repeat(texts.spans, sizes))


def empty(texts: Any, where: Any) -> Any:
    """Empties some of the texts.

    Args:
        texts: string, (n,), or located texts, without marks.
        where: bool, (n,).

    Returns:
        Of the same kind.
    """
    strings = plain(texts)
    emptied = tf.where(where, "", strings)
    if not isinstance(texts, Located):
        return emptied
    return Located(emptied, tf.boolean_mask(texts.spans, ragged.repeat(~where, count(strings))))


def whole(ids: Any, texts: Any, rows: Any) -> Any:
    """Makes tokens that stand for whole texts.

    Args:
        ids: int32, (m,): the tokens.
        texts: string, (n,), or located texts, without marks.
        rows: bool, (n,), of which m are true: the texts.

    Returns:
        int32, (m,); for located texts (m, 5), as `tokens` gives it.
    """
    if not isinstance(texts, Located):
        return ids
    edge = expression(whitespace() | {ord(SPELLED_SPACE)})
    sizes = count(texts.texts)
    firsts = tf.cumsum(sizes, exclusive=True)
    columns = [
        tf.gather(texts.spans[:, 0], tf.boolean_mask(firsts, rows)),
        tf.gather(texts.spans[:, 1], tf.boolean_mask(firsts + sizes - 1, rows)),
        *(
            tf.boolean_mask(sizes - count(tf.strings.regex_replace(texts.texts, cut, "")), rows)
            for cut in (rf"\A{edge}+", rf"{edge}+\z")
        ),
    ]
    return tf.stack([ids, *columns], axis=1)


def tokens(words: Any, pieces: Any, edges: Any) -> Any:
    """Tells what the tokens of words stand for.

    Args:
        words: string RaggedTensor (n, None), or located words.
        pieces: The words' tokens, as a model gives them.
        edges: int32, (vocabulary, 2): how many spaces each token begins and ends with.

    Returns:
        int32 RaggedTensor, (n, None); for located words (n, None, 5): the id, the first character
        that it stands for, the one behind the last, and how many spaces it begins and ends with.
    """
    found = pieces.tokens
    if isinstance(words, Located):
        sizes = count(words.texts.flat_values)
        firsts = tf.gather(tf.cumsum(sizes, exclusive=True), pieces.rows())
        spans = tf.stack(
            [
                tf.gather(words.spans[:, 0], firsts + pieces.firsts),
                tf.gather(words.spans[:, 1], firsts + pieces.lasts),
            ],
            axis=1,
        )
        found = tf.concat([found[:, None], spans, tf.gather(tf.constant(edges), found)], axis=1)
    splits = tf.gather(pieces.splits, plain(words).row_splits)
    return tf.RaggedTensor.from_row_splits(found, splits, validate=False)


def _brackets(texts: Any) -> tuple[Any, Any]:
    """Tells which characters stand between brackets, and which are the last ones there.

    Args:
        texts: string, (n,), marked.

    Returns:
        bool, (characters,), twice: one for each character that is no mark.
    """
    units = tf.io.decode_raw(tf.strings.reduce_join(texts), tf.uint8)
    units = tf.cast(tf.concat([units, tf.zeros([2], tf.uint8)], axis=0), tf.int32)
    leads = tf.where(tf.not_equal(tf.bitwise.bitwise_and(units[:-2], 0xC0), 0x80))[:, 0]
    second, third = tf.gather(units, leads + 1), tf.gather(units, leads + 2)
    mark = tf.equal(tf.gather(units, leads), _MARK_LEAD) & (second >= _LEAST_SURROGATE)
    opened, closed = (
        tf.cumsum(tf.cast(mark & tf.equal(third, sign[-1]), tf.int32)) for sign in (OPEN, CLOSE)
    )
    matches = tf.boolean_mask(tf.where(opened > closed, opened, 0), ~mark)
    following = tf.concat([matches[1:], tf.zeros_like(matches[:1])], axis=0)
    return matches > 0, (matches > 0) & tf.not_equal(matches, following)
