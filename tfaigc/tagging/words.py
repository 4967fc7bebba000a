"""Words of texts that nobody has cut into words before."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache

APOSTROPHES = "'\u2019"
"""What may begin a short ending, as in "Berlin's"."""

MOST_IN_ENDING = 2
"""Most letters behind an apostrophe that begins a word of its own."""

# Punctuation that belongs to the word it stands at: hash tags, names of users, percentages.
_KEPT = frozenset("#@%&_")
# Scripts without spaces between words: Han, kana, Thai, Lao, Tibetan, Myanmar, Khmer.
_UNSPACED = (
    *((0x0E00, 0x0E80), (0x0E80, 0x0F00), (0x0F00, 0x1000), (0x1000, 0x10A0), (0x1780, 0x1800)),
    *((0x3040, 0x3100), (0x31F0, 0x3200), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00)),
    *((0xFF66, 0xFFA0), (0x20000, 0x323B0)),
)


class Kind(IntEnum):
    """What a character is to the words around it."""

    SPACE = 0
    LETTER = 1
    PUNCTUATION = 2
    UNSPACED = 3


def kind_of(character: str) -> Kind:
    """Says what a character is to the words around it.

    Example:
        >>> [kind_of(each).name for each in "a1 ,#字"]
        ['LETTER', 'LETTER', 'SPACE', 'PUNCTUATION', 'LETTER', 'UNSPACED']
    """
    if character.isspace():
        return Kind.SPACE
    if unicodedata.category(character).startswith("P"):
        return Kind.LETTER if character in _KEPT else Kind.PUNCTUATION
    code = ord(character)
    unspaced = any(first <= code < behind for first, behind in _UNSPACED)
    return Kind.UNSPACED if unspaced else Kind.LETTER


@lru_cache
def kind_ranges() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lists where, among all code points, characters of another kind begin.

    Returns:
        The first code point of each range, in order, and the range's kind.
    """
    # Behind the first two planes there is neither white space nor punctuation.
    codes = [*range(0x20000), *(code for block in _UNSPACED for code in block if code >= 0x20000)]
    kinds = ((code, kind_of(chr(code))) for code in codes)
    firsts = [next(group) for _, group in itertools.groupby(kinds, key=lambda pair: pair[1])]
    return tuple(code for code, _ in firsts), tuple(int(kind) for _, kind in firsts)


def split_words(text: str) -> list[tuple[int, int]]:
    """Cuts a text into words.

    Spaces separate words. Punctuation at a word's edges stands alone; inside a word it stays, but
    an apostrophe with one or two letters behind it begins a word. What is of a script without
    spaces is one word, whose tokens are then taken one by one.

    Args:
        text: The text.

    Returns:
        For each word its first character's place, and that behind its last.

    Example:
        >>> text = "(Anglo-American) Merkel's #tag in 北京, U.S."
        >>> [text[start:end] for start, end in split_words(text)]
        ['(', 'Anglo-American', ')', 'Merkel', "'s", '#tag', 'in', '北京', ',', 'U.S', '.']
    """
    kinds = [kind_of(character) for character in text]
    words: list[tuple[int, int]] = []
    start = 0
    for run, group in itertools.groupby(kinds, key=_run):
        end = start + sum(1 for _ in group)
        if run is Kind.UNSPACED:
            words.append((start, end))
        elif run is Kind.LETTER:
            words += _split_run(text, kinds, start, end)
        start = end
    return words


def _run(kind: Kind) -> Kind:
    return Kind.LETTER if kind is Kind.PUNCTUATION else kind


def _split_run(text: str, kinds: list[Kind], start: int, end: int) -> Iterable[tuple[int, int]]:
    """Cuts what stands between spaces."""
    letters = [place for place in range(start, end) if kinds[place] is Kind.LETTER]
    if not letters:
        return _each(start, end)
    first, last = letters[0], letters[-1]
    endings = range(max(first + 1, last - MOST_IN_ENDING), last)
    cuts = [first, *(place for place in endings if text[place] in APOSTROPHES), last + 1]
    return [*_each(start, first), *itertools.pairwise(cuts), *_each(last + 1, end)]


def _each(start: int, end: int) -> list[tuple[int, int]]:
    return [(place, place + 1) for place in range(start, end)]
