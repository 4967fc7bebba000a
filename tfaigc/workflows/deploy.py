"""``tfaigc deploy``: production files for exported models."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfaigc.deployment import (
    Batching,
    Deployment,
    ServedModel,
    deployment_files,
    refuse_what_is_there,
    write_files,
)
from tfaigc.errors import ConfigError, ExportError
from tfaigc.export import latest_version, read_metadata
from tfaigc.workflows.screen import Screen


def deploy(
    directories: Sequence[str],
    *,
    target: str,
    out: str,
    name: str | None = None,
    labels: Sequence[str] = (),
    latest: int = 1,
    server_version: str | None = None,
    batching: Batching | None = None,
    screen: Screen,
    **settings: Any,
) -> None:
    """Writes the files that production needs.

    Args:
        directories: Each holds the versions of a model, or models.
        target: `docker`, `kubernetes` or `kserve`.
        out: Where the files go; new or empty.
        name: What the deployment is called, and a single model; None: as the model is.
        labels: ``LABEL=VERSION``, or ``MODEL/LABEL=VERSION`` where there are several models.
        latest: How many of the newest versions are served of models without labels.
        server_version: The version of TensorFlow Serving; None: that of the exporting TensorFlow.
        batching: How requests share runs; None: the defaults.
        screen: Where remarks go.
        settings: Further attributes of `Deployment`.

    Raises:
        TfaigcError: A model cannot be read, a setting cannot be, or the directory holds something.
    """
    directory = Path(out).absolute()
    refuse_what_is_there(directory)
    models = _models(directories, name, labels, latest)
    deployment = Deployment(
        name=name or _default_name(models),
        target=target,
        models=tuple(models),
        server_version=_whole(server_version) if server_version else _newest_exporter(models),
        latest=latest,
        batching=batching or Batching(),
        **settings,
    )
    files = deployment_files(deployment)
    write_files(directory, files)
    for model in models:
        screen.fact("model", f"{model.name}: {_served(model)}")
    screen.fact("server", f"tensorflow/serving:{deployment.server_version}")
    screen.result(f"{out}: {len(files)} files, described in {Path(out) / 'README.md'}")
    screen.next_line(_next(deployment, out))


def _models(
    directories: Sequence[str], name: str | None, labels: Sequence[str], latest: int
) -> list[ServedModel]:
    """Finds the models, and the versions of each that are to be served."""
    from tfaigc.serving.versions import models_in

    found = [config for directory in directories for config in models_in(Path(directory))]
    if name is not None and len(found) == 1:
        [config] = models_in(found[0].base_path, name)
        found = [config]
    by_model = _labels(labels, [config.name for config in found])
    return [
        _model(config.name, config.base_path, by_model.get(config.name, {}), latest)
        for config in found
    ]


def _model(name: str, path: Path, labels: Mapping[str, int], latest: int) -> ServedModel:
    from tfaigc.serving.versions import versions_on_disk

    whole = {
        number: version
        for number, version in versions_on_disk(path).items()
        if (version / "saved_model.pb").is_file()
    }
    for label, number in labels.items():
        if number not in whole:
            raise ConfigError(
                f"A label must be of a version of {name}: {', '.join(map(str, sorted(whole)))}. "
                f"Received: {label}={number}. Name one of these."
            )
    # Raises where there is none at all.
    latest_version(path)
    chosen = sorted(set(labels.values()) or sorted(whole)[-latest:])
    size = sum(
        file.stat().st_size
        for number in chosen
        for file in whole[number].rglob("*")
        if file.is_file()
    )
    return ServedModel(name, path, tuple(chosen), labels, size)


def _labels(given: Sequence[str], models: Sequence[str]) -> dict[str, dict[str, int]]:
    """Reads ``stable=3`` and ``MODEL/stable=3``."""
    found: dict[str, dict[str, int]] = {}
    for text in given:
        place, equals, number = text.rpartition("=")
        model, _, label = place.rpartition("/")
        if not model and len(models) == 1:
            model = models[0]
        if not equals or not number.isdecimal() or model not in models:
            raise ConfigError(
                "A label must be LABEL=VERSION, or MODEL/LABEL=VERSION with one of several models: "
                f"{', '.join(models)}. Received: {text!r}. Write {models[0]}/stable=1, say."
            )
        if label in found.setdefault(model, {}):
            raise ConfigError(
                f"A label must be for one version. Received: {text!r} for another. Leave one out."
            )
        found[model][label] = int(number)
    return found


def _default_name(models: Sequence[ServedModel]) -> str:
    """Makes a name that DNS takes."""
    name = models[0].name if len(models) == 1 else "models"
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in name.lower())
    return plain[:50].strip("-") if plain[0].isalpha() else f"model-{plain}"[:50].strip("-")


def _newest_exporter(models: Sequence[ServedModel]) -> str:
    """Finds the server that is not older than any exporter: a model's minor version counts."""
    versions = [_exporter(model.path / str(each)) for model in models for each in model.versions]
    return _whole(max(versions, key=lambda text: [int(part) for part in text.split(".")]))


def _exporter(version: Path) -> str:
    """Reads which TensorFlow wrote a SavedModel: major and minor version."""
    try:
        made = str(read_metadata(version)["export"]["tensorflow_version"])
    except (ExportError, KeyError, TypeError):
        made = _exporter_in_graph(version)
    parts = made.split(".")[:2]
    if len(parts) < 2 or not all(part.isdecimal() for part in parts):
        raise ExportError(
            f"A SavedModel must tell the TensorFlow that wrote it. Received: {version}, which says "
            f"{made!r}. Pass --server-version."
        )
    return ".".join(parts)


def _exporter_in_graph(version: Path) -> str:
    from google.protobuf.message import DecodeError

    from tfaigc.export.inspection import read_meta_graph

    try:
        return str(read_meta_graph(version).meta_info_def.tensorflow_version)
    except (OSError, DecodeError, IndexError) as error:
        raise ExportError(
            f"A SavedModel must have a readable saved_model.pb. Received: {version}: {error}. "
            "Export the model again."
        ) from error


def _whole(version: str) -> str:
    """Makes an image's tag of a version: 2.21 becomes 2.21.0."""
    return f"{version}.0" if version.count(".") == 1 else version


def _served(model: ServedModel) -> str:
    names = {number: label for label, number in sorted(model.labels.items(), reverse=True)}
    shown = [f"{n} ({names[n]})" if n in names else str(n) for n in model.versions]
    return f"version{'s' if len(shown) > 1 else ''} {', '.join(shown)}"


def _next(deployment: Deployment, out: str) -> str:
    there = f"cd {shlex.quote(out)} && "
    if deployment.target == "docker":
        return f"{there}sh secrets.sh && docker compose up --detach --wait"
    if deployment.target == "kserve":
        return f"{there}kubectl apply --filename ."
    contexts = " ".join(
        f"--build-context {model.name.lower()}={shlex.quote(str(model.path))}"
        for model in deployment.models
    )
    return f"{there}docker build --tag {deployment.served_image} {contexts} ."
