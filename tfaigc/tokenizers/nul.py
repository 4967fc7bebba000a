"""A character that takes the place of NUL, at which some TensorFlow operations stop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tokenizers import Tokenizer as RustTokenizer

# Unassigned characters, then control characters: what comes closest to NUL.
_CANDIDATES = (*range(0xFFF0, 0xFFF9), *range(0x01, 0x09), *range(0x0E, 0x20))
_MOST_CANDIDATES = 9
_SURROUNDINGS = ("\0", "a\0b", " \0 a", "1\0\0!", "\n\0 \0x", "\t \0\n", "!\0'\0s", "中\0é\0")
# TensorFlow Text, which splits words for WordPiece, would stop at NUL, and knows no piece with it.
_STOPPING_MODEL = "WordPiece"
_MODEL = {"type": "WordLevel", "vocab": {}, "unk_token": ""}


class StandIn:
    """Hides NUL from all parts of a tokenizer but the model.

    The stand-in is a character that the texts at hand do not contain, and with which the normalizer
    and the pre-tokenizer do what they do with NUL. There are a handful of these: texts that come
    together and contain NUL must not contain all of them.

    Args:
        spec: tokenizer.json, parsed.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        kind = spec["model"].get("type")
        parts = {"normalizer": spec.get("normalizer"), "pre_tokenizer": spec.get("pre_tokenizer")}
        rest = {name: part for name, part in spec.items() if name != "model"}
        text = json.dumps(spec if kind == _STOPPING_MODEL else rest, ensure_ascii=False)
        free = [
            char
            for char in map(chr, _CANDIDATES)
            if char not in text and json.dumps(char)[1:-1] not in text
        ]
        minimal: dict[str, Any] = {"version": "1.0", "added_tokens": [], **parts, "model": _MODEL}
        rust = RustTokenizer.from_str(json.dumps(minimal))
        alike = [char for char in free if _alike(rust, char)]
        self._restored = bool(alike) and kind != _STOPPING_MODEL
        # What stays hidden may be one with what the texts contain: the model knows neither.
        self._candidates = (alike or free or [chr(_CANDIDATES[0])])[
            : _MOST_CANDIDATES if self._restored else 1
        ]

    def hide(self, texts: Any) -> tuple[Any, Any]:
        """Puts the stand-in in the place of NUL.

        Args:
            texts: string, (n,).

        Returns:
            string, (n,), and string, (): the stand-in, empty if there is no NUL.
        """

        def replace() -> tuple[Any, Any]:
            together = tf.strings.reduce_join(texts)
            mark = tf.constant(self._candidates[0])
            for char in self._candidates[::-1] if self._restored else []:
                taken = tf.strings.regex_full_match(together, f"(?s).*\\x{{{ord(char):x}}}.*")
                mark = tf.where(taken, mark, char)
            return tf.strings.regex_replace(texts, tf.constant("\0"), mark), mark

        found = tf.reduce_any(tf.strings.regex_full_match(texts, r"(?s).*\x00.*"))
        hidden: tuple[Any, Any] = tf.cond(found, replace, lambda: (texts, tf.constant("")))
        return hidden

    def restore(self, words: Any, mark: Any) -> Any:
        """Puts NUL in the place of the stand-in.

        Args:
            words: string, (n,).
            mark: string, (): the stand-in, empty if there is no NUL.

        Returns:
            string, (n,).
        """
        if not self._restored:
            return words
        return tf.cond(
            tf.equal(mark, ""),
            lambda: words,
            lambda: tf.strings.regex_replace(words, mark, tf.constant("\0")),
        )


def _alike(rust: Any, char: str) -> bool:
    """Tells whether all is as with NUL, as far as some examples show."""
    for text in _SURROUNDINGS:
        texts = [text, text.replace("\0", char)]
        if rust.normalizer is not None:
            texts = [rust.normalizer.normalize_str(each) for each in texts]
        if texts[0].replace("\0", char) != texts[1]:
            return False
        if rust.pre_tokenizer is not None:
            words = [rust.pre_tokenizer.pre_tokenize_str(each) for each in texts]
            if [span for _, span in words[0]] != [span for _, span in words[1]]:
                return False
    return True
