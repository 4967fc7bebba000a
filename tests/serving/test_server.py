"""The server on a socket."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tfaigc.errors import ServingError
from tfaigc.serving import metrics
from tfaigc.serving.batching import Batching
from tfaigc.serving.model_config import read_model_config
from tfaigc.serving.scheduling import FULL
from tfaigc.serving.server import Settings, running
from tfaigc.serving.versions import models_in


def test_it_serves_the_newest_versions_of_a_directory(models: Path) -> None:
    with running(lambda: models_in(models), Settings(port=0)) as server:
        answer = httpx2.post(f"{server.url}/v1/models/scales:predict", json={"instances": [1.0]})
        assert answer.json() == {"predictions": [20.0]}
        assert httpx2.get(f"{server.url}/v1/models/scales/versions/1").status_code == 404


def test_what_is_under_way_is_answered_before_the_end(models: Path) -> None:
    batching = Batching(max_batch_size=8, batch_timeout_micros=1_000_000)
    settings = Settings(port=0, batching=batching)
    with ThreadPoolExecutor() as pool:
        with running(lambda: models_in(models / "scales"), settings) as server:
            path = f"{server.url}/v1/models/scales:predict"
            answers = [pool.submit(httpx2.post, path, json={"instances": [n]}) for n in range(4)]
            while "requests_under_way 4" not in httpx2.get(f"{server.url}{metrics.PATH}").text:
                time.sleep(0.01)
        assert [each.result().json()["predictions"] for each in answers] == [
            [20.0 * number] for number in range(4)
        ]
        with pytest.raises(httpx2.ConnectError):
            httpx2.post(path, json={"instances": [1.0]})


def test_too_much_gets_503_at_once_and_the_rest_is_answered(models: Path) -> None:
    batching = Batching(
        max_batch_size=2, batch_timeout_micros=700_000, max_enqueued_batches=2, num_batch_threads=1
    )

    def ask(number: int) -> tuple[int, int, object]:
        # Sequences of different lengths cannot share a run, so that all of them wait.
        body = {"signature_name": "ids", "instances": [[number] * number]}
        response = httpx2.post(f"{server.url}/v1/models/numbers:predict", json=body)
        return number, response.status_code, response.json()

    with (
        running(lambda: models_in(models), Settings(port=0, batching=batching)) as server,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(ask, range(8)))
    statuses = [status for _, status, _ in answers]
    assert statuses.count(200) >= 4
    assert statuses.count(503) >= 1
    for number, status, answer in answers:
        assert answer == (
            {"error": FULL} if status == 503 else {"predictions": [[number] * number]}
        )


def test_a_config_file_is_read_again_when_it_changes(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "models.config"

    def write(version: int) -> None:
        text = (
            f'model_config_list {{ config {{ name: "m" base_path: "{models / "scales"}" '
            f'model_platform: "tensorflow" version_labels {{ key: "stable" value: {version} }} '
            "model_version_policy { all {} } } }"
        )
        path.write_text(text, encoding="utf-8")

    def answer() -> object:
        response = httpx2.post(
            f"{server.url}/v1/models/m/labels/stable:predict", json={"instances": [1]}
        )
        return response.json()["predictions"]

    write(1)
    with running(lambda: read_model_config(path), Settings(port=0, poll_seconds=0.01)) as server:
        assert answer() == [10.0]
        path.write_text("broken {")
        time.sleep(0.05)
        assert answer() == [10.0]
        write(2)
        end = time.monotonic() + 10
        while answer() != [20.0]:
            assert time.monotonic() < end
            time.sleep(0.01)


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
