"""Sets of characters as the Rust tokenizer sees them, found by asking it.

The Rust tokenizer, ICU, RE2 and Python carry tables of different Unicode versions. Asking the
Rust tokenizer about every character makes the compiled graph follow its tables, whatever versions
are installed here or on the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

CharacterSet = frozenset[int]

# Blocks in which all characters behave alike are asked about by their first characters only:
# ideographs, Hangul syllables, surrogates, private use. Planes 4 to 13 hold no characters.
_ALIKE = (
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xAC00, 0xD7A4),
    range(0xE000, 0xF900),
    range(0xF0000, 0xFFFFE),
    range(0x100000, 0x10FFFE),
)
_PLANES = (0, 1, 14)
_SURROGATES = range(0xD800, 0xE000)

SEPARATOR = "\ue000"
"""A private character, with which nothing combines, between what a normalizer is asked about."""


@lru_cache
def codepoints() -> tuple[int, ...]:
    """The code points that are asked about, in order."""
    found = {code for plane in _PLANES for code in range(plane << 16, (plane + 1) << 16)}
    found.difference_update(_SURROGATES, *_ALIKE)
    found.update(block[0] for block in _ALIKE)
    return tuple(sorted(found))


def mapping(normalizer: normalizers.Normalizer, *, separator: str = "|") -> dict[int, str]:
    """Asks a normalizer what becomes of each character.

    Args:
        normalizer: A normalizer of the Rust tokenizer.
        separator: A character that it keeps, and that nothing combines with.

    Returns:
        The characters that it changes, each with its replacement.
    """
    codes = [code for code in codepoints() if code != ord(separator)]
    outputs = normalizer.normalize_str(separator.join(map(chr, codes))).split(separator)
    changed = {
        code: output for code, output in zip(codes, outputs, strict=True) if output != chr(code)
    }
    for block in _ALIKE:
        if changed.get(block[0]) == "":
            changed.update(dict.fromkeys(block, ""))
    return changed


@lru_cache
def every_codepoint() -> tuple[int, ...]:
    """The code points that may be characters, in order.

    Planes 15 and 16, which are private, and the character that separates questions are left out.
    """
    planes = (range(plane << 16, (plane + 1) << 16) for plane in (0, 1, 2, 3, 14))
    left_out = {*_SURROGATES, ord(SEPARATOR)}
    return tuple(code for plane in planes for code in plane if code not in left_out)


def changes(normalizer: normalizers.Normalizer) -> dict[int, str]:
    """Asks a normalizer what becomes of each character, with no shortcuts for blocks.

    Args:
        normalizer: A normalizer of the Rust tokenizer that keeps private characters.

    Returns:
        The characters that it changes, each with its replacement.
    """
    codes = every_codepoint()
    outputs = normalizer.normalize_str(SEPARATOR.join(map(chr, codes))).split(SEPARATOR)
    answers = zip(codes, outputs, strict=True)
    return {code: output for code, output in answers if output != chr(code)}


@lru_cache
def cleaned() -> tuple[CharacterSet, CharacterSet]:
    """The characters that BERT's cleaning removes, and those that it turns into spaces."""
    changed = mapping(
        normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False
        )
    )
    removed = frozenset(code for code, output in changed.items() if output == "")
    spaces = frozenset(code for code, output in changed.items() if output == " ")
    return removed, spaces


@lru_cache
def accents() -> CharacterSet:
    """The nonspacing marks, which BERT removes with the accents."""
    changed = mapping(
        normalizers.BertNormalizer(
            clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False
        )
    )
    return frozenset(code for code, output in changed.items() if output == "")


@lru_cache
def combining_marks() -> CharacterSet:
    """The marks of all kinds, which the normalizer StripAccents removes."""
    return frozenset(mapping(normalizers.StripAccents()))


@lru_cache
def lowercased() -> dict[int, str]:
    """The characters that lower-casing changes, each with its lower case."""
    return mapping(normalizers.Lowercase())


@lru_cache
def whitespace() -> CharacterSet:
    """The characters that count as white space between words."""
    return _isolated(pre_tokenizers.WhitespaceSplit(), kept=False)


@lru_cache
def word() -> CharacterSet:
    """The characters next to which an added token is no word of its own."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0, "=": 1}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("=", single_word=True, normalized=False)])
    codes = [code for code in every_codepoint() if code != ord("=")]
    encoding = tokenizer.encode("\x01".join(f"{chr(code)}=" for code in codes))
    # A character, the token and a separator: three places each.
    apart = {
        start // 3
        for token, (start, _) in zip(encoding.ids, encoding.offsets, strict=True)
        if token == 1
    }
    return frozenset(code for index, code in enumerate(codes) if index not in apart)


@lru_cache
def punctuation() -> CharacterSet:
    """The characters that BERT splits off as words of their own."""
    return _isolated(pre_tokenizers.BertPreTokenizer(), kept=True)


@lru_cache
def digits() -> CharacterSet:
    """The characters that count as digits."""
    return _isolated(pre_tokenizers.Digits(individual_digits=True), kept=True)


@lru_cache(maxsize=256)
def expression(characters: CharacterSet) -> str:
    r"""Writes a set of characters as a class of a regular expression for RE2.

    Args:
        characters: The code points; at least one.

    Returns:
        The class, in brackets.

    Example:
        >>> expression(frozenset(b"abcx"))
        '[\\x{61}-\\x{63}\\x{78}]'
    """
    parts = []
    for first, last in _ranges(characters):
        parts.append(f"\\x{{{first:x}}}" + (f"-\\x{{{last:x}}}" if last > first else ""))
    return f"[{''.join(parts)}]"


def _ranges(characters: Iterable[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for code in sorted(characters):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def _isolated(pre_tokenizer: pre_tokenizers.PreTokenizer, *, kept: bool) -> CharacterSet:
    """Asks a pre-tokenizer which characters break a word; `kept` ones become words."""
    letter = "a"
    codes = [code for code in codepoints() if chr(code) != letter]
    text = letter + "".join(chr(code) + letter for code in codes)
    words = pre_tokenizer.pre_tokenize_str(text)
    if kept:
        return frozenset(ord(word) for word, _ in words if len(word) == 1 and word != letter)
    ends = [end for _, (_, end) in words[:-1]]
    return frozenset(ord(text[end]) for end in ends)
