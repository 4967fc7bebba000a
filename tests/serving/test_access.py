"""Who may ask, how often, how slowly, and what is written down of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import trustme
from starlette.testclient import TestClient

from tfaigc.errors import ServingError
from tfaigc.serving import Client, Code, RequestError
from tfaigc.serving.access import Access
from tfaigc.serving.batching import Batching
from tfaigc.serving.core import Core
from tfaigc.serving.gate import Gate
from tfaigc.serving.keys import Keys
from tfaigc.serving.limits import Limits
from tfaigc.serving.patience import PatientProtocol
from tfaigc.serving.rates import RateLimit
from tfaigc.serving.rest import rest_app
from tfaigc.serving.server import Listening, Settings, running
from tfaigc.serving.versions import models_in

PATH = "/v1/models/scales"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text("# of the shop\nfirst\n\nsecond \n", encoding="utf-8")
    return path


def gated(core: Core, **access: object) -> TestClient:
    return TestClient(Gate(rest_app(core), core, Access(**access)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer first", 200),
        ("bearer second", 200),
        ("Bearer  second ", 200),
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer third", 401),
        ("Bearer firs", 401),
        ("Bearer # of the shop", 401),
        ("Basic first", 401),
        ("first", 401),
        ("Bearer \xff\xfe", 401),
    ],
)
def test_a_token_opens(core: Core, token_file: Path, header: str | None, status: int) -> None:
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    response = gated(core, keys=Keys(token_file)).get(PATH, headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json() == {"error": "A valid bearer token is required"}


def test_names_of_clients_tell_nothing_of_tokens(token_file: Path) -> None:
    keys = Keys(token_file)
    first, again, second = (keys.check(f"Bearer {each}") for each in ("first", "first", "second"))
    assert first == again != second
    assert not hashlib.sha256(b"first").hexdigest().startswith(first)


def test_tokens_change_while_the_server_runs(core: Core, token_file: Path) -> None:
    keys = Keys(token_file)
    client = gated(core, keys=keys)

    def statuses() -> list[int]:
        headers = [{"authorization": f"Bearer {token}"} for token in ("first", "third")]
        return [client.get(PATH, headers=each).status_code for each in headers]

    assert statuses() == [200, 401]
    token_file.write_text("first\nthird\n")
    keys.refresh()
    assert statuses() == [200, 200]
    token_file.write_text("third\nfourth\n")
    keys.refresh()
    assert statuses() == [401, 200]
    token_file.write_text("\n")
    keys.refresh()
    token_file.unlink()
    keys.refresh()
    assert statuses() == [401, 200]


def test_a_file_without_tokens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="must be readable"):
        Keys(tmp_path / "none")
    (tmp_path / "empty").write_text("# nothing\n")
    with pytest.raises(ServingError, match="at least one"):
        Keys(tmp_path / "empty")


def test_who_asks_too_often_is_told(core: Core, token_file: Path) -> None:
    client = gated(core, keys=Keys(token_file), rate=RateLimit(2))
    first, second = ({"authorization": f"Bearer {token}"} for token in ("first", "second"))
    responses = [client.get(PATH, headers=first) for _ in range(3)]
    assert [each.status_code for each in responses] == [200, 200, 429]
    assert responses[2].headers["retry-after"] == "1"
    assert client.get(PATH, headers=second).status_code == 200


def test_a_rate_is_kept_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("tfaigc.serving.rates.time.monotonic", lambda: now)
    limit, passed = RateLimit(4), 0
    for _ in range(100):
        now += 0.1
        with contextlib.suppress(RequestError):
            limit.take("a")
            passed += 1
    assert 40 <= passed <= 44
    for number in range(20_000):
        limit.take(str(number))
    assert len(limit._buckets) == 10_000


def test_every_request_has_an_id_and_a_line(core: Core, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(Gate(rest_app(core), core, Access(), log=True))
    with caplog.at_level(logging.INFO, "tfaigc.serving.requests"):
        gated(core).get(PATH)
        assert not caplog.records
        given = client.get(PATH, headers={"x-request-id": "order-7.a"})
        strange = client.get("/v1/models/none", headers={"x-request-id": "a b\n{"})
    assert given.headers["x-request-id"] == "order-7.a"
    assert len(strange.headers["x-request-id"]) == 32
    lines = [json.loads(record.message) for record in caplog.records]
    assert [(line["request_id"], line["status"], line["path"]) for line in lines] == [
        ("order-7.a", 200, PATH),
        (strange.headers["x-request-id"], 404, "/v1/models/none"),
    ]
    assert lines[0]["milliseconds"] > 0


@pytest.fixture(scope="module")
def secured(
    models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Listening, Path]]:
    """A server with TLS and tokens, and whom to trust."""
    directory = tmp_path_factory.mktemp("secrets")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(str(directory / "chain.pem"), append=number > 0)
    (directory / "tokens").write_text("secret\nformer\n")
    access = Access(
        Keys(directory / "tokens"), None, directory / "chain.pem", directory / "key.pem"
    )
    settings = Settings(port=0, grpc_port=0, access=access, poll_seconds=0)
    with running(lambda: models_in(models / "scales"), settings) as server:
        yield server, directory / "ca.pem"


@pytest.mark.parametrize("kind", ["url", "grpc_url"])
def test_tls_and_tokens_work_together(secured: tuple[Listening, Path], kind: str) -> None:
    server, authority = secured
    url = getattr(server, kind)
    assert url.startswith(("https://", "grpcs://"))
    with Client(url, token="secret", certificates=authority) as client:
        assert client.predict("scales", [1]) == [20.0]
    for token in ("other", None):
        with (
            Client(url, token=token, certificates=authority) as client,
            pytest.raises(RequestError, match="bearer token") as caught,
        ):
            client.predict("scales", [1])
        assert caught.value.code is Code.UNAUTHENTICATED
    with Client(url, token="secret", retries=0) as client, pytest.raises(RequestError) as caught:
        client.predict("scales", [1])
    assert caught.value.code is Code.UNAVAILABLE


def test_a_withdrawn_token_ends_without_polling(secured: tuple[Listening, Path]) -> None:
    server, authority = secured
    with Client(server.url, token="former", certificates=authority) as client:
        assert client.predict("scales", [1]) == [20.0]
        (authority.parent / "tokens").write_text("secret\n")
        codes: list[Code] = []
        end = time.monotonic() + 8
        while not codes and time.monotonic() < end:
            time.sleep(0.05)
            try:
                client.status("scales")
            except RequestError as error:
                codes.append(error.code)
    assert codes == [Code.UNAUTHENTICATED]


def test_tls_needs_files_that_fit(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("nothing")
    with pytest.raises(ServingError, match="Received: one of them"):
        Access(certificate=tmp_path / "a.pem")
    with pytest.raises(ServingError, match="fit each other"):
        Access(certificate=tmp_path / "a.pem", private_key=tmp_path / "a.pem")


def ask_by_hand(server: Listening, *parts: bytes) -> bytes:
    """Sends some bytes and no more; gives all that comes before the connection is closed."""
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.05)
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


def test_slow_and_huge_requests_hold_nobody_up(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.1)
    # Good requests wait for company, longer than a head may take.
    batching = Batching(max_batch_size=8, batch_timeout_micros=200_000)
    settings = Settings(port=0, limits=Limits(body_seconds=0.1), batching=batching)
    head = b"POST /v1/models/scales:predict HTTP/1.1\r\nhost: a\r\n"
    good = b'content-length: 18\r\n\r\n{"instances": [1]}'
    with running(lambda: models_in(models / "scales"), settings) as server:
        start = time.monotonic()
        assert ask_by_hand(server, b"") == b""
        assert ask_by_hand(server, b"POST /v1/mod") == b""
        assert ask_by_hand(server, head) == b""
        # A second request on a connection that had a good one.
        pause = [b""] * 6
        answer = ask_by_hand(server, head + good, *pause, head)
        assert answer.count(b"HTTP/1.1 200") == 1
        # A line end while the answer is awaited, and a byte of a body that nobody reads.
        assert b" 200 " in ask_by_hand(server, head + b"connection: close\r\n" + good, b"\r\n")
        refused = head.replace(b"scales:predict", b"none/such")
        assert b" 40" in ask_by_hand(server, refused + b"content-length: 9\r\n\r\n", b"{", b"{")
        assert b" 408 " in ask_by_hand(server, head + b"content-length: 9\r\n\r\n{")
        assert b" 413 " in ask_by_hand(server, head + b"content-length: 104857600\r\n\r\n{")
        assert b" 400 " in ask_by_hand(server, b"\x16\x03\x01\x02 no HTTP\r\n\r\n")
        assert time.monotonic() - start < 8
        response = httpx2.post(f"{server.url}{PATH}:predict", json={"instances": [1]})
        assert response.json() == {"predictions": [20.0]}
