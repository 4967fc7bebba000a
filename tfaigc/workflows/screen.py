"""What the workflows print: facts, remarks, results and the next command."""

from __future__ import annotations

import json
import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Screen:
    """A console with one layout for all verbs.

    Args:
        stderr: Whether to write to stderr, because stdout carries data.
        quiet: Whether to leave out everything but results.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        self.console = Console(stderr=stderr, highlight=False, soft_wrap=True)
        self.quiet = quiet

    def fact(self, name: str, value: str) -> None:
        """Prints one line of what is read, built or written."""
        if not self.quiet:
            self.result_fact(name, value)

    def result_fact(self, name: str, value: str) -> None:
        """Prints one line of a description that was asked for, quiet or not."""
        self.console.print(f"[bold]{escape(name):<12}[/bold] {escape(value)}")

    def remark(self, text: str) -> None:
        """Prints a sentence that is not a result."""
        if not self.quiet:
            self.console.print(escape(text))

    def result(self, text: str) -> None:
        """Prints a line that is what the user came for, quiet or not."""
        self.console.print(escape(text))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints results in columns."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """Shows on a terminal that something takes a while."""
        if self.quiet or not self.console.is_terminal:
            return nullcontext()
        return self.console.status(text)

    def next_command(self, *words: str) -> None:
        """Prints the command to run next, ready to copy.

        Args:
            words: The verb and what stands behind it.
        """
        self.next_line(command_line(*words))

    def next_line(self, line: str) -> None:
        """Prints what to type next where that is no command of ours.

        Args:
            line: As a shell takes it.
        """
        if not self.quiet:
            self.console.print("\n[bold]Next:[/bold]")
            self.console.print(f"  {escape(line)}")

    @contextmanager
    def showing_log(self, name: str, level: int) -> Iterator[None]:
        """Prints the log lines of a logger, and of those below it, for a while.

        Args:
            name: The logger.
            level: The lowest level to print.
        """
        logger, lines = logging.getLogger(name), _LogLines(self)
        former = logger.level, logger.propagate
        logger.setLevel(level)
        logger.propagate = False
        logger.addHandler(lines)
        try:
            yield
        finally:
            logger.removeHandler(lines)
            logger.setLevel(former[0])
            logger.propagate = former[1]


def command_line(*words: str) -> str:
    """Writes a command of ours so that it works where this process was started.

    Args:
        words: The verb and what stands behind it.

    Returns:
        The line for a shell: ``tfaigc …``, or ``PYTHON -m tfaigc …`` where that was typed.
    """
    return shlex.join([*_program(), *words])


def count_of(number: int) -> str:
    """Writes a number of parameters.

    Example:
        >>> count_of(22_713_216), count_of(40_200)
        ('22.7 M', '40,200')
    """
    return f"{number / 1e6:.1f} M" if number >= 1_000_000 else f"{number:,}"


def plain(value: object) -> str:
    """Writes a setting for a description.

    Example:
        >>> plain(["negative", "positive"]), plain({"a": 1}), plain(128)
        ('negative, positive', '{"a": 1}', '128')
    """
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def typed_command() -> str:
    """Writes the command that started this process, as the shell took it."""
    return command_line(*sys.argv[1:])


def _program() -> list[str]:
    typed = sys.orig_argv
    if "-m" in typed[:-1]:
        module = typed.index("-m") + 1
        if typed[module] == "tfaigc":
            return typed[: module + 1]
    return ["tfaigc"]


class _LogLines(logging.Handler):
    """Log records as remarks."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        text = escape(record.getMessage())
        if record.levelno >= logging.WARNING:
            text = f"[yellow]{record.levelname.lower()}:[/yellow] {text}"
        self._screen.console.print(text)
