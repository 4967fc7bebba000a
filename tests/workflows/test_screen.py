"""What is printed, and how the next command is written."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from tfaigc.workflows.loading import load_tensorflow
from tfaigc.workflows.screen import Screen, command_line, typed_command


@pytest.mark.parametrize(
    ("typed", "program"),
    [
        (["python", "/usr/bin/tfaigc", "train"], "tfaigc"),
        ([".venv/bin/python", "-m", "tfaigc", "train"], ".venv/bin/python -m tfaigc"),
        (["my python", "-X", "dev", "-m", "tfaigc"], "'my python' -X dev -m tfaigc"),
        (["python", "-m", "pytest"], "tfaigc"),
    ],
)
def test_commands_work_where_the_first_one_was_typed(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], program: str
) -> None:
    monkeypatch.setattr(sys, "orig_argv", typed)
    line = command_line("predict", "runs/my run/model", "It's fine.")
    assert line == f"""{program} predict 'runs/my run/model' 'It'"'"'s fine.'"""


def test_the_typed_command_is_quoted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "tfaigc"])
    monkeypatch.setattr(sys, "argv", ["tfaigc", "train", "a b.yaml", "labels=[a, b]"])
    assert typed_command() == "tfaigc train 'a b.yaml' 'labels=[a, b]'"


def test_brackets_and_long_lines_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    screen.fact("data", "[bold]a.csv[/bold] " + "x" * 300)
    assert capsys.readouterr().out == f"data         [bold]a.csv[/bold] {'x' * 300}\n"


def test_log_lines_become_remarks(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    log = logging.getLogger("tfaigc.example")
    former = log.level, log.propagate, list(log.handlers)
    with screen.showing_log("tfaigc.example", logging.INFO):
        log.debug("hidden")
        log.info("made %s", "[a]")
        log.warning("odd")
    assert (log.level, log.propagate, log.handlers) == former
    assert capsys.readouterr().out == "made [a]\nwarning: odd\n"


def test_native_notices_are_shown_only_if_loading_fails() -> None:
    code = (
        "import importlib, os, sys\n"
        "from tfaigc.workflows import loading\n"
        "from tfaigc.workflows.screen import Screen\n"
        "def load(name):\n"
        "    os.write(2, b'notice\\n')\n"
        "    if sys.argv[1] == 'fail': raise ImportError('broken')\n"
        "importlib.import_module = load\n"
        "loading.load_tensorflow(Screen())\n"
        "os.write(2, b'after\\n')\n"
    )

    def stderr(outcome: str, level: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, outcome],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": level},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr

    assert stderr("work", "3") == "after\n"
    assert stderr("work", "0") == "notice\nafter\n"
    assert stderr("fail", "3").startswith("notice\nTraceback")


def test_loading_again_is_nothing() -> None:
    load_tensorflow(Screen(quiet=True))
    assert "tensorflow" in sys.modules
