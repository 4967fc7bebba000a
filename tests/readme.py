"""The README, and the blocks in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


class Block(NamedTuple):
    """A fenced block of the README."""

    language: str
    line: int
    text: str


def fenced_blocks(text: str) -> list[Block]:
    """Every fenced block; one without a language has an empty one."""
    pattern = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        Block(found[1], text.count("\n", 0, found.start()) + 1, found[2])
        for found in pattern.finditer(text)
    ]


def blocks(language: str) -> list[Block]:
    return [block for block in fenced_blocks(README) if block.language == language]


def outline(text: str) -> list[str]:
    """What each line begins with; answers and rows that come in any number count once."""
    starts = [line.split()[0] for line in text.splitlines() if line and not line[0].isspace()]
    starts = ["answer" if start in {"negative", "positive"} else start for start in starts]
    return [start for start, before in zip(starts, ["", *starts], strict=False) if start != before]
