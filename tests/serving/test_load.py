"""Many clients at once, over sockets: nothing is lost, answered twice, or kept waiting for long."""

from __future__ import annotations

import http.client
import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import grpc
import pytest
import tensorflow as tf
from served_models import FLOATS, save, save_scale
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tfaigc.serving.batching import Batching
from tfaigc.serving.scheduling import FULL
from tfaigc.serving.server import Listening, Settings, running
from tfaigc.serving.versions import models_in

CLIENTS = 24
Ask = Callable[[], float]


class Reply(NamedTuple):
    """What a client got for its number."""

    number: float
    status: int
    content: object
    seconds: float


def ask_in_turn(url: str, numbers: list[float]) -> list[Reply]:
    """Asks over one connection, on which an answer too many would be taken for the next one."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    replies = []
    for number in numbers:
        start = time.monotonic()
        body = json.dumps({"instances": [number]})
        connection.request("POST", "/v1/models/slow:predict", body)
        response = connection.getresponse()
        content = json.loads(response.read())
        replies.append(Reply(number, response.status, content, time.monotonic() - start))
    connection.close()
    return replies


def slow(x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Takes its time, however many rows there are."""
    matrix = tf.random.stateless_uniform((500, 500), seed=(0, 0)) / 500
    product = tf.while_loop(lambda _: True, lambda m: [m @ m], [matrix], maximum_iterations=12)[0]
    return {"y": x * 10 + 0 * product[0, 0]}


def test_when_too_much_comes_the_rest_is_refused_at_once(tmp_path: Path) -> None:
    save(tmp_path / "slow" / "1", {"serving_default": (slow, [FLOATS])})
    batching = Batching(max_batch_size=4, max_enqueued_batches=2, num_batch_threads=1)
    numbers = [[float(client * 100 + turn) for turn in range(12)] for client in range(CLIENTS)]
    with (
        running(lambda: models_in(tmp_path), Settings(port=0, batching=batching)) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        [alone] = ask_in_turn(server.url, [1.0])
        [alone] = ask_in_turn(server.url, [1.0])
        replies = [
            reply
            for series in pool.map(ask_in_turn, [server.url] * CLIENTS, numbers)
            for reply in series
        ]
        page = server.core.metrics.page().decode()
    assert [reply.number for reply in replies] == [each for series in numbers for each in series]
    for reply in replies:
        answer = {200: {"predictions": [10 * reply.number]}, 503: {"error": FULL}}[reply.status]
        assert reply.content == answer
    answered = sorted(reply.seconds for reply in replies if reply.status == 200)
    refused = sorted(reply.seconds for reply in replies if reply.status == 503)
    assert len(answered) >= 12
    assert len(refused) >= 12
    assert f'status="OK"}} {len(answered) + 2}.0' in page
    assert f'status="UNAVAILABLE"}} {len(refused)}.0' in page
    # One batch runs and two wait, be there ever so many clients; these share the machine.
    assert answered[len(answered) * 99 // 100] < 20 * alone.seconds + 1
    assert statistics.median(refused) < statistics.median(answered)


@contextmanager
def rest(server: Listening) -> Iterator[Ask]:
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as connection:

        def ask() -> float:
            connection.request("POST", "/v1/models/scale:predict", '{"instances": [1.0]}')
            response = connection.getresponse()
            content = json.loads(response.read())
            assert response.status == 200, content
            return float(content["predictions"][0])

        yield ask


@contextmanager
def rpc(server: Listening) -> Iterator[Ask]:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "scale"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
    with grpc.insecure_channel(str(server.grpc_url).removeprefix("grpc://")) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield lambda: float(tf.make_ndarray(stub.Predict(request, timeout=60).outputs["y"])[0])


@pytest.mark.parametrize("connect", [rest, rpc])
def test_a_new_version_loses_no_request(
    connect: Callable[[Listening], AbstractContextManager[Ask]], tmp_path: Path
) -> None:
    base, last = tmp_path / "models" / "scale", 30.0
    for version in (1, 2, 3):
        save_scale(tmp_path / "made" / str(version), 10.0 * version)
    shutil.copytree(tmp_path / "made" / "1", base / "1")
    batching = Batching(max_batch_size=4)
    settings = Settings(port=0, grpc_port=0, batching=batching, poll_seconds=0.02)

    def ask_until_the_last(server: Listening) -> list[float]:
        found, end = [], time.monotonic() + 60
        with connect(server) as ask:
            while not found or found[-1] != last:
                assert time.monotonic() < end
                found.append(ask())
        return found

    with (
        running(lambda: models_in(base.parent), settings) as server,
        ThreadPoolExecutor(4) as pool,
    ):
        series = [pool.submit(ask_until_the_last, server) for _ in range(4)]
        for version in ("2", "3"):
            time.sleep(0.2)
            shutil.copytree(tmp_path / "made" / version, base / f".{version}")
            (base / f".{version}").rename(base / version)
    for answers in (each.result() for each in series):
        assert answers == sorted(answers)
        assert answers[0] == 10.0
