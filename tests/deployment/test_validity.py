"""Each file passes the validator of whoever reads it, and a planted fault does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import deployment_validators as validators
import pytest
from deployment_validators import RejectedError, program, text_proto


class Case(NamedTuple):
    """A file of some targets, the check that reads it, and a fault to plant."""

    check: str
    targets: str
    file: str
    right: str
    wrong: str


# Each with the program or library that it needs.
CHECKS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "compose": ("docker-compose", validators.compose),
    "hadolint": ("hadolint", program("hadolint", "FILE")),
    "models": ("tensorflow_serving", text_proto(validators.model_config)),
    "batching": ("google.protobuf", text_proto(validators.batching_parameters)),
    "monitoring": ("google.protobuf", text_proto(validators.monitoring_config)),
    "promql": ("promql_parser", validators.promql),
    "rules": ("promtool", program("promtool", "check", "rules", "FILE")),
    "rule tests": ("promtool", program("promtool", "test", "rules", "FILE")),
    "prometheus": ("promtool", validators.prometheus),
    "crossplane": ("crossplane", validators.crossplane),
    "nginx": ("nginx", validators.nginx),
    "bash": ("bash", program("bash", "-n", "FILE")),
    "sh": ("sh", program("sh", "-n", "FILE")),
    "kubernetes": ("kubernetes_validate", validators.kubernetes),
    "kserve": ("kubernetes_validate", validators.kserve),
}

CASES = [
    Case("compose", "docker", "compose.yaml", "read_only: true", "read_onyl: true"),
    Case("compose", "docker", "compose.yaml", "networks: [inside]", "networks: [nowhere]"),
    Case("hadolint", "docker kubernetes", "Dockerfile", "serving:2.21.0", "serving:latest"),
    Case("models", "docker", "config/models.config", "version_labels", "labels"),
    Case("models", "kubernetes", "config/models.config", "latest {", "newest {"),
    Case("batching", "docker kserve", "config/batching.config", "num_batch_threads", "threads"),
    Case("batching", "kubernetes", "config/batching.config", "value: 32", "value: many"),
    Case("monitoring", "docker kserve", "config/monitoring.config", "enable: true", "on: true"),
    Case("promql", "docker kserve", "monitoring/alerts.yml", "rate(", "rate{"),
    Case("promql", "docker kserve", "monitoring/dashboard.json", "sum by (", "sum by {"),
    Case("rules", "docker kserve", "monitoring/alerts.yml", "rate(", "rate{"),
    Case("rule tests", "docker kserve", "monitoring/alerts_test.yml", "1x4 0x10", "1x20"),
    Case(
        "prometheus",
        "docker kubernetes kserve",
        "monitoring/prometheus.yml",
        "metrics_path",
        "metrics_paths",
    ),
    Case("prometheus", "kubernetes kserve", "monitoring/prometheus.yml", "role: pod", "role: pods"),
    Case("prometheus", "kubernetes kserve", "monitoring/prometheus.yml", "action: keep", "keep: 1"),
    Case("crossplane", "docker kubernetes", "config/nginx.conf", "ssl_session_tickets", "tickets"),
    Case(
        "crossplane", "docker kubernetes", "config/nginx.conf", "server_tokens off", "server_tokens"
    ),
    Case("nginx", "docker kubernetes", "config/nginx.conf", "upstream off", "upstream no"),
    Case("bash", "docker kubernetes", "config/ready.sh", "done", ""),
    Case("sh", "docker kubernetes", "secrets.sh", "esac", ""),
    Case("kubernetes", "kubernetes", "autoscaling.yaml", "maxReplicas: 10", "maxReplicas: many"),
    Case("kubernetes", "kubernetes kserve", "configmap.yaml", "data:", "date:"),
    Case("kubernetes", "kubernetes", "deployment.yaml", "readOnlyRoot", "readonlyRoot"),
    Case("kubernetes", "kubernetes", "deployment.yaml", "startupProbe", "startProbe"),
    Case("kubernetes", "kubernetes", "disruption.yaml", "maxUnavailable", "maxUnavailible"),
    Case("kubernetes", "kubernetes", "network.yaml", "policyTypes", "policies"),
    Case("kubernetes", "kubernetes", "service.yaml", "port: 443", "port: https"),
    Case("kserve", "kserve", "inferenceservice.yaml", "storageUri", "storageURI"),
    Case("kserve", "kserve", "inferenceservice.yaml", "v1beta1", "v1beta2"),
    Case("kserve", "kserve", "inferenceservice.yaml", "runAsNonRoot", "runAsNonroot"),
    Case("kserve", "kserve", "inferenceservice.yaml", "httpGet", "httpget"),
]


@pytest.mark.parametrize(
    ("target", "case"),
    [
        pytest.param(target, case, id=f"{case.check}: {target}/{case.file}, {case.wrong}")
        for case in CASES
        for target in case.targets.split()
    ],
)
def test_a_file_is_valid_and_a_fault_in_it_is_found(
    target: str, case: Case, deployed: Callable[[str], Path], tmp_path: Path
) -> None:
    tool, check = CHECKS[case.check]
    if not validators.find(tool):
        pytest.skip(f"{tool} is not installed")
    shutil.copytree(deployed(target), tmp_path / "copy")
    file = tmp_path / "copy" / case.file
    check(file)
    text = file.read_text()
    assert case.right in text
    file.write_text(text.replace(case.right, case.wrong))
    with pytest.raises(RejectedError):
        check(file)


def files_that_need_a_case(directory: Path) -> Iterator[str]:
    for path in directory.rglob("*"):
        place = path.relative_to(directory).as_posix()
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".md":
            yield place


@pytest.mark.parametrize("target", ["docker", "kubernetes", "kserve"])
def test_every_file_has_a_validator(target: str, deployed: Callable[[str], Path]) -> None:
    checked = {case.file for case in CASES if target in case.targets.split()}
    for file in files_that_need_a_case(deployed(target)):
        # What several targets have of the same templates is checked for one or two of them.
        assert file in checked or file.startswith(("monitoring/", "config/", "grafana/")), file


def test_what_the_tools_on_the_index_check_is_not_skipped_where_they_are_asked_for() -> None:
    # nginx and promtool come from a system's packages; the rest is in the extra `dev`.
    missing = {tool for tool, _ in CHECKS.values() if not validators.find(tool)}
    assert missing <= {"nginx", "promtool", "docker-compose"}
