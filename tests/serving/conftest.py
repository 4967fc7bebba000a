"""Models on disk, a server's core, and a way to ask it without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import served_models
from starlette.testclient import TestClient

from tfaigc.serving.batching import Batching
from tfaigc.serving.core import Core
from tfaigc.serving.rest import rest_app
from tfaigc.serving.versions import ModelConfig, VersionPolicy


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all models."""
    return served_models.save_all(tmp_path_factory.mktemp("models"))


def load(models: Path, batching: Batching) -> Core:
    """Loads all models; both versions of one of them, with labels."""
    core = Core(batching)
    labels = {"stable": 1, "canary": 2, "gone": 9}
    core.manager.configure(
        [
            *(ModelConfig(name, models / name) for name in ("numbers", "strings", "examples")),
            ModelConfig("scales", models / "scales", VersionPolicy(latest=2), labels),
        ]
    )
    core.manager.refresh()
    return core


@pytest.fixture(scope="session")
def core(models: Path) -> Iterator[Core]:
    """The models, each request on its own."""
    core = load(models, Batching())
    yield core
    core.close()


@pytest.fixture(scope="session")
def client(core: Core) -> Iterator[TestClient]:
    """Asks the REST interface."""
    with TestClient(rest_app(core)) as client:
        yield client


@pytest.fixture(scope="session")
def batching_core(models: Path) -> Iterator[Core]:
    """The models, where requests share runs."""
    core = load(models, Batching(max_batch_size=8, batch_timeout_micros=3000))
    yield core
    core.close()


@pytest.fixture(scope="session")
def batching_client(batching_core: Core) -> Iterator[TestClient]:
    """Asks the REST interface where requests share runs."""
    with TestClient(rest_app(batching_core)) as client:
        yield client
