"""Shows how far a download is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

# Called with what is fetched and its size in bytes (None: unknown); the context it gives yields a
# function to call with the number of bytes that came since.
Progress: TypeAlias = Callable[[str, "int | None"], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def show_progress(description: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Shows a bar on a terminal or in a notebook, otherwise one line before and one after.

    Args:
        description: What is fetched.
        size: Its bytes, or None where unknown.

    Yields:
        A function to call with the number of bytes that came since the last call.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        amount = "" if size is None else f" ({size / 1e6:.1f} MB)"
        sys.stderr.write(f"Fetching {description}{amount}\n")
        yield lambda count: None
        sys.stderr.write(f"Fetched {description}\n")
        return

    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(description, total=size)
        yield lambda count: bar.advance(task, count)
