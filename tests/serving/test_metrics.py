"""What is counted, under the names that dashboards for TensorFlow Serving know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tfaigc.serving.batching import Batching
from tfaigc.serving.core import Core
from tfaigc.serving.rest import rest_app
from tfaigc.serving.versions import ModelConfig

PATH = "/monitoring/prometheus/metrics"
TFS = ":tensorflow:serving:"


@pytest.fixture(scope="module")
def client(models: Path) -> Iterator[TestClient]:
    core = Core(Batching(max_batch_size=4, allowed_batch_sizes=(4,)))
    core.manager.configure([ModelConfig("scales", models / "scales")])
    core.manager.refresh()
    with TestClient(rest_app(core)) as client:
        yield client
    core.close()


def samples(client: TestClient) -> dict[str, float]:
    """Every line of the page by name and labels."""
    lines = client.get(PATH).text.splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in lines
        if not line.startswith("#")
    }


def test_requests_are_counted_by_model_and_status(client: TestClient) -> None:
    client.post("/v1/models/scales:predict", json={"instances": [1, 2, 3]})
    client.post("/v1/models/scales:predict", json={"instances": ["a"]})
    for number in range(3):
        client.post(f"/v1/models/unknown{number}:predict", json={"instances": [1]})
    found = samples(client)
    assert found[f'{TFS}request_count{{model_name="scales",status="OK"}}'] == 1
    assert found[f'{TFS}request_count{{model_name="scales",status="INVALID_ARGUMENT"}}'] == 1
    assert found[f'{TFS}request_count{{model_name="",status="NOT_FOUND"}}'] == 3
    labels = 'API="predict",entrypoint="REST",model_name="scales"'
    assert found[f"{TFS}request_latency_count{{{labels}}}"] == 1
    assert found[f"{TFS}request_latency_sum{{{labels}}}"] > 10
    assert found[f'{TFS}request_example_count_total{{model="scales"}}'] == 3
    assert found["tfaigc_serving_requests_under_way"] == 0
    labels = 'model="scales",signature="serving_default",version="2"'
    assert found[f"tfaigc_serving_batch_rows_sum{{{labels}}}"] == 4
    assert found[f"{TFS}batching_session:queuing_latency_count"] == 1
    assert (
        found[f'{TFS}runtime_latency_count{{API="Predict",model_name="scales",runtime="TF1"}}'] == 1
    )


def test_the_page_is_prometheus_text(client: TestClient) -> None:
    response = client.get(PATH)
    assert response.headers["content-type"].startswith("text/plain")
    families = {
        family.name: family.type for family in text_string_to_metric_families(response.text)
    }
    assert families[f"{TFS}request_count"] == "counter"
    assert families[f"{TFS}request_latency"] == "histogram"
    assert "unknown0" not in response.text
    assert not re.search("_created|request_count_total", response.text)
