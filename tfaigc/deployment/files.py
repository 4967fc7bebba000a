"""The files of a deployment, made of the templates beside this file."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tfaigc.deployment.settings import Deployment

TEMPLATES = Path(__file__).with_name("templates")

_DIRECTORIES = {
    "docker": ("server", "shared", "docker", "monitoring"),
    "kubernetes": ("server", "shared", "cluster", "kubernetes", "monitoring"),
    "kserve": ("server", "cluster", "kserve", "monitoring"),
}
_BELOW = {"monitoring": "monitoring/"}
# Where the files of ConfigMaps stand; what they say changes their hash, and so restarts servers.
_CONFIG = "config/"
# A part of others, and no file of its own.
_INCLUDED = "shared/image.md"


def deployment_files(deployment: Deployment) -> dict[str, str]:
    """Writes the files of a deployment, in memory.

    Args:
        deployment: What it is to be.

    Returns:
        Each file's content by its path, the same for the same deployment.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["compose_path"] = _compose_path
    environment.filters["shell"] = lambda path: shlex.quote(str(path))
    files: dict[str, str] = {}
    for template in _templates(deployment):
        config = {path[len(_CONFIG) :]: text for path, text in files.items() if _is_config(path)}
        files[_place(template)] = environment.get_template(template).render(
            deployment=deployment,
            server_image=f"tensorflow/serving:{deployment.server_version}",
            flags=server_flags(deployment),
            config=config,
            config_hash=hashlib.sha256(json.dumps(config).encode()).hexdigest(),
        )
    return files


def server_flags(deployment: Deployment) -> list[str]:
    """Lists what `tensorflow_model_server` is started with.

    Args:
        deployment: What it is to serve.

    Returns:
        The flags.
    """
    flags = [
        "--port=8500",
        "--rest_api_port=8501",
        f"--rest_api_timeout_in_ms={deployment.timeout * 1000}",
        "--model_config_file=/etc/tfserving/models.config",
        "--model_config_file_poll_wait_seconds=30",
        "--monitoring_config_file=/etc/tfserving/monitoring.config",
    ]
    if deployment.batching.max_batch_size > 1:
        flags += [
            "--enable_batching=true",
            "--batching_parameters_file=/etc/tfserving/batching.config",
        ]
    if deployment.has_labels:
        # Otherwise a server that starts knows no version yet that a label could be for.
        flags.append("--allow_version_labels_for_unavailable_models=true")
    return flags


def _templates(deployment: Deployment) -> Iterable[str]:
    """Lists a target's templates, those that go into others first."""
    found = [
        path.relative_to(TEMPLATES).as_posix()
        for directory in _DIRECTORIES[deployment.target]
        for path in sorted((TEMPLATES / directory).rglob("*"))
        if path.is_file() and path != TEMPLATES / _INCLUDED
    ]
    return sorted(found, key=lambda template: (not _is_config(_place(template)), template))


def _place(template: str) -> str:
    directory, _, name = template.partition("/")
    # Hidden files are not hidden among the templates.
    return _BELOW.get(directory, "") + (f".{name[4:]}" if name.startswith("dot-") else name)


def _is_config(path: str) -> bool:
    return path.startswith(_CONFIG)


def _compose_path(path: Path) -> str:
    """Writes any path for a compose file, which puts variables where a dollar is."""
    return json.dumps(str(path), ensure_ascii=False).replace("$", "$$")
