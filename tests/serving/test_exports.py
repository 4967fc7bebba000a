"""What tfaigc exports is answered alike by model, process, REST and gRPC, alone and in batches."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import tfaigc
from tfaigc.export.fresh_process import run_questions
from tfaigc.serving import Client
from tfaigc.serving.batching import Batching
from tfaigc.serving.server import Listening, Settings, running
from tfaigc.serving.versions import models_in

TEXTS = ["a gorgeous film", "dull", "this plot is very bad and this story too", "größer (naïve)!"]


@pytest.fixture(scope="module")
def classifier(tiny_classifier: Path) -> tfaigc.TextClassifier:
    return tfaigc.TextClassifier.from_pretrained(tiny_classifier, max_length=32)


@pytest.fixture(scope="module")
def exported(
    classifier: tfaigc.TextClassifier,
    tmp_path_factory: pytest.TempPathFactory,
    copied_verifier: None,
) -> Path:
    return classifier.export(tmp_path_factory.mktemp("exports") / "reviews")


@pytest.fixture(scope="module", params=[1, 8], ids=["alone", "batches"])
def listening(request: pytest.FixtureRequest, exported: Path) -> Iterator[Listening]:
    batching = Batching(max_batch_size=request.param, batch_timeout_micros=20_000)
    settings = Settings(port=0, grpc_port=0, batching=batching)
    with running(lambda: models_in(exported.parent), settings) as server:
        yield server


@pytest.fixture(scope="module")
def expected(exported: Path) -> list[dict[str, Any]]:
    """The rows that the SavedModel gives in a process with TensorFlow alone."""
    [outputs] = run_questions(exported, [("serving_default", {"text": TEXTS})])
    columns = {name: value.tolist() for name, value in outputs.items()}
    columns["label"] = [label.decode() for label in columns["label"]]
    return [{name: columns[name][row] for name in columns} for row in range(len(TEXTS))]


def alike(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    """Whether labels are equal, and numbers to 1e-5."""
    return [row["label"] for row in found] == [row["label"] for row in expected] and all(
        row["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)
        and row["score"] == pytest.approx(wanted["score"], abs=1e-5)
        for row, wanted in zip(found, expected, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("url", ["url", "grpc_url"])
def test_every_way_gives_the_same_answers(
    classifier: tfaigc.TextClassifier,
    listening: Listening,
    expected: list[dict[str, Any]],
    url: str,
) -> None:
    with Client(getattr(listening, url)) as client, ThreadPoolExecutor(4) as pool:
        assert alike(client.predict("reviews", TEXTS), expected)
        columns = client.predict_columns("reviews", {"text": TEXTS})
        rows = [{name: columns[name][row] for name in columns} for row in range(len(TEXTS))]
        assert alike(rows, expected)
        ask = [pool.submit(client.predict, "reviews", [text]) for text in TEXTS]
        assert alike([each.result()[0] for each in ask], expected)
    inferred = classifier.infer(TEXTS)
    assert [row["label"] for row in inferred] == [row["label"] for row in expected]
    assert [row["score"] for row in inferred] == pytest.approx(
        [row["score"] for row in expected], abs=1e-5
    )
