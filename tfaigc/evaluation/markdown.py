"""Foreign text inside Markdown: harmless, on one line, and not too long."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# What Markdown could take for markup; an underscore within a word is none.
_MARKUP: Final = re.compile(r"([\\`*\[\]()#+\-.!|~$]|(?<!\w)_|_(?!\w))")
# A sign or a number that begins a list, a heading or a rule only at the start of a block.
_ONLY_AT_START: Final = frozenset("#+-.()!")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Controls, and marks that reorder the rest of the line; joiners stay, which emoji need.
_HIDDEN: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")


def shorten(text: str, limit: int) -> str:
    r"""Puts a text on one line and cuts it.

    Args:
        text: Any text.
        limit: The most characters to give back.

    Returns:
        The text with every run of white space and control characters as one space, and an
        ellipsis where something is cut off.

    Example:
        >>> shorten("two\n  lines", 100), shorten("abcdefgh", 5)
        ('two lines', 'abcd…')
    """
    spaced = "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)
    line = " ".join(_HIDDEN.sub("", spaced).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def escape(text: str, *, limit: int = 200) -> str:
    r"""Makes a text safe within a paragraph or a table's cell.

    Args:
        text: Any text.
        limit: The most characters of it to show.

    Returns:
        Markdown that shows the text as it is.

    Example:
        >>> print(escape("a | b <i>*c*</i>"))
        a \| b &lt;i&gt;\*c\*&lt;/i&gt;
        >>> print(escape("1. one"))
        1\. one
    """
    line = "".join(_ENTITIES.get(each, each) for each in shorten(text, limit))
    start = re.match(r"\d*", line)
    position = start.end() if start else 0

    def protect(match: re.Match[str]) -> str:
        if match[1] in _ONLY_AT_START and match.start() != position:
            return match[1]
        return "\\" + match[1]

    return _MARKUP.sub(protect, line)


def table(columns: list[str], rows: list[list[str]], *, numeric: list[bool]) -> str:
    """Lays out a table.

    Args:
        columns: The headings, escaped.
        rows: The cells, escaped.
        numeric: For each column, whether it is aligned to the right.

    Returns:
        Lines of a GitHub-flavoured Markdown table, without a newline at the end.

    Example:
        >>> print(table(["name", "n"], [["a", "1"]], numeric=[False, True]))
        | name | n |
        | --- | ---: |
        | a | 1 |
    """
    rule = ["---:" if each else "---" for each in numeric]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [columns, rule, *rows])
