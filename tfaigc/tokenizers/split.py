r"""Splitting texts at what a regular expression matches.

Where a text is to be split, a mark is put into it that no valid text contains; the texts are cut at
the marks once, at the very end. That is much faster than splitting again at each step: RE2 replaces
quickly, but finds places slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import located
from tfaigc.tokenizers.located import CLOSE, OPEN
from tfaigc.tokenizers.split_patterns import Pattern

Step = Callable[[Any, Any], Any]
"""Maps texts with marks, string (n,) or located, to the same. Its second argument, bool (n,), says
which of the texts begin where the whole text begins."""

# A surrogate: RE2 matches it like any character, but no valid text has it.
CUT = b"\xed\xa0\x80"
CUT_EXPRESSION = r"\x{D800}"
_BEHAVIORS = {
    "Isolated": CUT + rb"\0" + CUT,
    "MergedWithPrevious": rb"\0" + CUT,
    "MergedWithNext": CUT + rb"\0",
    "Contiguous": CUT + rb"\0" + CUT,
    "Removed": CUT,
}
_INVERTED = {
    **_BEHAVIORS,
    "MergedWithPrevious": _BEHAVIORS["MergedWithNext"],
    "MergedWithNext": _BEHAVIORS["MergedWithPrevious"],
    "Removed": OPEN + rb"\0" + CLOSE,
}


def splitter(pattern: Pattern, behavior: str, *, invert: bool = False) -> Step:
    """Makes a step that splits at the matches of a pattern.

    Args:
        pattern: What to split at.
        behavior: What becomes of the matches: "Removed", "Isolated", "MergedWithPrevious",
            "MergedWithNext" or "Contiguous".
        invert: Whether to take what lies between the matches for the matches.

    Returns:
        The step.

    Raises:
        TokenizerError: There is no such behavior.
    """
    if behavior not in _BEHAVIORS:
        raise TokenizerError(
            f"behavior must be one of {', '.join(_BEHAVIORS)}. Received: {behavior!r}. "
            "Correct it in tokenizer.json."
        )
    rewrite = (_INVERTED if invert else _BEHAVIORS)[behavior]
    found = f"(?:{pattern.expression})" + ("+" if behavior == "Contiguous" else "")

    def apply(texts: Any, starts: Any) -> Any:
        if pattern.ahead:
            texts = _mark(texts, pattern.ahead, pattern.mark + rb"\0")
        if rewrite == CUT:
            texts = located.replace(texts, found, CUT, size=0)
        else:
            texts = _mark(texts, found, rewrite)
        if invert and behavior == "Removed":
            texts = located.keep_bracketed(texts, _keep_matches)
        if pattern.ahead:
            texts = _mark(texts, pattern.mark_expression, "")
        return texts

    return apply


def cut(texts: Any) -> Any:
    """Cuts texts at the marks, and drops empty words.

    Args:
        texts: string, (n,), with marks.

    Returns:
        string RaggedTensor, (n, None).
    """
    words = tf.strings.split(texts, CUT)
    flat = words.flat_values
    kept = tf.not_equal(flat, "")
    counts = tf.cumsum(tf.pad(tf.cast(kept, tf.int64), [[1, 0]]))
    splits = tf.gather(counts, words.row_splits)
    flat = tf.gather(flat, tf.squeeze(tf.where(kept), 1))
    return tf.RaggedTensor.from_row_splits(flat, splits, validate=False)


def _mark(texts: Any, pattern: str, rewrite: Any) -> Any:
    """Sets or removes marks by a regular expression."""
    return located.change(texts, lambda some: tf.strings.regex_replace(some, pattern, rewrite))


def _keep_matches(texts: Any) -> Any:
    """Removes what lies outside of the matches."""
    ends = rf"(?:\A|\x{{D803}}|{CUT_EXPRESSION})[^\x{{D800}}\x{{D802}}\x{{D803}}]*"
    return tf.strings.regex_replace(tf.strings.regex_replace(texts, ends, CUT), r"\x{D802}", CUT)
