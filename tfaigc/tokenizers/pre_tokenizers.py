"""The pre-tokenizers of tokenizer.json as TensorFlow operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf
from tokenizers import pre_tokenizers as rust

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import byte_level, characters, split, split_parser, split_patterns
from tfaigc.tokenizers.characters import CharacterSet
from tfaigc.tokenizers.registry import Registry, Spec
from tfaigc.tokenizers.split import Step

_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class PreTokenizer:
    """Splits texts into words.

    Args:
        step: Marks the places at which texts are split.
        spelled: Whether the words' bytes are spelled in the byte-level alphabet.
    """

    def __init__(self, step: Step, *, spelled: bool = False) -> None:
        self.step = step
        self.spelled = spelled

    def __call__(self, texts: Any, starts: Any = None) -> Any:
        """Splits texts into words.

        Args:
            texts: string, (n,).
            starts: bool, (n,): Whether each begins where the whole text begins; None for all.

        Returns:
            string RaggedTensor, (n, None), without empty words.
        """
        words = self.raw(texts, starts)
        return (
            words.with_flat_values(byte_level.spell(words.flat_values)) if self.spelled else words
        )

    def raw(self, texts: Any, starts: Any = None) -> Any:
        """Splits texts into words without spelling their bytes.

        Args:
            texts: string, (n,).
            starts: bool, (n,): Whether each begins where the whole text begins; None for all.

        Returns:
            string RaggedTensor, (n, None), without empty words.
        """
        if starts is None:
            starts = tf.ones_like(texts, tf.bool)
        return split.cut(self.step(texts, starts))


PRE_TOKENIZERS: Registry[PreTokenizer] = Registry("pre-tokenizer")


def chain(parts: Sequence[PreTokenizer]) -> PreTokenizer:
    """Makes one pre-tokenizer of several.

    Args:
        parts: The pre-tokenizers, in order.

    Returns:
        A pre-tokenizer that splits the words of each by the next.

    Raises:
        TokenizerError: Bytes are spelled before the last one.
    """
    if any(part.spelled for part in parts[:-1]):
        raise TokenizerError(
            "A pre-tokenizer of type 'ByteLevel' must be the last of its sequence to run in the "
            "graph. Received: another one behind it. Use encode, or another checkpoint."
        )

    def apply(texts: Any, starts: Any) -> Any:
        for part in parts:
            texts = part.step(texts, starts)
        return texts

    return PreTokenizer(apply, spelled=bool(parts) and parts[-1].spelled)


@PRE_TOKENIZERS.register("Sequence", "pretokenizers")
def _sequence(spec: Spec) -> PreTokenizer:
    return chain([PRE_TOKENIZERS.build(part) for part in spec["pretokenizers"]])


@PRE_TOKENIZERS.register("BertPreTokenizer")
def _bert(spec: Spec) -> PreTokenizer:
    return chain([_remove(characters.whitespace()), _split(characters.punctuation(), "Isolated")])


@PRE_TOKENIZERS.register("WhitespaceSplit")
def _whitespace_split(spec: Spec) -> PreTokenizer:
    return _remove(characters.whitespace())


@PRE_TOKENIZERS.register("Whitespace")
def _whitespace(spec: Spec) -> PreTokenizer:
    others, spaces = _whitespace_classes()
    return chain([_split(others, "Contiguous"), _remove(spaces)])


@PRE_TOKENIZERS.register("Punctuation", "behavior")
def _punctuation(spec: Spec) -> PreTokenizer:
    return _split(characters.punctuation(), spec["behavior"])


@PRE_TOKENIZERS.register("Digits", "individual_digits")
def _digits(spec: Spec) -> PreTokenizer:
    return _split(characters.digits(), "Isolated" if spec["individual_digits"] else "Contiguous")


@PRE_TOKENIZERS.register("CharDelimiterSplit", "delimiter")
def _delimiter(spec: Spec) -> PreTokenizer:
    return _remove(frozenset({ord(spec["delimiter"])}))


@PRE_TOKENIZERS.register("Split", "pattern", "behavior", "invert")
def _pattern(spec: Spec) -> PreTokenizer:
    pattern = spec["pattern"]
    if "Regex" in pattern:
        translated = split_patterns.translate(pattern["Regex"])
    elif pattern.get("String"):
        translated = split_patterns.literal(pattern["String"])
    else:
        raise TokenizerError(
            "A pre-tokenizer of type 'Split' must have a pattern that is not empty to run in the "
            f"graph. Received: {pattern}. Correct it in tokenizer.json."
        )
    return PreTokenizer(split.splitter(translated, spec["behavior"], invert=spec["invert"]))


# trim_offsets concerns offsets only.
@PRE_TOKENIZERS.register("ByteLevel", "add_prefix_space", "trim_offsets", "use_regex")
def _byte_level(spec: Spec) -> PreTokenizer:
    pattern = split_patterns.translate(_GPT2) if spec["use_regex"] else None
    regex = split.splitter(pattern, "Isolated") if pattern else None

    def apply(texts: Any, starts: Any) -> Any:
        if spec["add_prefix_space"]:
            texts = _prepend(texts, " ")
        return regex(texts, starts) if regex else texts

    return PreTokenizer(apply, spelled=True)


@PRE_TOKENIZERS.register("Metaspace", "replacement", "prepend_scheme", "split")
def _metaspace(spec: Spec) -> PreTokenizer:
    replacement, scheme = spec["replacement"], spec["prepend_scheme"]
    pieces = split.splitter(split_patterns.literal(replacement), "MergedWithNext")

    def apply(texts: Any, starts: Any) -> Any:
        texts = tf.strings.regex_replace(texts, " ", replacement)
        if scheme == "always":
            texts = _prepend(texts, replacement)
        elif scheme == "first":
            texts = tf.where(starts, _prepend(texts, replacement, everywhere=False), texts)
        return pieces(texts, starts) if spec["split"] else texts

    return PreTokenizer(apply)


def _prepend(texts: Any, char: str, *, everywhere: bool = True) -> Any:
    """Sets a character before the words that do not begin with it."""
    begin = rf"(\A|{split.CUT_EXPRESSION})" if everywhere else r"(\A)"
    other = rf"([^{split.CUT_EXPRESSION}\x{{{ord(char):x}}}])"
    return tf.strings.regex_replace(texts, begin + other, rf"\1{char}\2")


def _split(members: CharacterSet, behavior: str) -> PreTokenizer:
    return PreTokenizer(split.splitter(split_patterns.of_characters(members), behavior))


def _remove(members: CharacterSet) -> PreTokenizer:
    pattern = split_patterns.of_characters(members, repeated=True)
    return PreTokenizer(split.splitter(pattern, "Removed"))


@lru_cache
def _whitespace_classes() -> tuple[CharacterSet, CharacterSet]:
    """The characters that belong neither to words nor to spaces, and the spaces."""
    ask = rust.Whitespace().pre_tokenize_str
    text = split_parser.every_character()
    runs = [run for run, _ in ask(text)]
    framed = ask("".join(f"a{run[0]} " for run in runs))
    others = {word for word, _ in framed if len(word) == 1 and word != "a"}
    found = {ord(char) for run in runs if run[0] in others for char in run}
    spaces = set(map(ord, text)).difference(*(map(ord, run) for run in runs))
    return split_parser.with_alike(found), frozenset(spaces)
