"""The normalizers of tokenizer.json as TensorFlow operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf
from tokenizers import normalizers

from tfaigc.tokenizers import (
    characters,
    decomposition,
    located,
    normal_forms,
    precompiled,
    replacements,
    strings,
)
from tfaigc.tokenizers.code_points import CodePoints
from tfaigc.tokenizers.registry import Registry, Spec

Normalizer = Callable[[Any], Any]
"""Maps string (n,) to string (n,), and located texts to located texts."""

NORMALIZERS: Registry[Normalizer] = Registry("normalizer")

# The blocks that BERT means by Chinese characters; the gap before U+2B920 is in the original.
_CHINESE = "".join(
    f"\\x{{{first:X}}}-\\x{{{last:X}}}"
    for first, last in (
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F),
        (0x2B920, 0x2CEAF),
        (0xF900, 0xFAFF),
        (0x2F800, 0x2FA1F),
    )
)

# Their encodings show the first bytes of characters of four bytes.
_PLANE_STARTS = (0x10000, 0x40000, 0x80000, 0xC0000, 0x100000)


def chain(steps: Sequence[Normalizer]) -> Normalizer:
    """Makes one normalizer of several.

    Args:
        steps: The normalizers, in order.

    Returns:
        A normalizer.
    """

    def apply(texts: Any) -> Any:
        for step in steps:
            texts = step(texts)
        return texts

    return apply


@NORMALIZERS.register("Sequence", "normalizers")
def _sequence(spec: Spec) -> Normalizer:
    return chain([NORMALIZERS.build(part) for part in spec["normalizers"]])


@NORMALIZERS.register(
    "BertNormalizer", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"
)
def _bert(spec: Spec) -> Normalizer:
    strip_accents = spec.get("strip_accents")
    steps: list[Normalizer] = []
    if spec["clean_text"]:
        steps.append(clean)
    if spec["handle_chinese_chars"]:
        steps.append(pad_chinese)
    if spec["lowercase"] if strip_accents is None else strip_accents:
        steps.extend([decompose, remove_accents])
    if spec["lowercase"]:
        steps.append(lowercase)
    return chain(steps)


@NORMALIZERS.register("Lowercase")
def _lowercase(spec: Spec) -> Normalizer:
    return lowercase


@NORMALIZERS.register("StripAccents")
def _strip_accents(spec: Spec) -> Normalizer:
    marks = characters.expression(characters.combining_marks())
    return lambda texts: located.replace(texts, marks, "", size=0)


@NORMALIZERS.register("NFD")
def _nfd(spec: Spec) -> Normalizer:
    return decompose


@NORMALIZERS.register("NFC")
def _nfc(spec: Spec) -> Normalizer:
    return normal_forms.normalizer(compatible=False, composed=True)


@NORMALIZERS.register("NFKC")
def _nfkc(spec: Spec) -> Normalizer:
    return normal_forms.normalizer(compatible=True, composed=True)


@NORMALIZERS.register("NFKD")
def _nfkd(spec: Spec) -> Normalizer:
    return normal_forms.normalizer(compatible=True, composed=False)


@NORMALIZERS.register("Precompiled", "precompiled_charsmap")
def _precompiled(spec: Spec) -> Normalizer:
    return precompiled.normalizer(spec["precompiled_charsmap"])


@NORMALIZERS.register("Nmt")
def _nmt(spec: Spec) -> Normalizer:
    changes = characters.changes(normalizers.Nmt())
    patterns = {
        output: characters.expression(
            frozenset(code for code in changes if changes[code] == output)
        )
        for output in set(changes.values())
    }

    def apply(texts: Any) -> Any:
        # No output is changed by another pattern: they are spaces and nothing at all.
        for output, pattern in patterns.items():
            texts = located.replace(texts, pattern, output, size=len(output))
        return texts

    return apply


@NORMALIZERS.register("Strip", "strip_left", "strip_right")
def _strip(spec: Spec) -> Normalizer:
    spaces = characters.expression(characters.whitespace())
    edges = [f"^{spaces}+"] * spec["strip_left"] + [f"{spaces}+$"] * spec["strip_right"]
    return lambda texts: located.replace(texts, "|".join(edges), "", size=0) if edges else texts


@NORMALIZERS.register("Prepend", "prepend")
def _prepend(spec: Spec) -> Normalizer:
    prefix: str = spec["prepend"]
    return lambda texts: located.prepend(texts, prefix)


@NORMALIZERS.register("Replace", "pattern", "content")
def _replace(spec: Spec) -> Normalizer:
    pattern = replacements.expression(spec["pattern"])
    content, size = replacements.escape(spec["content"]), len(spec["content"])
    return lambda texts: located.replace(texts, pattern, content, size=size)


@NORMALIZERS.register("ByteLevel")
def _byte_level(spec: Spec) -> Normalizer:
    letters: dict[int, int] = {}
    for code in (*range(0x800), 0x800, *range(0x1000, 0x10000, 0x1000), *_PLANE_STARTS):
        if not 0xD800 <= code < 0xE000:
            text = chr(code)
            outputs = normalizers.ByteLevel().normalize_str(text)
            letters.update(zip(text.encode(), map(ord, outputs), strict=True))
    spell = strings.byte_mapper(letters)
    return lambda texts: located.spell(texts, spell)


def decompose(texts: Any) -> Any:
    """Brings texts into normalization form D.

    Args:
        texts: string, (n,), or located texts.

    Returns:
        Of the same kind.
    """
    return located.recode(texts, decomposition.decompose, _decompose)


def _decompose(texts: CodePoints) -> CodePoints:
    return normal_forms.code_point_form(compatible=False, composed=False)(texts)


def clean(texts: Any) -> Any:
    """Removes control characters and turns every kind of white space into a space.

    Args:
        texts: string, (n,), or located texts.

    Returns:
        Of the same kind.
    """
    removed, spaces = characters.cleaned()
    texts = located.replace(texts, characters.expression(removed), "", size=0)
    spaces -= {ord(" ")}
    return located.replace(texts, characters.expression(spaces), " ", size=1)


def pad_chinese(texts: Any) -> Any:
    """Sets every Chinese character between spaces.

    Args:
        texts: string, (n,), or located texts.

    Returns:
        Of the same kind.
    """
    return located.replace(texts, f"[{_CHINESE}]", r" \0 ", size=3)


def remove_accents(texts: Any) -> Any:
    """Removes nonspacing marks, as BERT does.

    Args:
        texts: string, (n,), or located texts.

    Returns:
        Of the same kind.
    """
    return located.replace(texts, characters.expression(characters.accents()), "", size=0)


def lowercase(texts: Any) -> Any:
    """Lower-cases every character on its own.

    `tf.strings.lower(encoding="utf-8")` will not do: it follows the machine's locale, looks at
    neighbours (final sigma), knows older tables and cuts texts at NUL.

    Args:
        texts: string, (n,), or located texts.

    Returns:
        Of the same kind.
    """
    single, longer = _lower_cases()
    texts = located.change(texts, tf.strings.lower)  # ASCII only
    for code, output in longer.items():
        pattern = characters.expression(frozenset({code}))
        texts = located.replace(texts, pattern, output, size=len(output))
    return located.change(texts, _lower_mapper()) if single else texts


@lru_cache
def _lower_cases() -> tuple[dict[int, int], dict[int, str]]:
    """Non-ASCII characters with lower cases of one character, and of several."""
    changes = {code: output for code, output in characters.lowercased().items() if code > 127}
    single = {code: ord(output) for code, output in changes.items() if len(output) == 1}
    return single, {code: output for code, output in changes.items() if code not in single}


@lru_cache
def _lower_mapper() -> Normalizer:
    return strings.mapper(_lower_cases()[0])
