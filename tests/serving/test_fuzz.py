"""No request, however strange, is answered with 500."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

SIGNATURES = {
    "numbers": ["", "pair", "matrix", "positive", "mean", "uneven", "any_shape", "ids", "to_half"],
    "strings": ["", "bytes", "upper", "invalid"],
    "examples": ["", "regress", "column", "wide", "scores", "told", "flat", "one", "misnamed"],
}
TYPES = ["float64", "int8", "int32", "int64", "uint8", "uint32", "uint64", "bool", "float16"]

numbers = st.integers() | st.integers(-3, 300) | st.floats()
texts = st.text(max_size=6) | st.sampled_from(["\ud800", "\0", "NaN", "x"])
base64 = st.builds(lambda text: {"b64": text}, st.text("YWJj=+/ \n!", max_size=6))
leaves = numbers | texts | base64 | st.none() | st.booleans()
names = st.sampled_from(["x", "a", "b", "text", "inputs", "b64", "n", "s"]) | texts
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=3)
)
rows = st.lists(leaves, max_size=5) | st.lists(numbers, max_size=5) | st.lists(trees, max_size=4)
documents = st.fixed_dictionaries(
    {},
    optional={
        "instances": rows | trees,
        "inputs": rows | trees | st.dictionaries(names, rows | trees, max_size=3),
        "examples": st.lists(st.dictionaries(names, leaves | rows, max_size=3), max_size=3) | trees,
        "context": st.dictionaries(names, leaves, max_size=2) | trees,
    },
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes | None]:
    """A method, a path and a body, each mostly near to a good one."""
    model = draw(st.sampled_from([*SIGNATURES, *SIGNATURES, "scales", "nonesuch"]))
    document: Any = draw(documents | trees)
    if isinstance(document, dict):
        known = SIGNATURES.get(model, [""]) + (TYPES if model == "numbers" else [])
        signature = draw(st.sampled_from(known) | leaves)
        document = {**document, **({"signature_name": signature} if signature != "" else {})}
    body = json.dumps(document).encode()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=4)) + body[at + draw(st.integers(0, 4)) :]
    version = draw(st.sampled_from(["", "", "", "/versions/1", "/versions/x", "/labels/stable"]))
    call = draw(st.sampled_from([":predict", ":predict", ":classify", ":regress", "", "/metadata"]))
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT"]))
    return method, f"/v1/models/{model}{version}{call}", None if method == "GET" else body


@given(request=requests())
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_is_answered_with_500(
    client: TestClient, request: tuple[str, str, bytes | None]
) -> None:
    method, path, body = request
    response = client.request(method, path, content=body)
    assert response.status_code in {200, 400, 404, 501}, response.text
    answer = response.json()
    assert isinstance(answer, dict)
    assert (set(answer) == {"error"}) == (response.status_code != 200)
