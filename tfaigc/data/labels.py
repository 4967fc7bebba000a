"""LabelSet: class names in their order, and how labels as people write them become numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tfaigc.errors import DataError, suggestion

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
_LISTED = 20


class LabelSet:
    """Class names in their order.

    A label is a class name or, where no name is itself a number, a class number from 0. Numbers
    may be written as 1, 1.0, "1", "1.0" or True. Names are compared without the spaces around
    them.

    Args:
        names: The class names.

    Raises:
        DataError: There are no names, or one stands twice.

    Example:
        >>> labels = LabelSet(["negative", "positive"])
        >>> labels.number("positive"), labels.number(1.0), labels.number("great")
        (1, 1, None)
        >>> LabelSet(["1", "2", "3"]).number(1)
        0
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._numbers = {name.strip(): number for number, name in enumerate(self.names)}
        if not self.names or len(self._numbers) < len(self.names):
            raise DataError(
                f"labels must be distinct names of classes. Received: {list(self.names)}. "
                "Name every class once."
            )
        # Were the names 1 to 5, the number 0 would otherwise pass for the first of them.
        if not any(_NUMBER.fullmatch(name) for name in self._numbers):
            self._numbers |= {str(number): number for number in range(len(self.names))}

    @classmethod
    def of(cls, values: Iterable[Any]) -> LabelSet:
        """Collects the names that labels use.

        Args:
            values: Labels as written; missing ones and fractions do not count.

        Returns:
            The names, sorted: numbers by their value, otherwise by their characters.

        Raises:
            DataError: No value can be a name.

        Example:
            >>> LabelSet.of([10, "9", None, 10.0]).names
            ('9', '10')
        """
        names = {name for name in map(written, values) if name and not is_fraction(name)}
        by_value = all(_NUMBER.fullmatch(name) for name in names)
        if by_value:
            return cls(sorted(names, key=lambda name: (float(name), name)))
        return cls(sorted(names))

    def number(self, value: Any) -> int | None:
        """Finds a label's class.

        Args:
            value: The label as written.

        Returns:
            The class number, or None where the label is missing or unknown.
        """
        if isinstance(value, str) and (exact := self._numbers.get(value.strip())) is not None:
            return exact
        name = written(value)
        return self._numbers.get(name) if name else None

    def refusal(self, value: Any, column: str) -> str:
        """Says why a label has no class.

        Args:
            value: The label as written.
            column: The name of its column.

        Returns:
            The rule and what came.
        """
        name = written(value)
        if name == "":
            return f"{column} is missing."
        if name is None:
            kind = type(value).__name__
            return f"{column} must be a class name or a class number. Received: a {kind}."
        more = f" and {len(self.names) - _LISTED} more" if len(self.names) > _LISTED else ""
        near = {known.lower(): known for known in reversed(self.names)}.get(name.lower())
        hint = f" Did you mean {near!r}?" if near else suggestion(name, self.names)
        return (
            f"{column} must be one of {', '.join(self.names[:_LISTED])}{more}. "
            f"Received: {name!r}.{hint}"
        )


def written(value: Any) -> str | None:
    """Writes a label as text.

    Args:
        value: A label: text, a number, a truth value.

    Returns:
        The text without spaces around it, whole numbers without a fraction; "" for a missing
        label, None for what cannot be one.

    Example:
        >>> written(" good "), written(2.0), written("2.0"), written(True), written(None)
        ('good', '2', '2', '1', '')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float | str):
        text = str(value).strip()
        whole = _WHOLE.fullmatch(text)
        return whole.group(1) if whole else text
    return None


def is_fraction(name: str) -> bool:
    """Says whether a label is a number that is not whole, and so more a score than a class.

    Args:
        name: The label as text.

    Returns:
        True for "0.5", False for "2" and "good".
    """
    return bool(_NUMBER.fullmatch(name)) and "." in name
