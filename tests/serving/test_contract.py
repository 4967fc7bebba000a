"""The REST interface answers as TensorFlow Serving does: a table of questions and answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

TABLE = yaml.safe_load((Path(__file__).parent / "contract.yaml").read_text(encoding="utf-8"))
ROWS = [(name, *row) for name, rows in TABLE.items() for row in rows]


def as_text(value: Any) -> str:
    """JSON with NaN equal to itself."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("name", TABLE)
def test_questions_are_answered(client: TestClient, name: str) -> None:
    faults = []
    for path, body, status, answer in TABLE[name]:
        content = None if body is None else body.encode("utf-8", "surrogatepass")
        response = client.request(
            "GET" if body is None else "POST", f"/v1/models/{path}", content=content
        )
        assert response.headers["content-type"] == "application/json"
        if status == 200:
            fits = as_text(response.json()) == as_text(json.loads(answer))
        else:
            pattern = ".*".join(map(re.escape, answer.split("…")))
            fits = re.fullmatch(pattern, response.json()["error"], re.DOTALL) is not None
            fits = fits and set(response.json()) == {"error"}
        if response.status_code != status or not fits:
            faults.append(f"{path} {body}\n  {response.status_code} {response.text}")
    assert not faults, "\n" + "\n".join(faults)


def test_the_table_is_long_and_says_nothing_twice() -> None:
    assert len(ROWS) >= 150
    assert len({(path, body) for _, path, body, *_ in ROWS}) == len(ROWS)
