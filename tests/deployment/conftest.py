"""Exports, and what `tfaigc deploy` makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from deployments import deploy, make_export


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models; their directory's name needs quotes wherever it is written."""
    directory = tmp_path_factory.mktemp("the $HOME of 'models'")
    make_export(directory / "sentiment", 1, 2, 3)
    make_export(directory / "Tags_2.0", 7, tensorflow="2.20.1")
    return directory


@pytest.fixture(scope="session")
def deployed(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the files for a target."""
    arguments = {
        "docker": [exports, "--label", "sentiment/stable=2", "--label", "sentiment/canary=3"],
        "kubernetes": [exports, "--name", "reviews", "--latest", 2],
        "kserve": [exports / "sentiment", "--storage-uri", "gs://bucket/models/"],
    }
    made: dict[str, Path] = {}

    def files(target: str) -> Path:
        if target not in made:
            made[target] = tmp_path_factory.mktemp(target) / "a" / "b"
            result = deploy(*arguments[target], "--target", target, "--out", made[target])
            assert result.exit_code == 0, result.output
        return made[target]

    return files
