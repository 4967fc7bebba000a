"""Class names: where they come from, and how a stored head's classes get into their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tfaigc.errors import ConfigError


@dataclass(frozen=True)
class HeadChoice:
    """Which classes a model has, and what becomes of the checkpoint's head.

    Args:
        labels: The class names in their order.
        order: For each class the row that it has in the stored head, or None where the head is
            not loaded.
        reason: Why the stored head is not loaded; empty where it is.
    """

    labels: tuple[str, ...]
    order: tuple[int, ...] | None
    reason: str = ""


def choose_head(
    given: Sequence[str] | None,
    stored: Sequence[str] | None,
    *,
    reason: str = "the checkpoint has none",
    at_least: int = 2,
) -> HeadChoice:
    """Decides between the given labels and those of the checkpoint.

    The stored head is kept where it is for the given labels: for the same names in any order, or
    for as many outputs without names of their own.

    Args:
        given: The labels that the caller wants, or None.
        stored: The labels of the checkpoint's head, or None where it has no head of this kind.
        reason: Why there is none, where there is none.
        at_least: The fewest labels that a head can have.

    Returns:
        The labels, and what becomes of the head.

    Raises:
        ConfigError: There are no labels, too few, or some twice.

    Example:
        >>> choose_head(["good", "bad"], ["bad", "good"])
        HeadChoice(labels=('good', 'bad'), order=(1, 0), reason='')
    """
    if given is None:
        if stored is None:
            raise ConfigError(
                "labels must be given for a checkpoint without a classifier. Received: none. "
                "Pass labels=[...] with the names of the classes."
            )
        return HeadChoice(tuple(stored), tuple(range(len(stored))))
    labels = check_labels(given, at_least=at_least)
    if stored is None:
        return HeadChoice(labels, None, reason)
    if set(labels) == set(stored):
        return HeadChoice(labels, tuple(list(stored).index(name) for name in labels))
    nameless = [f"LABEL_{index}" for index in range(len(labels))]
    if list(stored) == nameless:
        return HeadChoice(labels, tuple(range(len(labels))))
    return HeadChoice(labels, None, f"the checkpoint's is for {', '.join(stored)}")


def check_labels(labels: Sequence[str], *, at_least: int = 2) -> tuple[str, ...]:
    """Checks the names of classes or numbers.

    Args:
        labels: The names in their order.
        at_least: The fewest that there can be.

    Returns:
        The same, as a tuple.

    Raises:
        ConfigError: They are not a list of so many distinct, non-empty strings.
    """
    faulty = isinstance(labels, str) or not all(isinstance(name, str) and name for name in labels)
    if faulty or len(labels) < at_least or len(set(labels)) < len(labels):
        raise ConfigError(
            f"labels must be a list of distinct, non-empty strings, at least {at_least} of them. "
            f"Received: {labels!r}."
        )
    return tuple(labels)
