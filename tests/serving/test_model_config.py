"""Model config files of TensorFlow Serving."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.errors import ServingError
from tfaigc.serving.model_config import read_model_config
from tfaigc.serving.versions import ModelConfig, VersionPolicy

TENSORFLOW = 'model_platform: "tensorflow"'


def write(directory: Path, *configs: str) -> Path:
    path = directory / "models.config"
    listed = "\n".join(f"  config {{ {config} }}" for config in configs)
    path.write_text(f"model_config_list {{\n{listed}\n}}\n", encoding="utf-8")
    return path


def test_models_policies_and_labels_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f'name: "a" base_path: "/models/a" {TENSORFLOW}',
        f'name: "b" base_path: "/models/b" {TENSORFLOW} '
        "model_version_policy { specific { versions: 2 versions: 4 } } "
        'version_labels { key: "stable" value: 2 } version_labels { key: "canary" value: 4 }',
        'name: "c" base_path: "/c" model_type: TENSORFLOW model_version_policy { all {} }',
        f'name: "d" base_path: "/d" {TENSORFLOW} '
        "model_version_policy { latest { num_versions: 3 } }",
    )
    assert read_model_config(path) == [
        ModelConfig("a", Path("/models/a")),
        ModelConfig(
            "b",
            Path("/models/b"),
            VersionPolicy(specific=(2, 4)),
            {"stable": 2, "canary": 4},
        ),
        ModelConfig("c", Path("/c"), VersionPolicy(latest=None)),
        ModelConfig("d", Path("/d"), VersionPolicy(latest=3)),
    ]


@pytest.mark.parametrize(
    ("configs", "message"),
    [
        ([f'base_path: "/a" {TENSORFLOW}'], "a name"),
        ([f'name: "a" base_path: "a" {TENSORFLOW}'], "an absolute base_path. Received: 'a'"),
        ([f'name: "a" base_path: "s3://a" {TENSORFLOW}'], "an absolute base_path"),
        (['name: "a" base_path: "/a"'], "model_platform"),
        ([f'name: "a" base_path: "/a" {TENSORFLOW}'] * 2, "Received: the name twice"),
        (
            [f'name: "a" base_path: "/a" {TENSORFLOW} model_version_policy {{ specific {{}} }}'],
            "versions in a specific policy",
        ),
        (["nonesuch: 1"], "nonesuch"),
    ],
)
def test_what_the_server_would_refuse_is_refused(
    tmp_path: Path, configs: list[str], message: str
) -> None:
    with pytest.raises(ServingError, match=message):
        read_model_config(write(tmp_path, *configs))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="in text form"):
        read_model_config(tmp_path / "nonesuch")
    (tmp_path / "empty").write_text("")
    with pytest.raises(ServingError, match="must have a model_config_list"):
        read_model_config(tmp_path / "empty")
