"""The kinds of value that a recipe's keys take, each with its rule in words."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

from tfaigc.errors import suggestion
from tfaigc.recipe.values import Entry


class WrongValueError(ValueError):
    """A value breaks the rule of its key; the text, if any, is the next move."""


@dataclass(frozen=True)
class Kind:
    """What a key accepts.

    Attributes:
        rule: Completes the sentence "KEY must be …".
        parse: Makes the value of an entry, or raises `WrongValueError`.
    """

    rule: str
    parse: Callable[[Entry], object]


def text() -> Kind:
    """Some characters, taken as they were written.

    Example:
        >>> text().parse(Entry(3, "3"))
        '3'
    """

    def parse(entry: Entry) -> str:
        if entry.value is None or not isinstance(entry.raw, str) or not entry.raw.strip():
            raise WrongValueError
        return entry.raw

    return Kind("some text", parse)


def whole(minimum: int) -> Kind:
    """A whole number with a lower bound; ``3.0`` counts as 3."""

    def parse(entry: Entry) -> int:
        value = entry.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise WrongValueError
        return value

    return Kind(f"a whole number from {minimum} up", parse)


def whole_or(minimum: int, word: str) -> Kind:
    """A whole number with a lower bound, or a word.

    Example:
        >>> whole_or(0, "all").parse(Entry("all", "all"))
        'all'
    """
    number = whole(minimum)

    def parse(entry: Entry) -> object:
        return word if entry.raw == word else number.parse(entry)

    return Kind(f"{number.rule}, or {word!r}", parse)


def number(
    *,
    above: float | None = None,
    minimum: float | None = None,
    below: float | None = None,
    maximum: float | None = None,
) -> Kind:
    """A finite number within bounds.

    Example:
        >>> number(above=0, below=1).rule
        'a number above 0, below 1'
    """
    bounds = [
        ("above", above, operator.gt),
        ("from", minimum, operator.ge),
        ("below", below, operator.lt),
        ("to", maximum, operator.le),
    ]
    words = ", ".join(f"{word} {bound:g}" for word, bound, _ in bounds if bound is not None)

    def parse(entry: Entry) -> float:
        value = entry.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise WrongValueError
        inside = all(holds(value, bound) for _, bound, holds in bounds if bound is not None)
        if not inside or not math.isfinite(value):
            raise WrongValueError
        return float(value)

    return Kind(f"a number {words.replace(', to', ' to')}".rstrip(), parse)


def steps_or_share() -> Kind:
    """A count of steps, or below 1 the share of all steps."""

    def parse(entry: Entry) -> float:
        value = entry.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise WrongValueError
        if not (0 <= value < 1 or (value >= 1 and float(value).is_integer())):
            raise WrongValueError
        return value

    return Kind("a whole number of steps, or a share of all steps below 1", parse)


def flag() -> Kind:
    """A truth value."""

    def parse(entry: Entry) -> bool:
        if not isinstance(entry.value, bool):
            raise WrongValueError
        return entry.value

    return Kind("true or false", parse)


def choice(*options: str) -> Kind:
    """One of a few words."""

    def parse(entry: Entry) -> str:
        if not isinstance(entry.raw, str) or entry.raw not in options:
            raise WrongValueError(suggestion(str(entry.raw), options).strip())
        return entry.raw

    if len(options) == 1:
        return Kind(repr(options[0]), parse)
    return Kind(f"one of {', '.join(map(repr, options))}", parse)


def names() -> Kind:
    """A list of at least two names, all different."""

    def parse(entry: Entry) -> tuple[str, ...]:
        if not isinstance(entry.raw, tuple):
            raise WrongValueError("Write it as [negative, positive].")
        listed = tuple(name.strip() for name in entry.raw)
        if len(listed) < 2 or not all(listed) or len(set(listed)) < len(listed):
            raise WrongValueError
        return listed

    return Kind("a list of two or more different names", parse)


def wholes(*, minimum: int) -> Kind:
    """A list of whole numbers with a lower bound."""

    def parse(entry: Entry) -> tuple[int, ...]:
        if not isinstance(entry.raw, tuple):
            raise WrongValueError("Write it as [384, 128].")
        try:
            listed = tuple(int(each) for each in entry.raw)
        except ValueError:
            raise WrongValueError from None
        if not listed or min(listed) < minimum:
            raise WrongValueError
        return listed

    return Kind(f"a list of whole numbers from {minimum} up", parse)


def numbers(*, minimum: float) -> Kind:
    """A list of finite numbers with a lower bound."""

    def parse(entry: Entry) -> tuple[float, ...]:
        if not isinstance(entry.raw, tuple):
            raise WrongValueError("Write it as [1, 2.5].")
        try:
            listed = tuple(float(each) for each in entry.raw)
        except ValueError:
            raise WrongValueError from None
        if not listed or not all(minimum <= each < math.inf for each in listed):
            raise WrongValueError
        return listed

    return Kind(f"a list of numbers from {minimum:g} up", parse)


def assignments() -> Kind:
    """A list of keys with values; it may be empty.

    Example:
        >>> assignments().parse(Entry(["d_model=8"], ("d_model=8",)))
        ('d_model=8',)
    """

    def parse(entry: Entry) -> tuple[str, ...]:
        given = entry.raw if isinstance(entry.raw, tuple) else (entry.raw,)
        if not all(each.partition("=")[0].strip() and "=" in each for each in given):
            raise WrongValueError("Write it as [hidden_size=128, num_layers=3].")
        return given

    return Kind("a list of key=value", parse)


def some_of(*options: str) -> Kind:
    """A list of words out of a few, none twice; it may be empty."""

    def parse(entry: Entry) -> tuple[str, ...]:
        given = entry.raw if isinstance(entry.raw, tuple) else (entry.raw,)
        for word in given:
            if word not in options:
                raise WrongValueError(suggestion(word, options).strip())
        if len(set(given)) < len(given):
            raise WrongValueError
        return given

    return Kind(f"a list out of {', '.join(map(repr, options))}", parse)


def optional(kind: Kind) -> Kind:
    """A kind that may also be left open with ``null``."""

    def parse(entry: Entry) -> object:
        return None if entry.value is None else kind.parse(entry)

    return Kind(f"{kind.rule}, or null", parse)
