r"""Regular expressions of tokenizer.json in the language of RE2.

The Rust tokenizer matches with Oniguruma, TensorFlow with RE2, and their classes of characters come
from different versions of Unicode. So an expression is taken apart, the Rust tokenizer is asked
which characters each of its classes means, and they are listed for RE2. What remains, alternatives
and repetitions, means the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tfaigc.tokenizers import characters
from tfaigc.tokenizers.characters import CharacterSet
from tfaigc.tokenizers.split_parser import parse, refuse
from tfaigc.tokenizers.split_tree import (
    Ahead,
    Characters,
    Choice,
    Node,
    Repeat,
    Sequence,
    first_characters,
    may_be_empty,
)

# Comes before a character that `(?!...)` must not let a repetition end at; see `Ahead`.
_MARK = b"\xed\xa0\x81"
_MARK_EXPRESSION = r"\x{D801}"


@dataclass(frozen=True)
class Pattern:
    """An expression for RE2.

    Attributes:
        expression: The expression, on marked texts where there is `ahead`.
        ahead: Matches the places before which `mark` is to be set first; empty if none.
        mark: The mark.
        mark_expression: The mark for RE2.
    """

    expression: str
    ahead: str = ""
    mark: bytes = _MARK
    mark_expression: str = _MARK_EXPRESSION


def literal(text: str) -> Pattern:
    """Makes the pattern that matches a text itself.

    Args:
        text: The text, not empty.

    Returns:
        The pattern.
    """
    return Pattern("".join(f"\\x{{{ord(char):x}}}" for char in text))


def of_characters(members: CharacterSet, *, repeated: bool = False) -> Pattern:
    """Makes the pattern that matches one of some characters, or as many as there are.

    Args:
        members: Code points.
        repeated: Whether to match several at once.

    Returns:
        The pattern.
    """
    return Pattern(characters.expression(members) + ("+" if repeated else ""))


@lru_cache
def translate(text: str) -> Pattern:
    """Translates an expression of the Rust tokenizer.

    Args:
        text: The expression.

    Returns:
        The pattern.

    Raises:
        TokenizerError: The expression cannot be translated exactly.
    """
    tree = parse(text)
    if may_be_empty(tree):
        refuse(text, "must not match the empty text")
    return _Writer(text, tree).write()


class _Writer:
    """Writes a tree as an expression for RE2."""

    def __init__(self, text: str, tree: Node) -> None:
        self.text = text
        self.options = tree.options if isinstance(tree, Choice) else (tree,)
        self.repeated: CharacterSet = frozenset()
        self.ahead = ""
        for index, option in enumerate(self.options):
            self._find_ahead(option, self.options[index + 1 :])

    def write(self) -> Pattern:
        written = [self._option(option) for option in self.options]
        return Pattern("|".join(written), self.ahead)

    def _find_ahead(self, option: Node, later: tuple[Node, ...]) -> None:
        if not (isinstance(option, Sequence) and isinstance(option.parts[-1], Ahead)):
            return
        repeat, ahead = option.parts[0], option.parts[-1]
        if not (
            len(option.parts) == 2
            and isinstance(repeat, Repeat)
            and isinstance(repeat.part, Characters)
            and repeat.quantifier == "+"
            and not repeat.possessive
            and repeat.part.members.isdisjoint(ahead.members)
            and any(_matches_each(other, repeat.part.members) for other in later)
            and not self.ahead
        ):
            refuse(self.text, r"must look ahead only as in '\s+(?!\S)|\s+'")
        self.repeated = repeat.part.members
        self.ahead = characters.expression(self.repeated) + characters.expression(ahead.members)

    def _option(self, option: Node) -> str:
        if not isinstance(option, Sequence):
            return self._write(option)
        if isinstance(option.parts[-1], Ahead) and isinstance(option.parts[0], Repeat):
            return characters.expression(self.repeated) + "+"
        written = []
        for index, part in enumerate(option.parts):
            rest = Sequence(option.parts[index + 1 :])
            if isinstance(part, Repeat) and part.possessive and self._may_give_back(part, rest):
                part = Repeat(part.part, part.quantifier)
            written.append(self._write(part))
        return "".join(written)

    def _may_give_back(self, part: Repeat, rest: Node) -> bool:
        """Whether it changes nothing that a possessive repetition gives characters back."""
        single = isinstance(part.part, Characters)
        return single and (
            may_be_empty(rest) or first_characters(part.part).isdisjoint(first_characters(rest))
        )

    def _write(self, node: Node) -> str:
        if isinstance(node, Characters):
            if not node.members:
                refuse(self.text, f"must have no empty class like {node.text!r}")
            one = characters.expression(node.members)
            marked = not self.repeated.isdisjoint(node.members)
            return f"(?:{_MARK_EXPRESSION}?{one})" if marked else one
        if isinstance(node, Sequence):
            return "".join(map(self._write, node.parts))
        if isinstance(node, Choice):
            return f"(?:{'|'.join(map(self._write, node.options))})"
        if isinstance(node, Ahead) or node.possessive:
            refuse(self.text, "must neither look ahead nor be possessive inside of groups")
        return f"(?:{self._write(node.part)}){node.quantifier}"


def _matches_each(node: Node, members: CharacterSet) -> bool:
    """Whether an option matches each of some characters on its own."""
    if isinstance(node, Sequence) and len(node.parts) == 1:
        node = node.parts[0]
    if isinstance(node, Repeat):
        if node.quantifier != "+":
            return False
        node = node.part
    return isinstance(node, Characters) and node.members >= members
