"""Versions come and go without a request being lost."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import served_models
import tensorflow as tf
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tfaigc.serving.core import Core
from tfaigc.serving.manager import ModelSpec, State
from tfaigc.serving.statuses import Code, RequestError
from tfaigc.serving.versions import ModelConfig, VersionPolicy


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version to make others of."""
    return served_models.save_scale(tmp_path_factory.mktemp("saved") / "1", 10.0)


@pytest.fixture
def base(tmp_path: Path, saved: Path) -> Path:
    """The directory of a model with one version."""
    shutil.copytree(saved, tmp_path / "scales" / "1")
    return tmp_path / "scales"


@pytest.fixture
def core() -> Iterator[Core]:
    core = Core()
    yield core
    core.close()


def states(core: Core, name: str = "scales") -> dict[int, str]:
    return {
        version: status.state.name
        for version, status in core.manager.statuses(ModelSpec(name)).items()
    }


def watch(core: Core, base: Path, policy: VersionPolicy | None = None) -> None:
    core.manager.configure([ModelConfig("scales", base, policy or VersionPolicy())])
    core.manager.refresh()


def write_warm_up(version: Path, *records: bytes) -> None:
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def recorded(signature: str = "", name: str = "x") -> bytes:
    request = PredictRequest()
    request.model_spec.signature_name = signature
    request.inputs[name].CopyFrom(tf.make_tensor_proto(np.ones(2, np.float32)))
    log = PredictionLog()
    log.predict_log.request.CopyFrom(request)
    return log.SerializeToString()


def test_the_new_version_takes_the_place_of_the_old(core: Core, base: Path) -> None:
    watch(core, base)
    assert states(core) == {1: "AVAILABLE"}
    shutil.copytree(base / "1", base / "2")
    core.manager.refresh()
    assert states(core) == {2: "AVAILABLE", 1: "END"}
    shutil.rmtree(base / "2")
    core.manager.refresh()
    assert states(core) == {2: "END", 1: "AVAILABLE"}


def test_a_broken_version_leaves_the_old_one_and_says_why(core: Core, base: Path) -> None:
    watch(core, base)
    shutil.copytree(base / "1", base / "2")
    (base / "2" / "saved_model.pb").write_bytes(b"nothing")
    for _ in range(2):
        core.manager.refresh()
    assert states(core) == {2: "END", 1: "AVAILABLE"}
    status = core.manager.statuses(ModelSpec("scales"))[2]
    assert status.code is not Code.OK
    assert "saved_model.pb" in status.message
    assert b'load_attempt_count{model_path="%s",status="fail"} 1.0' % bytes(base / "2") in (
        core.metrics.page()
    )
    shutil.copy(base / "1" / "saved_model.pb", base / "2")
    core.manager.refresh()
    assert states(core) == {2: "AVAILABLE", 1: "END"}


@pytest.mark.parametrize("fault", ["variables", "empty", "truncated"])
def test_other_ways_to_be_broken(core: Core, base: Path, fault: str) -> None:
    watch(core, base)
    if fault == "empty":
        (base / "2").mkdir()
    else:
        module = tf.Module()
        module.weight = tf.Variable([1.0] * 1000)
        function = tf.function(lambda x: {"y": x * module.weight[0]}, [served_models.FLOATS])
        tf.saved_model.save(module, str(base / "2"), {"serving_default": function})
        [data] = (base / "2" / "variables").glob("*.data*")
        if fault == "variables":
            data.unlink()
        else:
            data.write_bytes(data.read_bytes()[:100])
    core.manager.refresh()
    assert states(core) == {2: "END", 1: "AVAILABLE"}


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        (VersionPolicy(latest=2), {2, 3}),
        (VersionPolicy(latest=None), {1, 2, 3}),
        (VersionPolicy(specific=(1, 3, 8)), {1, 3}),
    ],
)
def test_policies_choose_what_is_loaded(
    core: Core, base: Path, policy: VersionPolicy, served: set[int]
) -> None:
    for version in (2, 3):
        shutil.copytree(base / "1", base / str(version))
    watch(core, base, policy)
    assert set(states(core)) == served
    watch(core, base, VersionPolicy(specific=(2,)))
    available = {version for version, state in states(core).items() if state == "AVAILABLE"}
    assert available == {2}


def test_the_same_number_elsewhere_is_another_version(
    core: Core, base: Path, tmp_path: Path
) -> None:
    def answer() -> float:
        with core.manager.lent(ModelSpec("scales")) as servable:
            ones = np.ones(1, "float32")
            return float(servable.submit("serving_default", {"x": ones}).result()["y"][0])

    watch(core, base)
    assert answer() == 10.0
    elsewhere = tmp_path / "elsewhere"
    served_models.save_scale(elsewhere / "1", 3.0)
    (elsewhere / "1" / "saved_model.pb").rename(elsewhere / "kept")
    watch(core, elsewhere)
    assert states(core) == {1: "AVAILABLE"}
    assert core.manager.statuses(ModelSpec("scales"))[1].code is not Code.OK
    assert answer() == 10.0
    (elsewhere / "kept").rename(elsewhere / "1" / "saved_model.pb")
    core.manager.refresh()
    assert core.manager.statuses(ModelSpec("scales"))[1].code is Code.OK
    assert answer() == 3.0


def test_a_disk_that_goes_away_takes_nothing_along(core: Core, base: Path) -> None:
    watch(core, base)
    shutil.rmtree(base)
    core.manager.refresh()
    base.mkdir()
    core.manager.refresh()
    assert states(core) == {1: "AVAILABLE"}
    core.manager.configure([])
    core.manager.refresh()
    with pytest.raises(RequestError, match="Could not find any versions"):
        states(core)


def test_a_version_in_use_stays_until_it_is_given_back(core: Core, base: Path) -> None:
    watch(core, base)
    shutil.copytree(base / "1", base / "2")
    with core.manager.lent(ModelSpec("scales")) as servable:
        assert servable.version == 1
        refreshing = threading.Thread(target=core.manager.refresh)
        refreshing.start()
        while State[states(core)[1]] < State.UNLOADING:
            refreshing.join(0.005)
        with core.manager.lent(ModelSpec("scales")) as newest:
            assert newest.version == 2
        inputs = {"x": np.array([1.5], dtype=np.float32)}
        answer = servable.submit("serving_default", inputs).result(10)
        assert answer["y"].tolist() == [15.0]
        assert refreshing.is_alive()
    refreshing.join(10)
    assert states(core) == {2: "AVAILABLE", 1: "END"}


def test_no_request_is_lost_while_versions_change(core: Core, base: Path) -> None:
    watch(core, base)
    faults: list[str] = []
    ended = threading.Event()

    def ask() -> None:
        inputs = {"x": np.array([1.0], dtype=np.float32)}
        while not ended.is_set():
            try:
                with core.manager.lent(ModelSpec("scales")) as servable:
                    answer = servable.submit("serving_default", inputs).result(10)
                assert answer["y"].tolist() == [10.0]
            except Exception as error:
                faults.append(repr(error))
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(2, 6):
        shutil.copytree(base / "1", base / f".{version}")
        (base / f".{version}").rename(base / str(version))
        core.manager.refresh()
    ended.set()
    for thread in threads:
        thread.join(10)
    assert not faults
    assert states(core)[5] == "AVAILABLE"


def test_recorded_requests_warm_a_version_up(core: Core, base: Path, models: Path) -> None:
    write_warm_up(base / "1", recorded(), recorded("serving_default"))
    watch(core, base)
    assert states(core) == {1: "AVAILABLE"}
    assert b'model_warmup_latency_count{model_path="%s",status="OK"} 1.0' % bytes(base / "1") in (
        core.metrics.page()
    )
    shutil.copytree(models / "examples" / "1", base / "2")
    log = PredictionLog()
    request = ClassificationRequest()
    request.input.example_list_with_context.examples.add()
    log.classify_log.request.CopyFrom(request)
    write_warm_up(base / "2", log.SerializeToString())
    core.manager.refresh()
    assert states(core) == {2: "AVAILABLE", 1: "END"}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([recorded("nonesuch")], 'record 1: Serving signature name: "nonesuch" not found'),
        ([recorded(), recorded(name="z")], "record 2: input tensor alias not found"),
        ([b"\xff\xff"], "Failed to parse warmup record"),
        ([b""], "Unsupported log_type for warmup: None"),
        ([recorded()] * 1001, "exceeds the maximum"),
    ],
)
def test_a_version_that_cannot_be_warmed_up_is_not_served(
    core: Core, base: Path, records: list[bytes], message: str
) -> None:
    watch(core, base)
    shutil.copytree(base / "1", base / "2")
    write_warm_up(base / "2", *records)
    core.manager.refresh()
    assert states(core) == {2: "END", 1: "AVAILABLE"}
    assert message in core.manager.statuses(ModelSpec("scales"))[2].message


def test_a_torn_record_fails_the_version(core: Core, base: Path) -> None:
    write_warm_up(base / "1", recorded())
    path = base / "1" / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-5])
    watch(core, base)
    assert states(core) == {1: "END"}
