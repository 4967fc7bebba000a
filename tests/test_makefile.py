"""`make` sets itself up with nothing but a Python, in a directory whose path has spaces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GOALS = ["help", "quickstart", "test", "lint", "clean"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """An otherwise empty checkout in a directory with spaces in its path."""
    directory = tmp_path / "a checkout with spaces"
    directory.mkdir()
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, directory)
    return directory


def make(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # What an outer `make test` leaves in the environment must not reach the inner one.
    outer = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON"}
    return subprocess.run(
        ["make", *arguments],
        cwd=directory,
        env={name: value for name, value in os.environ.items() if name not in outer},
        capture_output=True,
        text=True,
        check=False,
    )


def write_python(path: Path, *, accepted: bool) -> str:
    """Writes a program that stands for a Python: it takes or fails the question for its version."""
    path.write_text(f"#!/bin/sh\nexit {0 if accepted else 1}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_make_alone_explains_itself(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0
    assert done.stdout == make(checkout, "help").stdout
    for goal in GOALS:
        assert f"make {goal} " in done.stdout


@pytest.mark.parametrize("goal", ["quickstart", "test", "lint"])
def test_a_python_of_the_wrong_version_is_refused(checkout: Path, goal: str) -> None:
    old = write_python(checkout / "old python", accepted=False)
    done = make(checkout, goal, f"PYTHON={old}")
    assert done.returncode == 2
    assert "tfaigc needs Python 3.10, 3.11, 3.12 or 3.13." in done.stderr
    assert "make PYTHON=/path/to/python3.12" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_failed_set_up_leaves_no_stamp(checkout: Path) -> None:
    # It makes no environment, so there is no pip to go on with.
    odd = write_python(checkout / "odd python", accepted=True)
    done = make(checkout, ".venv/.created", f"PYTHON={odd}")
    assert done.returncode == 2
    assert not (checkout / ".venv/.created").exists()


def test_clean_keeps_what_was_trained(checkout: Path) -> None:
    kept = [checkout / "runs/a/model", checkout / "savedmodels/a/1"]
    gone = [checkout / ".venv/bin", checkout / "tfaigc/__pycache__", checkout / ".pytest_cache"]
    for directory in kept + gone:
        directory.mkdir(parents=True)
    assert make(checkout, "clean").returncode == 0
    assert all(directory.exists() for directory in kept)
    assert not any(directory.exists() for directory in gone)


@pytest.mark.network
@pytest.mark.slow
def test_the_environment_is_made_once(checkout: Path) -> None:
    first = make(checkout, ".venv/.created", f"PYTHON={sys.executable}")
    assert first.returncode == 0, first.stderr
    assert "Creating .venv with Python 3." in first.stdout
    assert (checkout / ".venv/bin/python").exists()
    second = make(checkout, ".venv/.created", f"PYTHON={sys.executable}")
    assert second.returncode == 0
    assert "Creating" not in second.stdout
