"""What the normalizer Replace looks for, in the language of RE2."""

from __future__ import annotations

from typing import Any

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import split_patterns
from tfaigc.tokenizers.registry import Spec


def expression(pattern: Spec) -> str:
    r"""Writes a pattern as a regular expression for RE2.

    Args:
        pattern: "pattern" of tokenizer.json: an object with one string, "String" or "Regex".

    Returns:
        The expression.

    Raises:
        TokenizerError: The pattern is empty, or cannot be written for RE2.

    Example:
        >>> expression({"String": "``"})
        '\\x{60}\\x{60}'
    """
    kind, text = next(iter(pattern.items()))
    if kind == "Regex":
        translated = split_patterns.translate(text)
        if not translated.ahead:
            return translated.expression
    if kind != "String" or not text:
        _refuse(pattern)
    return "".join(f"\\x{{{ord(char):x}}}" for char in text)


def escape(content: str) -> str:
    r"""Writes a replacement so that RE2 takes it literally.

    Args:
        content: The replacement.

    Returns:
        The replacement for RE2.

    Example:
        >>> print(escape(r"\0"))
        \\0
    """
    return content.replace("\\", r"\\")


def _refuse(pattern: Any) -> None:
    raise TokenizerError(
        "A normalizer of type 'Replace' must look for a string that is not empty, or for a regular "
        f"expression that does not look ahead, to run in the graph. Received: {dict(pattern)}. "
        "Use encode, or correct it in tokenizer.json."
    )
