"""What the files say, and what `tfaigc deploy` refuses."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import ssl
import subprocess
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deployment_validators as validators
import pytest
import yaml
from deployments import deploy, make_export

from tfaigc.deployment import Batching
from tfaigc.serving.metrics import Metrics
from tfaigc.serving.model_config import read_model_config
from tfaigc.serving.watch_metrics import WatchMetrics

Deployed = Callable[[str], Path]


def contents(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_same_command_writes_the_same_files(exports: Path, tmp_path: Path) -> None:
    written = []
    for out in (tmp_path / "a", tmp_path / "b"):
        result = deploy(exports, "--target", "kubernetes", "--out", out)
        assert result.exit_code == 0, result.output
        assert result.output.count(str(out)) >= 2
        written.append(contents(out))
    assert written[0] == written[1]
    assert all(text.endswith("\n") for text in written[0].values())


def test_the_command_says_what_it_did_and_what_comes_next(exports: Path, tmp_path: Path) -> None:
    out = tmp_path / "my files"
    result = deploy(exports / "sentiment", "--out", out)
    assert "sentiment: version 3" in result.output
    assert "tensorflow/serving:2.21.0" in result.output
    assert f"cd '{out}' && sh secrets.sh && docker compose up" in result.output


def test_the_server_takes_the_models_and_labels(deployed: Deployed) -> None:
    tags, sentiment = read_model_config(deployed("docker") / "config/models.config")
    assert (tags.name, tags.policy.latest, tags.policy.specific) == ("Tags_2.0", 1, ())
    assert sentiment.policy.specific == (2, 3)
    assert sentiment.labels == {"canary": 3, "stable": 2}
    assert str(sentiment.base_path) == "/models/sentiment"
    compose = yaml.safe_load((deployed("docker") / "compose.yaml").read_text())
    flags = compose["services"]["serving"]["command"]
    assert "--allow_version_labels_for_unavailable_models=true" in flags
    config = read_model_config(deployed("kubernetes") / "config/models.config")
    assert [each.policy.latest for each in config] == [2, 2]


def test_compose_gets_any_path_and_shuts_the_server_in(deployed: Deployed, exports: Path) -> None:
    services = yaml.safe_load((deployed("docker") / "compose.yaml").read_text())["services"]
    [volume] = [v for v in services["serving"]["volumes"] if v["target"] == "/models/sentiment"]
    assert volume["source"].replace("$$", "$") == str(exports / "sentiment")
    assert "$$HOME" in volume["source"]
    assert "ports" not in services["serving"]
    assert services["proxy"]["ports"] == ["8443:8443"]
    for service in ("serving", "proxy"):
        assert services[service]["read_only"]
        assert services[service]["cap_drop"] == ["ALL"]


def test_the_image_has_the_served_versions_and_the_newest_exporter(deployed: Deployed) -> None:
    lines = (deployed("kubernetes") / "Dockerfile").read_text().splitlines()
    assert "FROM tensorflow/serving:2.21.0" in lines
    copied = [line.split()[-1] for line in lines if line.startswith("COPY --from")]
    assert copied == ["/models/Tags_2.0/7", "/models/sentiment/2", "/models/sentiment/3"]
    assert "USER 65532:65532" in lines


def test_the_pods_have_the_files_and_restart_with_them(deployed: Deployed) -> None:
    directory = deployed("kubernetes")
    [config] = validators.documents(directory / "configmap.yaml")
    assert config["data"] == contents(directory / "config")
    [pods] = validators.documents(directory / "deployment.yaml")
    template = pods["spec"]["template"]
    assert len(template["metadata"]["annotations"]["tfaigc/config-hash"]) == 64
    assert template["spec"]["securityContext"]["runAsNonRoot"]
    serving, proxy = template["spec"]["containers"]
    for container in (serving, proxy):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["resources"]["limits"]["memory"]
    for probe in ("startupProbe", "readinessProbe"):
        assert serving[probe]["exec"]["command"] == ["bash", "/etc/tfserving/ready.sh"]
    [network] = validators.documents(directory / "network.yaml")
    assert network["spec"]["ingress"][0] == {"ports": [{"port": "https"}]}
    assert network["spec"]["egress"] == []


def test_one_batch_size_means_no_batching(exports: Path, tmp_path: Path) -> None:
    assert deploy(exports, "--out", tmp_path / "a", "--max-batch-size", 1).exit_code == 0
    assert "enable_batching" not in (tmp_path / "a/compose.yaml").read_text()
    assert Batching(max_batch_size=12).allowed_batch_sizes == [1, 2, 4, 8, 12]
    assert Batching(max_batch_size=1).allowed_batch_sizes == [1]


def test_alerts_and_panels_ask_for_metrics_that_there_are(deployed: Deployed) -> None:
    metrics = Metrics()
    WatchMetrics(metrics.registry)
    page = metrics.page().decode()
    for file in ("alerts.yml", "dashboard.json"):
        names = validators.metric_names(deployed("docker") / "monitoring" / file)
        assert len(names) >= 4
        for name in names:
            assert f"# TYPE {name} " in page or f"# HELP {name} " in page, name
    groups = validators.documents(deployed("docker") / "monitoring/alerts.yml")[0]["groups"]
    tests = (deployed("docker") / "monitoring/alerts_test.yml").read_text()
    alerts = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == 10
    for alert in alerts:
        assert tests.count(f"alertname: {alert}") >= 2


def test_grafana_can_show_the_dashboard(deployed: Deployed) -> None:
    dashboard = json.loads((deployed("docker") / "monitoring/dashboard.json").read_text())
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]}
    assert len(places) == len({p["id"] for p in dashboard["panels"]}) == len(dashboard["panels"])
    assert "{{model_name}}" in json.dumps(dashboard)
    assert 'job="models"' in dashboard["panels"][0]["targets"][0]["expr"]


def test_secrets_are_made_once_and_only_digests_kept(deployed: Deployed, tmp_path: Path) -> None:
    if not validators.find("openssl"):
        pytest.skip("openssl is not installed")
    script = tmp_path / "secrets.sh"
    script.write_text((deployed("kubernetes") / "secrets.sh").read_text())
    tokens = []
    for arguments in ([], ["alice"]):
        done = subprocess.run(["sh", str(script), *arguments], capture_output=True, check=True)
        tokens.append(done.stdout.decode().strip())
    lines = (tmp_path / "secrets/tokens.map").read_text().splitlines()
    for line, token in zip(lines, tokens, strict=True):
        digest = hashlib.md5(f"Bearer {token}".encode()).digest()
        name = token.partition(".")[0]
        shown = urlsafe_b64encode(digest).decode().rstrip("=")
        assert line == f'"~^Bearer {name}[.]" "{shown}";'
        assert token not in line
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "secrets/tls.crt", tmp_path / "secrets/tls.key")
    assert os.stat(tmp_path / "secrets/tls.key").st_mode & 0o077 == 0
    for name in ("alice", "A;b"):
        again = subprocess.run(["sh", str(script), name], capture_output=True, check=False)
        assert again.returncode == 2


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ({"Tags_2.0": "AVAILABLE", "sentiment": "AVAILABLE"}, 0),
        ({"Tags_2.0": "AVAILABLE", "sentiment": "LOADING"}, 1),
        ({"Tags_2.0": "AVAILABLE"}, 1),
    ],
    ids=["ready", "one is loading", "one is not known"],
)
def test_the_probe_reads_the_state_of_each_model(
    states: dict[str, str], status: int, deployed: Deployed
) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state = states.get(self.path.removeprefix("/v1/models/"))
            self.send_response(200 if state else 404)
            self.end_headers()
            told: Any = {"model_version_status": [{"version": "1", "state": state}]}
            self.wfile.write(json.dumps(told if state else {"error": "not found"}).encode())

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        script = deployed("docker") / "config/ready.sh"
        environment = {**os.environ, "REST_PORT": str(server.server_port)}
        done = subprocess.run(["bash", str(script)], env=environment, check=False, timeout=20)
        server.shutdown()
    assert done.returncode == status


def test_the_exporter_is_read_from_the_graph_of_other_models(tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.meta_graphs.add().meta_info_def.tensorflow_version = "2.19.0-rc1"
    version = tmp_path / "foreign" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(model.SerializeToString())
    result = deploy(tmp_path / "foreign", "--out", tmp_path / "out")
    assert "tensorflow/serving:2.19.0" in result.output, result.output


REFUSED = [
    (["nowhere"], "The directory of models must exist"),
    (["empty"], "must hold versions"),
    (["m", "--label", "stable"], "A label must be LABEL=VERSION"),
    (["m", "--label", "other/stable=1"], "A label must be LABEL=VERSION"),
    (["m", "--label", "stable=9"], "A label must be of a version of m: 1, 2. Received: stable=9"),
    (["m", "--label", "a=1", "--label", "a=2"], "A label must be for one version"),
    (["m", "--label", "a b=1"], "A version's label must match"),
    (["m", "m"], "Each model must have a name of its own. Received: 'm' twice"),
    (["a b"], "A model's name must match"),
    (["m", "--name", "Big Name"], "A model's name must match"),
    (["m", "--name", "M"], "The deployment's name must match"),
    (["m", "--image", "a b"], "image must match"),
    (["m", "--memory", "4GB"], "memory must match"),
    (["m", "--server-version", "new"], "The server's version must match"),
    (["m", "--min-replicas", "11"], "max_replicas must be at least min_replicas"),
    (["m", "--target", "kserve"], "KServe must be told where the models are stored"),
    (["m", "--target", "kserve", "--storage-uri", "x"], "storage_uri must match"),
    (
        ["m", "--target", "kserve", "--storage-uri", "s3://x", "--label", "a=1"],
        "Labels must be for",
    ),
    (["M_1", "--target", "kserve", "--storage-uri", "s3://x"], "A model's name in KServe"),
    (["broken"], "must have a readable saved_model.pb"),
    (["mute"], "must tell the TensorFlow that wrote it"),
    (["m", "--target", "swarm"], "'swarm' is not one of"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("desk")
    (directory / "empty").mkdir()
    make_export(directory / "m", 1, 2)
    make_export(directory / "a b", 1)
    make_export(directory / "M_1", 1)
    make_export(directory / "mute", 1, tensorflow="unknown")
    make_export(directory / "broken", 1)
    (directory / "broken/1/assets.extra/tfaigc.json").unlink()
    (directory / "broken/1/saved_model.pb").write_bytes(b"nonsense")
    return directory


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda each: str(each)[:40])
def test_what_cannot_be_is_refused(
    arguments: list[str], message: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    result = deploy(*arguments, "--out", "new/out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (desk / "new").exists()


def test_nothing_of_the_user_is_replaced(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    for out in (tmp_path, tmp_path / "notes"):
        result = deploy(desk / "m", "--out", out)
        assert result.exit_code == 2
        assert "must be new or empty" in result.stderr
    assert contents(tmp_path) == {"notes": "mine"}


def test_nothing_half_written_stays(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tfaigc.directories.os.rename", full_disk)
    result = deploy(desk / "m", "--out", tmp_path / "a" / "b")
    assert result.exit_code == 2
    assert "Free some space" in result.stderr
    assert list(tmp_path.iterdir()) == []
