"""Taking apart the regular expressions of tokenizer.json, as the Rust tokenizer reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
from tokenizers import Regex, normalizers

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import characters
from tfaigc.tokenizers.characters import CharacterSet
from tfaigc.tokenizers.split_tree import (
    Ahead,
    Characters,
    Choice,
    Node,
    Repeat,
    Sequence,
    may_be_empty,
)

# Escapes that are no characters: anchors, references, sequences.
_NOT_CHARACTERS = frozenset("AbBzZGKRXkgyYQEcCM123456789")
_QUANTIFIER = re.compile(r"[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\}")
# Blocks that classes of characters hold wholly or not at all: unassigned planes and private use.
_ALIKE = (range(0x40000, 0xE0000), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_SEPARATOR = "\x01"
_LONGEST_FOLD = 3


def parse(text: str) -> Node:
    """Takes an expression apart.

    Args:
        text: The expression.

    Returns:
        The whole as a tree.

    Raises:
        TokenizerError: The expression cannot be taken apart.
    """
    return _Parser(text).parse()


@lru_cache
def members(expression: str) -> CharacterSet:
    """Asks the Rust tokenizer which single characters an expression matches.

    Args:
        expression: A class, an escape or a character.

    Returns:
        The code points.
    """
    if len(expression) == 1 and expression != ".":
        return frozenset({ord(expression)})
    # Where a class may name single ones, characters are not alike.
    alike = expression.isascii() and not re.search(r"\\[xu]", expression)
    text = every_character(alike=alike)
    left = normalizers.Replace(Regex(expression), "").normalize_str(text)
    found = set(np.setdiff1d(_codes(text), _codes(left), assume_unique=True).tolist())
    return with_alike(found) if alike else frozenset(found)


@lru_cache
def every_character(*, alike: bool = True) -> str:
    """Lists the characters of Unicode.

    Args:
        alike: Whether to list only the first one of blocks that are alike in every respect.

    Returns:
        The characters, in order.
    """
    listed = np.ones(0x110000, bool)
    listed[0xD800:0xE000] = False
    for block in _ALIKE if alike else ():
        listed[block.start + 1 : block.stop] = False
    return np.flatnonzero(listed).astype("<u4").tobytes().decode("utf-32-le")


def _codes(text: str) -> Any:
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def with_alike(found: set[int]) -> CharacterSet:
    """Adds the rest of each block whose first character has been found.

    Args:
        found: Code points of `every_character`.

    Returns:
        The code points.
    """
    return frozenset(found.union(*(block for block in _ALIKE if block[0] in found)))


def refuse(text: str, rule: str) -> NoReturn:
    """Says that an expression cannot be translated.

    Args:
        text: The expression.
        rule: What it must be like.

    Raises:
        TokenizerError: Always.
    """
    raise TokenizerError(
        f"A regular expression {rule} to run in the graph. Received: {text!r}. "
        "Use encode, or a checkpoint with another tokenizer."
    )


@dataclass
class _Parser:
    """Takes an expression apart."""

    text: str
    place: int = 0
    folded: list[bool] = field(default_factory=lambda: [False])

    def parse(self) -> Node:
        try:
            Regex(self.text)
        except Exception as error:  # the Rust binding raises bare Exception
            refuse(self.text, f"must be valid ({error})")
        self.folded[-1] = self._take("(?i)")
        tree = self._choice()
        if self.place < len(self.text):
            refuse(self.text, "must have matching brackets")
        return tree

    def _choice(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return Choice(tuple(options)) if len(options) > 1 else options[0]

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.place < len(self.text) and self.text[self.place] not in "|)":
            parts.append(self._repeat(self._atom()))
        _check_folds(self.text, parts, folded=self.folded[-1])
        return Sequence(tuple(parts))

    def _repeat(self, part: Node) -> Node:
        found = _QUANTIFIER.match(self.text, self.place)
        if not found:
            return part
        self.place = found.end()
        quantifier = found.group()
        after = self.text[self.place : self.place + 1]
        again = _QUANTIFIER.match(self.text, self.place)
        if isinstance(part, Ahead) or (again and (len(quantifier) > 1 or after not in "+?")):
            refuse(self.text, f"must not repeat as in {quantifier + after!r}")
        if quantifier.startswith("{,"):
            quantifier = "{0" + quantifier[1:]
        self.place += len(after) if again else 0
        lazy = "?" if again and after == "?" else ""
        return self._repeat_once(Repeat(part, quantifier + lazy, bool(again) and after == "+"))

    def _repeat_once(self, part: Repeat) -> Node:
        if _QUANTIFIER.match(self.text, self.place):
            refuse(self.text, "must not repeat a repetition")
        if may_be_empty(part.part):
            refuse(self.text, "must not repeat what may be empty")
        return part

    def _atom(self) -> Node:
        start = self.place
        if self._take("(?!"):
            return self._ahead()
        if self._take("(?:"):
            return self._group(folded=self.folded[-1])
        if self._take("(?i:"):
            return self._group(folded=True)
        if self.text.startswith("(?", start):
            refuse(self.text, f"must have no group like {self.text[start : start + 4]!r}")
        if self._take("("):
            return self._group(folded=self.folded[-1])
        if self._take("["):
            self._skip_class()
        elif self._take("\\"):
            self._skip_escape()
        elif self.text[start] in "^$":
            refuse(self.text, f"must have no anchor like {self.text[start]!r}")
        else:
            self.place += 1
        return self._characters(self.text[start : self.place])

    def _ahead(self) -> Node:
        part = self._group(folded=self.folded[-1])
        if isinstance(part, Sequence) and len(part.parts) == 1:
            part = part.parts[0]
        if not isinstance(part, Characters):
            refuse(self.text, "must look ahead at single characters only")
        return Ahead(part.members)

    def _group(self, *, folded: bool) -> Node:
        self.folded.append(folded)
        part = self._choice()
        self.folded.pop()
        if not self._take(")"):
            refuse(self.text, "must have matching brackets")
        return part

    def _characters(self, text: str) -> Characters:
        if not self.folded[-1]:
            return Characters(members(text), text)
        if not text.isascii() or re.search(r"\\[^\W_]|\[:|\[\^", text):
            refuse(self.text, "must ignore the case of listed ASCII characters only")
        return Characters(members(f"(?i:{text})"), text)

    def _skip_class(self) -> None:
        self._take("^")
        if self.text.startswith("]", self.place):
            refuse(self.text, "must have no class that begins with ']'")
        while not self._take("]"):
            if self._take("[:"):
                self.place = self.text.index(":]", self.place) + 2
            elif self._take("["):
                self._skip_class()
            else:
                self.place += 2 if self.text.startswith("\\", self.place) else 1

    def _skip_escape(self) -> None:
        kind = self.text[self.place]
        if kind in _NOT_CHARACTERS:
            refuse(self.text, f"must have no escape like '\\{kind}'")
        longer = re.compile(
            r"[pP]\{[^}]*\}|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|[pPxu0]?"
        ).match(self.text, self.place)
        size = len(longer.group()) if longer else 0
        if kind in "pPxu0" and size < 2:
            refuse(self.text, f"must have no escape like '\\{kind}'")
        self.place += max(size, 1)

    def _take(self, expected: str) -> bool:
        found = self.text.startswith(expected, self.place)
        self.place += len(expected) if found else 0
        return found


def _check_folds(text: str, parts: list[Node], *, folded: bool) -> None:
    """Refuses sequences that match a single character too when case is ignored, like "ss"."""
    if not folded:
        return
    singles = _SEPARATOR.join(map(chr, characters.codepoints()))
    for start in range(len(parts)):
        for end in range(start + 2, min(start + _LONGEST_FOLD, len(parts)) + 1):
            some = parts[start:end]
            if not all(isinstance(part, Characters) for part in some):
                break
            sequence = "".join(part.text for part in some if isinstance(part, Characters))
            normalizer = normalizers.Replace(Regex(f"(?i:{sequence})"), "")
            if normalizer.normalize_str(singles) != singles:
                refuse(text, f"must not ignore the case of {sequence!r}")
