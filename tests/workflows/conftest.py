"""A trained run that several tests look at."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from tfaigc.cli import cli


@pytest.fixture(scope="session", autouse=True)
def _copied_verifier(copied_verifier: None) -> None:
    """Has exports verified by copies of one process."""


class Run(NamedTuple):
    """A finished ``tfaigc train``."""

    recipe: Path
    directory: Path
    export: Path
    result: Result


def tfaigc(*arguments: object) -> Result:
    """Runs the command line in this process."""
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def write_recipe(path: Path, **settings: object) -> Path:
    """Writes a recipe that trains in seconds."""
    size = {} if "batch_tokens" in settings else {"batch_size": 8}
    quick = {"learning_rate": 0.01, "num_train_epochs": 2, **size, **settings}
    path.write_text("".join(f"{key}: {value}\n" for key, value in quick.items()), encoding="utf-8")
    return path


@pytest.fixture(scope="session", name="write_recipe")
def _write_recipe() -> Callable[..., Path]:
    return write_recipe


@pytest.fixture(scope="session", name="tfaigc")
def _tfaigc() -> Callable[..., Result]:
    return tfaigc


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, reviews_csv: Path) -> Run:
    """A tiny BERT, fine-tuned on made-up reviews and exported."""
    directory = tmp_path_factory.mktemp("trained")
    recipe = write_recipe(
        directory / "recipe.yaml",
        model_name_or_path=tiny_bert,
        train_data=reviews_csv,
        output_dir=directory / "run",
        export_dir=directory / "export",
    )
    before = Path.cwd()
    os.chdir(directory)
    try:
        result = tfaigc("train", recipe)
    finally:
        os.chdir(before)
    assert result.exit_code == 0, result.output
    return Run(recipe, directory / "run", directory / "export", result)
