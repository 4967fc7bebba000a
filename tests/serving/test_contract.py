"""The REST interface answers as TensorFlow Serving does: a table of questions and answers."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from tfaigc.serving.core import Core

TABLE = yaml.safe_load((Path(__file__).parent / "contract.yaml").read_text(encoding="utf-8"))
# Inputs of different sizes cannot share a run with others; the official server refuses them too.
ONLY_ALONE = {'{"signature_name": "pair", "inputs": {"a": [1, 2], "b": [3]}}'}
ROWS = [(name, *row) for name, rows in TABLE.items() for row in rows]


def as_text(value: Any) -> str:
    """JSON with NaN equal to itself."""
    return json.dumps(value, sort_keys=True)


def ask(client: TestClient, row: list[Any]) -> str:
    """Asks one question; says what is wrong with the answer, if anything."""
    path, body, status, answer = row
    content = None if body is None else body.encode("utf-8", "surrogatepass")
    method = "GET" if body is None else "POST"
    response = client.request(method, f"/v1/models/{path}", content=content)
    fits = response.status_code == status
    fits &= response.headers["content-type"] == "application/json"
    if status == 200:
        fits &= as_text(response.json()) == as_text(json.loads(answer))
    else:
        pattern = ".*".join(map(re.escape, answer.split("…")))
        fits &= set(response.json()) == {"error"}
        fits &= re.fullmatch(pattern, response.json().get("error", ""), re.DOTALL) is not None
    return "" if fits else f"{path} {body}\n  {response.status_code} {response.text}\n"


@pytest.mark.parametrize("name", TABLE)
def test_questions_are_answered(client: TestClient, name: str) -> None:
    assert "".join(ask(client, row) for row in TABLE[name]) == ""


def test_questions_are_answered_the_same_in_batches(
    batching_client: TestClient, batching_core: Core
) -> None:
    rows = [row for rows in TABLE.values() for row in rows if row[1] not in ONLY_ALONE]
    with ThreadPoolExecutor(8) as pool:
        assert "".join(pool.map(lambda row: ask(batching_client, row), 3 * rows)) == ""
    page = batching_core.metrics.page().decode()
    [runs, computed] = (
        sum(map(float, re.findall(rf"batch_rows_{kind}{{.*}} (.*)", page)))
        for kind in ("count", "sum")
    )
    assert computed > runs


def test_the_table_is_long_and_says_nothing_twice() -> None:
    assert len(ROWS) >= 150
    assert len({(path, body) for _, path, body, *_ in ROWS}) == len(ROWS)
