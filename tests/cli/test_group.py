"""Help, versions, and how every kind of failure ends."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tfaigc.cli import cli
from tfaigc.cli.failures import describe
from tfaigc.cli.group import VerbGroup, shared_options
from tfaigc.errors import DataError
from tfaigc.version import __version__

VERBS = ["quickstart", "train", "evaluate", "predict", "generate", "export", "serve", "info"]


@click.group(cls=VerbGroup)
@shared_options
def failing() -> None:
    """A group whose one verb raises what the test wants."""


@failing.command()
@shared_options
@click.pass_context
def fail(context: click.Context) -> None:
    raise context.obj


def run_failing(error: BaseException, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(failing, list(arguments) or ["fail"], obj=error)
    return result.exit_code, result.stdout, result.stderr


def test_the_version() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.output) == (0, f"tfaigc {__version__}\n")


def test_help_lists_the_verbs_in_the_order_of_work() -> None:
    output = CliRunner().invoke(cli, ["--help"]).output
    places = [output.index(f"\n  {verb} ") for verb in VERBS]
    assert places == sorted(places)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_the_shared_options(verb: str) -> None:
    result = CliRunner().invoke(cli, [verb, "-h"])
    assert result.exit_code == 0
    for option in ("--debug", "--verbose", "--quiet"):
        assert option in result.output


@pytest.mark.parametrize(
    "arguments", [["trian", "a.yaml"], ["predict", "m"], ["predict", "m", "t", "--input", "f"]]
)
def test_wrong_usage_has_status_2_and_no_traceback(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--learning_rate", "--learning-rate", "--lr"])
def test_a_key_with_dashes_is_put_right(option: str) -> None:
    result = CliRunner().invoke(cli, ["train", "a.yaml", option, "3e-5"])
    assert result.exit_code == 2
    assert "A recipe's keys stand without dashes: learning_rate=VALUE." in result.stderr
    assert "learning_rate=VALUE" not in CliRunner().invoke(cli, ["train", "--xyz"]).stderr


def test_bad_input_is_one_message_on_stderr() -> None:
    error = DataError("a.csv, line 3: text must not be empty. Received: ''. Fill it in.")
    status, out, err = run_failing(error)
    assert (status, out) == (2, "")
    assert err == f"error: {error}\n"


@pytest.mark.parametrize("arguments", [("--debug", "fail"), ("fail", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(arguments: tuple[str, ...]) -> None:
    status, _, err = run_failing(DataError("no rows"), *arguments)
    assert status == 2
    assert "Traceback (most recent call last)" in err
    assert err.endswith("error: no rows\n")


def test_an_unexpected_exception_is_called_a_bug() -> None:
    status, _, err = run_failing(ZeroDivisionError("division by zero\nmore"))
    assert status == 1
    assert err == (
        "error: ZeroDivisionError: division by zero. This is a bug in tfaigc. "
        "Run the command again with --debug to see where it happened.\n"
    )


def test_an_interrupt_says_how_to_go_on() -> None:
    assert run_failing(KeyboardInterrupt()) == (130, "", "stopped.\n")
    status, _, err = run_failing(KeyboardInterrupt("A checkpoint was saved. Go on with: x"))
    assert (status, err) == (130, "stopped: A checkpoint was saved. Go on with: x\n")


@pytest.mark.parametrize(
    ("code", "move"),
    [
        (errno.ENOSPC, "Free some space, or write to another disk."),
        (errno.EACCES, "Check who may read and write there."),
        (errno.ENOENT, "Check the path."),
    ],
)
def test_the_systems_refusals_are_bad_input(code: int, move: str) -> None:
    status, _, err = run_failing(OSError(code, os.strerror(code), "runs/a/model"))
    assert status == 2
    assert err == f"error: {os.strerror(code)}: 'runs/a/model'. {move}\n"


def test_exhausted_memory_and_full_disks_of_tensorflow() -> None:
    import tensorflow as tf

    memory = describe(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmore"))
    assert memory.status == 2
    assert "Received: OOM when allocating. Lower batch_size or max_length." in memory.message
    disk = describe(tf.errors.ResourceExhaustedError(None, None, "a; No space left on device"))
    assert disk.status == 2
    assert "Free some space" in disk.message


def test_a_closed_pipe_ends_quietly() -> None:
    python = shlex.quote(sys.executable)
    command = f"{python} -m tfaigc --help"
    code = (
        "import sys, click\n"
        "from tfaigc.cli.group import VerbGroup\n"
        "@click.group(cls=VerbGroup)\n"
        "def group(): ...\n"
        "@group.command()\n"
        "def many():\n"
        "    for number in range(100000): print(number)\n"
        "group()\n"
    )
    pipe = f"{python} -c '{code}' many | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n141\n"
    assert done.stderr == ""
    assert subprocess.run(["bash", "-c", f"{command} | true"], check=True).returncode == 0


def test_faults_of_a_recipe_come_before_anything_loads(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("learing_rate: 3e-5\nepochs: 2\n")
    code = (
        "import sys\n"
        f"sys.argv = ['tfaigc', 'train', {str(path)!r}]\n"
        "from tfaigc.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        "    assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
        "    sys.exit(end.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {path} has 5 faults:\n")
    assert "Did you mean 'learning_rate'?" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.yaml"]
