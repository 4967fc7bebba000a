"""What the regular expressions of tokenizer.json are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tfaigc.tokenizers.characters import CharacterSet


@dataclass(frozen=True)
class Characters:
    """One character of a set."""

    members: CharacterSet
    text: str


@dataclass(frozen=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """The first of the options that matches."""

    options: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """A part several times; `quantifier` is written as in the pattern."""

    part: Node
    quantifier: str
    possessive: bool = False

    @property
    def optional(self) -> bool:
        """Whether no time at all will do."""
        return self.quantifier[0] in "*?" or re.match(r"\{0*[,}]", self.quantifier) is not None


@dataclass(frozen=True)
class Ahead:
    r"""The end of a repetition, `(?!...)`, that must not be followed by some characters.

    RE2 cannot look ahead. In `\s+(?!\S)` only the last white space before other characters is out
    of bounds: it is marked beforehand, and the repetition does not run over marks.
    """

    members: CharacterSet


Node = Characters | Sequence | Choice | Repeat | Ahead


def may_be_empty(node: Node) -> bool:
    """Whether a part may match the empty text.

    Args:
        node: The part.

    Returns:
        Whether it may.
    """
    if isinstance(node, Sequence):
        return all(may_be_empty(part) for part in node.parts)
    if isinstance(node, Choice):
        return any(may_be_empty(option) for option in node.options)
    return isinstance(node, Ahead) or (isinstance(node, Repeat) and node.optional)


def first_characters(node: Node) -> CharacterSet:
    """Lists the characters that a match may begin with.

    Args:
        node: The part.

    Returns:
        The code points.
    """
    if isinstance(node, Characters):
        return node.members
    if isinstance(node, Repeat):
        return first_characters(node.part)
    if isinstance(node, Choice):
        return frozenset().union(*map(first_characters, node.options))
    found: CharacterSet = frozenset()
    for part in node.parts if isinstance(node, Sequence) else ():
        found |= first_characters(part)
        if not may_be_empty(part):
            break
    return found
