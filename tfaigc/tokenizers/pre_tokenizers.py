"""The pre-tokenizers of tokenizer.json as TensorFlow operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf
from tokenizers import pre_tokenizers as rust

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import (
    byte_level,
    characters,
    located,
    quick_words,
    split,
    split_parser,
    split_patterns,
    strings,
)
from tfaigc.tokenizers.characters import CharacterSet
from tfaigc.tokenizers.located import CLOSE, OPEN, Located
from tfaigc.tokenizers.quick_words import Quick
from tfaigc.tokenizers.registry import Registry, Spec
from tfaigc.tokenizers.split import Step

_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class PreTokenizer:
    """Splits texts into words.

    Args:
        step: Marks the places at which texts are split.
        spelled: Whether the words' bytes are spelled in the byte-level alphabet.
        quick: A quicker way to split usual texts, if there is one.
    """

    def __init__(self, step: Step, *, spelled: bool = False, quick: Quick | None = None) -> None:
        self.step = step
        self.spelled = spelled
        self.quick = quick

    def __call__(self, texts: Any, starts: Any = None) -> Any:
        """Splits texts into words.

        Args:
            texts: string, (n,), or located texts.
            starts: bool, (n,): Whether each begins where the whole text begins; None for all.

        Returns:
            string RaggedTensor, (n, None), without empty words; located words of located texts.
        """
        words = self.raw(texts, starts)
        return located.spell(words, byte_level.spell) if self.spelled else words

    def raw(self, texts: Any, starts: Any = None) -> Any:
        """Splits texts into words without spelling their bytes.

        Args:
            texts: string, (n,), or located texts.
            starts: bool, (n,): Whether each begins where the whole text begins; None for all.

        Returns:
            string RaggedTensor, (n, None), without empty words; located words of located texts.
        """
        if starts is None:
            starts = tf.ones_like(located.plain(texts), tf.bool)

        def carefully() -> Any:
            return located.change(self.step(texts, starts), split.cut)

        quick = self.quick
        if quick is None or isinstance(texts, Located):
            return carefully()
        unusual = tf.reduce_any(strings.contains(texts, quick.unusual))
        return tf.cond(unusual, carefully, lambda: quick.words(texts, starts))


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
    parts = spec["pretokenizers"]
    built = chain([PRE_TOKENIZERS.build(part) for part in parts])
    if [part["type"] for part in parts] == ["WhitespaceSplit", "Metaspace"]:
        built.quick = _quick_metaspace(parts[1], behind=quick_words.white_space())
    elif len(parts) == 1:
        return PRE_TOKENIZERS.build(parts[0])
    return built


@PRE_TOKENIZERS.register("BertPreTokenizer")
def _bert(spec: Spec) -> PreTokenizer:
    return chain([_remove(characters.whitespace()), _split(characters.punctuation(), "Isolated")])


@PRE_TOKENIZERS.register("WhitespaceSplit")
def _whitespace_split(spec: Spec) -> PreTokenizer:
    built = _remove(characters.whitespace())
    built.quick = quick_words.white_space()
    return built


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
        texts = located.change(texts, lambda some: tf.strings.regex_replace(some, " ", replacement))
        if scheme == "always":
            texts = _prepend(texts, replacement)
        elif scheme == "first":
            texts = _prepend(texts, replacement, where=starts)
        return pieces(texts, starts) if spec["split"] else texts

    return PreTokenizer(apply, quick=_quick_metaspace(spec))


def _quick_metaspace(spec: Spec, *, behind: Quick | None = None) -> Quick | None:
    if not spec["split"]:
        return None
    return quick_words.metaspace(spec["replacement"], spec["prepend_scheme"], behind=behind)


def _prepend(texts: Any, char: str, *, where: Any = None) -> Any:
    """Sets a character before the words, or some texts, that do not begin with it."""
    begin = r"(\A)" if where is not None else rf"(\A|{split.CUT_EXPRESSION})"
    other = rf"([^{split.CUT_EXPRESSION}\x{{{ord(char):x}}}])"
    found = rb"\1" + OPEN + rb"\2" + CLOSE
    return located.replace(texts, begin + other, rf"\1{char}\2", size=2, found=found, where=where)


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
