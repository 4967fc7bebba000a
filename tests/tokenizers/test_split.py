# ruff: noqa: RUF001 (look-alike characters are the point)
from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizer_battery import check_strings, every_character, hard_strings
from tokenizers import Regex, pre_tokenizers

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers.pre_tokenizers import PRE_TOKENIZERS
from tfaigc.tokenizers.split_patterns import translate

ByteLevel, Metaspace, Split = (
    pre_tokenizers.ByteLevel,
    pre_tokenizers.Metaspace,
    pre_tokenizers.Split,
)
BEHAVIORS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
CASE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = (
    CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
REGEXES = {
    "Llama 3": LLAMA3,
    "cl100k": CASE + r"|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    + CASE
    + r"?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    + CASE
    + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "punctuation before ASCII": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    "ranges": "[一-龥\u3040-ゟ゠-ヿ]+",
    "nested class": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "intersection": r"[\p{L}&&[^\p{Han}]]+|\p{Han}|\p{N}",
}
SPLIT_AT = {"space": " ", "class": Regex(r"\p{N}|['a-c]\s?"), "Llama 3": Regex(LLAMA3)}
CASES: dict[str, Any] = {
    **{name: Split(Regex(regex), "isolated") for name, regex in REGEXES.items()},
    "byte level": ByteLevel(add_prefix_space=False),
    "byte level with space": ByteLevel(add_prefix_space=True),
    "byte level without regex": ByteLevel(add_prefix_space=True, use_regex=False),
    "Whitespace": pre_tokenizers.Whitespace(),
    "digits": pre_tokenizers.Digits(),
    "single digits": pre_tokenizers.Digits(individual_digits=True),
    "delimiter": pre_tokenizers.CharDelimiterSplit("a"),
    "words, then Metaspace": pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), Metaspace(prepend_scheme="first")]
    ),
    "punctuation, then bytes": pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation("contiguous"), ByteLevel(add_prefix_space=True)]
    ),
    **{f"punctuation {behavior}": pre_tokenizers.Punctuation(behavior) for behavior in BEHAVIORS},
    **{
        f"Metaspace {scheme} {split}": Metaspace(prepend_scheme=scheme, split=split)
        for scheme in ("always", "first", "never")
        for split in (True, False)
    },
    **{
        f"{behavior} {invert} {name}": Split(pattern, behavior, invert)
        for behavior in BEHAVIORS
        for invert in (False, True)
        for name, pattern in SPLIT_AT.items()
    },
}
EXTRAS = (
    *("I'M we'LL it'\u017f don'T 'S'", "a  b", "a \n b", " \n\n x", "\t\tx", " \u00a0 x", "  "),
    *("x\u3000\u3000y", "it's'll", "\r\n\r\n  x", "foo\n\n\nbar  \n  baz", "'K\u212a", "12345"),
    *("١٢٣٤", "!!!\n\n x", "=====>>> a", " a", "\na", "\u2028\u2028x"),
)
HARD = [text.replace("\0", "") for text in hard_strings(600, seed=31, extras=EXTRAS)]
EVERY = ("Llama 3", "byte level", "Whitespace", "single digits", "intersection")


def check(name: str, texts: list[str]) -> None:
    compiled = PRE_TOKENIZERS.build(json.loads(CASES[name].__getstate__()))
    check_strings(
        texts, compiled, lambda text: [word for word, _ in CASES[name].pre_tokenize_str(text)]
    )


@pytest.mark.parametrize("name", CASES)
def test_hard_strings(name: str) -> None:
    check(name, [*HARD, *EXTRAS])


@pytest.mark.parametrize("name", EVERY)
def test_every_character(name: str) -> None:
    texts = every_character("a{}b")
    # Planes without characters, and those of private use, are alike throughout.
    check(name, [text for text in texts if not 0x40000 < ord(text[1]) < 0xE0000][:110:2])


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"^a", "no anchor like '\\^'"),
        (r"\ba", r"no escape like"),
        (r"(?<=a)b", "no group like"),
        (r"a(?!bc)", "look ahead at single characters"),
        (r"a(?!b)", "look ahead only as in"),
        (r"\s+(?!\S)", "look ahead only as in"),
        (r"a*", "must not match the empty text"),
        (r"(a", "must be valid"),
        (r"(?i:ss)", "must not ignore the case of 'ss'"),
        (r"(?i:\p{L})", "listed ASCII characters"),
        (r"a++ab", "possessive"),
        (r"(?:a?)+b", "what may be empty"),
        (r"(a)\1", "no escape like"),
    ],
)
def test_expressions_that_cannot_be_translated(pattern: str, message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        translate(pattern)


def test_bytes_must_be_spelled_last() -> None:
    parts = pre_tokenizers.Sequence([ByteLevel(), pre_tokenizers.Digits()])
    with pytest.raises(TokenizerError, match="must be the last of its sequence"):
        PRE_TOKENIZERS.build(json.loads(parts.__getstate__()))
