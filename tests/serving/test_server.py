"""The server on a socket."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx2
import pytest

from tfaigc.errors import ServingError
from tfaigc.serving.server import Settings, running
from tfaigc.serving.versions import models_in


def test_it_serves_the_newest_versions_of_a_directory(models: Path) -> None:
    with running(lambda: models_in(models), Settings(port=0)) as url:
        answer = httpx2.post(f"{url}/v1/models/scales:predict", json={"instances": [1.0]})
        assert answer.json() == {"predictions": [20.0]}
        assert httpx2.get(f"{url}/v1/models/scales/versions/1").status_code == 404


def test_a_port_that_is_taken_is_named(models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(port=taken.getsockname()[1])
        with (
            pytest.raises(ServingError, match=f"Received: 127.0.0.1, {settings.port}"),
            running(lambda: models_in(models / "scales"), settings),
        ):
            pass


def test_a_server_without_a_model_that_loads_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no model")
    with (
        pytest.raises(ServingError, match=r"at least one model that loads.*version 1: "),
        running(lambda: models_in(tmp_path), Settings(port=0)),
    ):
        pass
