"""Checks of what callers pass to a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tfaigc.errors import ConfigError, DataError


def check_texts(texts: Iterable[str], *, name: str = "texts") -> list[str]:
    """Checks that every entry is a string.

    Args:
        texts: What the caller passed.
        name: The argument's name, for the messages.

    Returns:
        The texts as a list.

    Raises:
        DataError: `texts` is a single string, or an entry is not a string.

    Example:
        >>> check_texts(("a", "b"))
        ['a', 'b']
        >>> check_texts("a")
        Traceback (most recent call last):
        tfaigc.errors.DataError: texts must be a list of strings. Received: one str. Pass [text].
    """
    if isinstance(texts, (str, bytes)):
        raise DataError(
            f"{name} must be a list of strings. Received: one {type(texts).__name__}. Pass [text]."
        )
    if not isinstance(texts, Iterable):
        raise DataError(
            f"{name} must be a list of strings. Received: {type(texts).__name__}. "
            "Pass a list such as ['a text']."
        )
    checked = list(texts)
    for index, text in enumerate(checked):
        if not isinstance(text, str):
            raise DataError(
                f"{name}[{index}] must be a string. Received: {type(text).__name__} "
                f"({_short(text)}). Remove it or convert it with str()."
            )
    return checked


def check_same_length(texts: list[str], pairs: list[str]) -> None:
    """Checks that every text has its pair.

    Args:
        texts: The first texts.
        pairs: The second texts.

    Raises:
        DataError: The lengths differ.

    Example:
        >>> check_same_length(["a"], ["b"])
    """
    if len(texts) != len(pairs):
        raise DataError(
            "texts and pairs must have the same length. "
            f"Received: {len(texts)} texts and {len(pairs)} pairs. Pass one pair for every text."
        )


def check_max_length(max_length: int | None, *, added: int) -> int | None:
    """Checks a length limit, which counts the special tokens.

    Args:
        max_length: The limit, or None.
        added: How many special tokens the post-processor adds.

    Returns:
        The limit as an int, or None.

    Raises:
        ConfigError: The limit is no integer, or has no room for the special tokens.

    Example:
        >>> check_max_length(8, added=2)
        8
        >>> check_max_length(1, added=2)
        Traceback (most recent call last):
        tfaigc.errors.ConfigError: max_length must be at least 2, the number of special tokens
        that are added. Received: 1. Pass a larger max_length, or None for no limit.
    """
    if max_length is None:
        return None
    if isinstance(max_length, bool) or not hasattr(max_length, "__index__"):
        raise ConfigError(
            f"max_length must be an integer or None. Received: {max_length!r} "
            f"({type(max_length).__name__}). Pass max_length=128, say."
        )
    limit = max_length.__index__()
    least = max(added, 1)
    if limit < least:
        why = ", the number of special tokens that are added" if added else ""
        raise ConfigError(
            f"max_length must be at least {least}{why}. Received: {limit}. "
            "Pass a larger max_length, or None for no limit."
        )
    return limit


def find_lone_surrogate(texts: list[str], *, name: str) -> str | None:
    """Describes the first text that is not valid Unicode.

    Args:
        texts: The texts to look through.
        name: The argument's name, for the message.

    Returns:
        A message, or None where every text can be written as UTF-8.

    Example:
        >>> find_lone_surrogate(["a"], name="texts") is None
        True
    """
    for index, text in enumerate(texts):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            return (
                f"{name}[{index}] must be valid Unicode. Received: a lone surrogate "
                f"(U+{ord(text[error.start]):04X}) at character {error.start}. Decode the source "
                "with errors='replace', or remove the character."
            )
    return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
