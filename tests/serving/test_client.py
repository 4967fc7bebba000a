"""The client speaks to any server with the contract of TensorFlow Serving."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import tfaigc
from tfaigc.errors import ServingError
from tfaigc.serving import Client, Code, RequestError
from tfaigc.serving.grpc_client import GrpcClient
from tfaigc.serving.server import Listening, Settings, running
from tfaigc.serving.versions import models_in


@pytest.fixture(scope="module")
def listening(models: Path) -> Iterator[Listening]:
    with running(lambda: models_in(models), Settings(port=0, grpc_port=0)) as server:
        yield server


@pytest.fixture(scope="module", params=["http", "grpc"])
def client(request: pytest.FixtureRequest, listening: Listening) -> Iterator[Client]:
    with Client(str(listening.url if request.param == "http" else listening.grpc_url)) as client:
        yield client


class Scripted:
    """A server that gives what a script says, and notes what it is asked."""

    def __init__(self, script: list[tuple[int, dict[str, str], bytes]]) -> None:
        self.script = script
        self.asked: list[tuple[str, str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.asked.append((self.path, self.headers.get("authorization", ""), body))
                status, headers, answer = outer.script.pop(0) if outer.script else (500, {}, b"")
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    servers: list[Scripted] = []

    def make(*script: tuple[int, dict[str, str], bytes]) -> Scripted:
        servers.append(Scripted(list(script)))
        return servers[-1]

    yield make
    for each in servers:
        each.server.shutdown()
        each.server.server_close()


GOOD = (200, {}, b'{"predictions": [1.0]}')
BUSY = (503, {}, b'{"error": "busy"}')


def test_lists_go_in_and_come_out(client: Client) -> None:
    assert client.predict("numbers", [1, 2.5]) == [2.5, 3.25]
    assert client.predict("numbers", [{"a": 1, "b": 2}], signature="pair") == [
        {"product": 2.0, "sum": 3.0}
    ]
    assert client.predict("strings", ["a", b"\xc3\x9f"]) == [
        {"length": 1, "text": "a"},
        {"length": 1, "text": "ß"},
    ]
    [nan, infinity] = client.predict("numbers", [math.nan, math.inf])
    assert math.isnan(nan)
    assert infinity == math.inf
    assert client.predict_columns("numbers", [1.0, 2.0], signature="mean") == 1.5
    assert client.predict_columns("numbers", {"a": [1], "b": [2]}, signature="pair") == {
        "product": [2.0],
        "sum": [3.0],
    }


def test_outputs_may_change_with_a_version(listening: Listening) -> None:
    body = {"instances": [{"a": 1, "b": 2}], "signature_name": "pair"}
    client = GrpcClient(
        str(listening.grpc_url), timeout=10.0, retries=0, headers={}, certificates=None
    )
    with contextlib.closing(client):
        expected = client.call("numbers", "predict", None, body)
        [(key, signature)] = client._signatures.items()
        for outputs in ({"sum"}, {"sum", "product", "former"}):
            former = dict.fromkeys(outputs, signature.outputs["sum"])
            client._signatures[key] = dataclasses.replace(signature, outputs=former)
            assert client.call("numbers", "predict", None, body) == expected
            assert client._signatures == {key: signature}


def test_arrays_go_in_as_lists(client: Client) -> None:
    numpy = pytest.importorskip("numpy")
    assert client.predict("numbers", numpy.array([1.0, 2.0])) == [2.5, 3.0]
    with pytest.raises(TypeError, match="object has no form in JSON"):
        client.predict("numbers", [object()])


def test_examples_are_classified_and_regressed(client: Client) -> None:
    assert client.classify("examples", [{"x": 1.5}]) == [[["up", 1.5], ["down", -1.5]]]
    numbers = client.regress("examples", [{}], context={"x": 2.0}, signature="regress")
    assert numbers == [4.0]


def test_models_are_described(client: Client) -> None:
    assert client.status("scales") == {2: {"state": "AVAILABLE", "error": ""}}
    assert client.status("scales", version=2)[2]["state"] == "AVAILABLE"
    assert client.metadata("scales")["serving_default"]["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert client.predict("scales", [1], version=2) == [20.0]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda client: client.predict("numbers", ["a"]), Code.INVALID_ARGUMENT),
        (lambda client: client.predict("none/such", [1]), Code.NOT_FOUND),
        (lambda client: client.predict("scales", [1], version=9), Code.NOT_FOUND),
        (lambda client: client.predict("scales", [1], version="label"), Code.INVALID_ARGUMENT),
        (lambda client: client.status("scales", version=9), Code.NOT_FOUND),
        (lambda client: list(client.stream("numbers", [1, "a"])), Code.INVALID_ARGUMENT),
    ],
)
def test_a_refusal_is_an_error_with_a_code(
    client: Client, ask: Callable[[Client], object], code: Code
) -> None:
    with pytest.raises(RequestError) as caught:
        ask(client)
    assert caught.value.code is code
    assert str(caught.value) == caught.value.message != ""


def test_long_lists_are_streamed_in_order(client: Client) -> None:
    read = 0

    def rows() -> Iterator[float]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield float(number)

    answers = client.stream("scales", rows(), batch_size=7, concurrency=3)
    assert next(answers) == 0.0
    assert read <= 3 * 7
    assert list(answers) == [20.0 * number for number in range(1, 1000)]
    assert list(client.stream("scales", [])) == []
    early = client.stream("scales", rows(), concurrency=2)
    next(early)
    early.close()


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(
    scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tfaigc.serving.retrying.time.sleep", pauses.append)
    server = scripted(*[(status, {}, b"{}")] * 2, (status, {"retry-after": "3"}, b""), GOOD)
    with Client(server.url, token="key") as client:
        assert client.predict("m", [1]) == [1.0]
    assert server.asked == [("/v1/models/m:predict", "Bearer key", b'{"instances": [1]}')] * 4
    assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2
    assert pauses[2] == 3.0


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        ((400, {}, b'{"error": "wrong"}'), Code.INVALID_ARGUMENT, "wrong"),
        ((401, {}, b'{"error": "who?"}'), Code.UNAUTHENTICATED, "who"),
        ((502, {}, b"<html>bad gateway"), Code.UNKNOWN, "HTTP status 502: <html>"),
        ((500, {}, b"[]"), Code.UNKNOWN, "HTTP status 500"),
    ],
)
def test_other_failures_are_not_repeated(
    scripted: Callable[..., Scripted],
    answer: tuple[int, dict[str, str], bytes],
    code: Code,
    message: str,
) -> None:
    server = scripted(answer, GOOD)
    with Client(server.url) as client, pytest.raises(RequestError, match=message) as caught:
        client.predict("m", [1])
    assert caught.value.code is code
    assert len(server.asked) == 1


def test_retries_end(scripted: Callable[..., Scripted]) -> None:
    server = scripted(*[BUSY] * 9)
    with Client(server.url, retries=1) as client, pytest.raises(RequestError, match="busy"):
        client.predict("m", [1])
    assert len(server.asked) == 2
    with Client(server.url, timeout=0.01) as client, pytest.raises(RequestError, match="busy"):
        client.predict("m", [1])
    assert len(server.asked) == 3


def test_silence_and_absence_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, timeout=0.05) as client, pytest.raises(RequestError) as caught:
            client.predict("m", [1])
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    for absent in (url, url.replace("http", "grpc")):
        with Client(absent, retries=0) as client, pytest.raises(RequestError) as caught:
            client.predict("m", [1])
        assert caught.value.code is Code.UNAVAILABLE


def test_a_url_has_a_scheme() -> None:
    with pytest.raises(
        ServingError, match="must begin with http://, https://, grpc:// or grpcs://"
    ):
        Client("localhost:8501")


def test_it_needs_no_tensorflow() -> None:
    assert tfaigc.serving.Client is Client
    code = (
        "import json, sys, tfaigc; tfaigc.serving.Client('http://localhost:1');"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"tensorflow", "keras", "numpy", "starlette", "grpc"}
