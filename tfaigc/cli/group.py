"""The behaviour that all verbs share: quiet, verbose, debug, and how failures end."""

from __future__ import annotations

import functools
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import click

from tfaigc.cli.failures import BROKEN_PIPE, describe

if TYPE_CHECKING:
    from tfaigc.workflows.screen import Screen

Command = TypeVar("Command", bound=Callable[..., Any])
_FLAGS = "tfaigc.flags"


def _remember(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and parameter.name:
        context.meta.setdefault(_FLAGS, set()).add(parameter.name)


def shared_options(command: Command) -> Command:
    """Adds the options that stand before or behind any verb."""
    for names, meaning in (
        (("--debug",), "Show the traceback of a failure."),
        (("--verbose", "-v"), "Say more, TensorFlow's own log included."),
        (("--quiet", "-q"), "Print results and failures only."),
    ):
        command = click.option(
            *names, is_flag=True, expose_value=False, callback=_remember, help=meaning
        )(command)
    return command


def column_option(field: str, default: str | None = None) -> Callable[[Command], Command]:
    """Adds an option that names the column of a field."""
    return click.option(f"--{field}-column", default=default, show_default=default is not None)


def column_options(*fields: str) -> Callable[[Command], Command]:
    """Adds an option for each of some fields, and gives their columns as one dict, ``columns``."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def gathered(*arguments: Any, **options: Any) -> Any:
            columns = {field: options.pop(f"{field}_column") for field in fields}
            return command(*arguments, columns=columns, **options)

        found: Any = gathered
        for field in reversed(fields):
            found = column_option(field.replace("_", "-"), field)(found)
        return cast(Command, found)

    return decorate


# The fields of all that models learn from.
labelled_columns = column_options(
    *("text", "text_pair", "label", "words", "tags"),
    *("question", "context", "answers", "choices", "image"),
    *("anchor", "positive", "negative", "score", "source", "target"),
)


class VerbGroup(click.Group):
    """Verbs in the order of work; every failure is one message and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs as they were defined, not by the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a verb."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except click.NoSuchOption as error:
            hint = _without_dashes(error.option_name)
            raise click.UsageError(error.format_message() + hint, error.ctx) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            _fail(ctx, error)


def _without_dashes(option: str) -> str:
    """What to write instead of an option that is a recipe's key, as other trainers have it."""
    from tfaigc.recipe.other_names import OTHER_NAMES
    from tfaigc.recipe.schema import keys

    name = option.lstrip("-").replace("-", "_")
    key = OTHER_NAMES.get(name, name)
    return f" A recipe's keys stand without dashes: {key}=VALUE." if key in keys() else ""


def _fail(context: click.Context, error: BaseException) -> NoReturn:
    failure = describe(error)
    if failure.status == BROKEN_PIPE:
        # Python flushes stdout once more at exit, and would complain about the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif "debug" in context.meta.get(_FLAGS, ()):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if failure.message:
        click.echo(failure.message, err=True)
    raise click.exceptions.Exit(failure.status) from error


def prepare(context: click.Context, *, results_on_stdout: bool = False) -> Screen:
    """Sets up what a verb prints, before TensorFlow loads.

    Args:
        context: The verb's context.
        results_on_stdout: Whether stdout carries data, so that remarks must go to stderr.

    Returns:
        Where the verb's workflow writes its remarks.
    """
    from tfaigc.workflows.screen import Screen

    flags = context.meta.get(_FLAGS, set())
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if "verbose" in flags else "3")
    if "verbose" not in flags:
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        logging.getLogger("absl").setLevel(logging.ERROR)
    screen = Screen(stderr=results_on_stdout, quiet="quiet" in flags)
    level = logging.INFO
    if "quiet" in flags:
        level = logging.WARNING
    elif "verbose" in flags:
        level = logging.DEBUG
    context.with_resource(screen.showing_log("tfaigc", level))
    return screen
