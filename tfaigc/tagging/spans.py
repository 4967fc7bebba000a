"""Entities among tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Tag(NamedTuple):
    """What a tag says of a word.

    Attributes:
        prefix: "B", "I", "E" or "S" for the first, an inner, the last and the only word of an
            entity; "O" outside.
        label: The entity's type; empty outside, "_" where the scheme names no types.
    """

    prefix: str
    label: str


class Span(NamedTuple):
    """An entity among words.

    Attributes:
        start: Its first word.
        end: The word behind its last.
        label: Its type.
    """

    start: int
    end: int
    label: str


OUTSIDE = Tag("O", "")
NO_TYPE = "_"

_TAG = re.compile(r"([BIESMLU])(?:-(.+))?", re.DOTALL)
# What BMES and BILOU call the same.
_PREFIXES = {"M": "I", "L": "E", "U": "S"}


def parse_tag(name: str) -> Tag | None:
    """Reads a tag of BIO, BIOES, BMES or BILOU.

    Args:
        name: The tag.

    Returns:
        What it says; None for what is no tag of these schemes.

    Example:
        >>> parse_tag("M-PER"), parse_tag("O"), parse_tag("NN")
        (Tag(prefix='I', label='PER'), Tag(prefix='O', label=''), None)
    """
    if name == OUTSIDE.prefix:
        return OUTSIDE
    found = _TAG.fullmatch(name)
    if found is None:
        return None
    return Tag(_PREFIXES.get(found[1], found[1]), found[2] or NO_TYPE)


def begins(before: Tag, tag: Tag) -> bool:
    """Says whether an entity begins at a tag, as the script conlleval of CoNLL-2000 does.

    Args:
        before: The tag of the word before it.
        tag: The tag.

    Returns:
        Whether one begins, for ill-formed sequences too.
    """
    if tag.prefix == OUTSIDE.prefix:
        return False
    return tag.prefix in "BS" or before.prefix in "OES" or before.label != tag.label


def find_spans(tags: Sequence[str]) -> list[Span]:
    """Finds the entities of a sentence.

    Sequences that are ill-formed are read as the script conlleval of CoNLL-2000 reads them, and
    seqeval after it: an inner word without a first one begins an entity.

    Args:
        tags: A tag for each word, in any of the schemes.

    Returns:
        The entities in their order; what is no tag of the schemes is outside of them.

    Example:
        >>> find_spans(["B-PER", "I-PER", "O", "I-LOC"])
        [Span(start=0, end=2, label='PER'), Span(start=3, end=4, label='LOC')]
    """
    spans: list[Span] = []
    before = OUTSIDE
    for place, name in enumerate(tags):
        tag = parse_tag(name) or OUTSIDE
        if begins(before, tag):
            spans.append(Span(place, place + 1, tag.label))
        elif tag is not OUTSIDE:
            spans[-1] = spans[-1]._replace(end=place + 1)
        before = tag
    return spans
