"""What reads the files in production, or the nearest thing that a test can run.

A check gets the path of a file and raises `RejectedError` with what is wrong.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

SCRIPTS = Path(sys.executable).parent
KUBERNETES = "1.31"

# Of a message: name, number, type and what else the type needs.
Fields = Sequence[tuple[str, int, int, str]]


class RejectedError(Exception):
    """A validator found a fault."""


def find(tool: str) -> str | None:
    """Where a program is; "python" for a library that can be imported."""
    if importlib.util.find_spec(tool):
        return "python"
    return shutil.which(tool, path=str(SCRIPTS)) or shutil.which(tool)


def program(*words: str) -> Callable[[Path], None]:
    """Makes a check of a command, whose word FILE is the file's name, run in its directory."""

    def check(path: Path) -> None:
        command = [find(words[0]) or words[0], *words[1:]]
        done = subprocess.run(
            [path.name if word == "FILE" else word for word in command],
            cwd=path.parent,
            env={"PATH": "/usr/bin:/bin:/usr/sbin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RejectedError(done.stdout + done.stderr)

    return check


def compose(path: Path) -> None:
    """Has Docker Compose read its file; the program's wrapper ends well whatever it finds."""
    done = subprocess.run(
        [str(find("docker-compose")), "--file", path.name, "config"],
        cwd=path.parent,
        env={"PATH": "/usr/bin:/bin", "OWNER": "1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "services:" not in done.stdout:
        raise RejectedError(done.stderr)


def kubernetes(path: Path) -> None:
    """Validates Kubernetes' own kinds."""
    for document in documents(path):
        validate_kind(document)


def validate_kind(document: dict[str, Any]) -> None:
    import kubernetes_validate

    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise RejectedError(str(error)) from error


def kserve(path: Path) -> None:
    """Validates InferenceServices: fields of KServe here, those of a pod by Kubernetes' schema."""
    import jsonschema

    text, number = {"type": "string"}, {"type": "integer", "minimum": 0}
    own_of_model = {
        "modelFormat": {"type": "object", "required": ["name"], "properties": {"name": text}},
        "protocolVersion": {"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]},
        "runtimeVersion": text,
        "storageUri": {"type": "string", "pattern": "^[a-z0-9]+://[^ ]+[^/]$"},
    }
    own = {
        "minReplicas": number,
        "maxReplicas": number,
        "timeout": number,
        "model": {"type": "object", "required": list(own_of_model), "properties": own_of_model},
    }
    predictor = {"type": "object", "required": ["model"], "properties": own}
    schema = {
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": "serving.kserve.io/v1beta1"},
            "kind": {"const": "InferenceService"},
            "metadata": {"type": "object", "required": ["name"]},
            "spec": {
                "type": "object",
                "required": ["predictor"],
                "properties": {"predictor": predictor},
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    }
    for document in documents(path):
        try:
            jsonschema.validate(document, schema)
        except jsonschema.ValidationError as error:
            raise RejectedError(str(error)) from error
        given = document["spec"]["predictor"]
        container = {k: v for k, v in given["model"].items() if k not in own_of_model}
        pod = {k: v for k, v in given.items() if k not in own}
        pod["containers"] = [{"name": "kserve-container", "image": "any", **container}]
        validate_kind(
            {"apiVersion": "v1", "kind": "Pod", "metadata": document["metadata"], "spec": pod}
        )


def crossplane(path: Path) -> None:
    """Parses nginx's file: directives are known, in their places, and have their arguments."""
    import crossplane as nginx_parser

    lines = path.read_text().splitlines()
    parsed = nginx_parser.parse(str(path), single=True, strict=True)
    faults = [each for each in parsed["errors"] if not _in_map(lines, each["line"])]
    if faults:
        raise RejectedError(str(faults))


def _in_map(lines: list[str], number: int) -> bool:
    """The lines of a map are no directives, though the parser takes them for some."""
    opened = [line for line in lines[:number] if line.rstrip().endswith("{")]
    return opened[-1].split()[0] == "map"


def nginx(path: Path) -> None:
    """Has nginx read its file, with secrets that `secrets.sh` makes."""
    directory = path.parent.parent
    if not (directory / "secrets").exists():
        program("sh", "FILE")(directory / "secrets.sh")
    text = path.read_text().replace("/etc/nginx/secrets", f"{directory}/secrets")
    local = path.with_name("local.conf")
    local.write_text(text.replace("server serving:", "server 127.0.0.1:"))
    program("nginx", "-t", "-c", str(local))(path)


def prometheus(path: Path) -> None:
    """Has promtool read Prometheus' file, with targets in the place of those that it asks for.

    Debian's promtool is built without Kubernetes; what is asked of that is checked here.
    """
    import jsonschema

    config = documents(path)[0]
    roles = ["node", "service", "pod", "endpoints", "endpointslice", "ingress"]
    discovery = {
        "type": "object",
        "required": ["role"],
        "properties": {"role": {"enum": roles}},
        "additionalProperties": False,
    }
    for job in config.get("scrape_configs", []):
        for asked in job.pop("kubernetes_sd_configs", []):
            try:
                jsonschema.validate(asked, discovery)
            except jsonschema.ValidationError as error:
                raise RejectedError(str(error)) from error
            job["static_configs"] = [{"targets": ["pod:8501"]}]
    found = path.with_name("found.yml")
    found.write_text(yaml.safe_dump(config))
    program("promtool", "check", "config", "FILE")(found)


def promql(path: Path) -> None:
    """Parses every expression of rules, or of a dashboard."""
    import promql_parser

    for expression in expressions(path):
        try:
            promql_parser.parse(expression)
        except ValueError as error:
            raise RejectedError(f"{expression}: {error}") from error


def expressions(path: Path) -> Iterator[str]:
    if path.suffix == ".json":
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield target["expr"].replace("$__rate_interval", "5m")
        return
    for group in documents(path)[0]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def documents(path: Path) -> list[Any]:
    try:
        return list(yaml.safe_load_all(path.read_text()))
    except yaml.YAMLError as error:
        raise RejectedError(str(error)) from error


def text_proto(message: Callable[[], Any]) -> Callable[[Path], None]:
    """Makes a check that a file is the text form of a protocol buffer."""

    def check(path: Path) -> None:
        from google.protobuf import text_format

        try:
            text_format.Parse(path.read_text(), message())
        except text_format.ParseError as error:
            raise RejectedError(str(error)) from error

    return check


def model_config() -> Any:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    return ModelServerConfig()


def batching_parameters() -> Any:
    """The message that `tensorflow-serving-api` lacks, from its declaration in the server."""
    wrapped = {"max_batch_size": 1, "batch_timeout_micros": 2, "max_enqueued_batches": 3}
    wrapped |= {"num_batch_threads": 4}
    return _message(
        "BatchingParameters",
        [
            *((name, number, 11, "google.protobuf.Int64Value") for name, number in wrapped.items()),
            ("thread_pool_name", 5, 11, "google.protobuf.StringValue"),
            ("allowed_batch_sizes", 6, 3, "repeated"),
            ("pad_variable_length_inputs", 7, 8, ""),
        ],
    )


def monitoring_config() -> Any:
    """See above."""
    inner = [("enable", 1, 8, ""), ("path", 2, 9, "")]
    return _message("MonitoringConfig", [("prometheus_config", 1, 11, "test.Inner")], inner)


def _message(name: str, fields: Fields, inner: Fields = ()) -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    file = descriptor_pb2.FileDescriptorProto(
        name="test.proto", package="test", syntax="proto3", dependency=[wrappers.name]
    )
    for message, declared in ((name, fields), ("Inner", inner)):
        described = file.message_type.add(name=message)
        for field, number, kind, more in declared:
            described.field.add(
                name=field,
                number=number,
                type=kind,
                label=3 if more == "repeated" else 1,
                type_name=f".{more}" if "." in more else None,
            )
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))()


def metric_names(path: Path) -> set[str]:
    """The server's metrics that expressions ask for."""
    found = re.findall(r":tensorflow:[a-z_:]+|tfaigc_serving_[a-z_]+", " ".join(expressions(path)))
    return {
        re.sub("_bucket$|(?<=_tokens)_(sum|count)$|(?<=_score)_(sum|count)$", "", name)
        for name in found
    }
