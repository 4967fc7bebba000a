"""Models on disk, a server's core, and a way to ask it without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import served_models
from starlette.testclient import TestClient

from tfaigc.serving.core import Core
from tfaigc.serving.rest import rest_app
from tfaigc.serving.versions import ModelConfig, VersionPolicy


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all models."""
    return served_models.save_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def core(models: Path) -> Iterator[Core]:
    """The models, loaded; both versions of one of them, with labels."""
    core = Core()
    core.manager.configure(
        [
            *(ModelConfig(name, models / name) for name in ("numbers", "strings", "examples")),
            ModelConfig(
                "scales",
                models / "scales",
                VersionPolicy(latest=2),
                labels={"stable": 1, "canary": 2, "gone": 9},
            ),
        ]
    )
    core.manager.refresh()
    yield core
    core.close()


@pytest.fixture(scope="session")
def client(core: Core) -> Iterator[TestClient]:
    """Asks the REST interface."""
    with TestClient(rest_app(core), raise_server_exceptions=True) as client:
        yield client
