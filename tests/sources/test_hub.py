"""The hub: what is asked of its client, what is kept, and what its errors become."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfaigc.errors import SourceError
from tfaigc.sources import resolve

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], list[Any]]:
    """Stands in for the hub's client, with a repository of the given files."""
    from fnmatch import fnmatch

    import huggingface_hub

    def install(names: list[str]) -> list[Any]:
        calls: list[Any] = []

        def snapshot_download(name: str, **options: Any) -> str:
            calls.append((name, options["revision"]))
            for file in names:
                if any(fnmatch(file, pattern) for pattern in options["allow_patterns"]):
                    (tmp_path / file).parent.mkdir(exist_ok=True)
                    (tmp_path / file).touch()
            return str(tmp_path)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        return calls

    return install


def found(directory: Path) -> list[str]:
    return sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*.*"))


def test_safetensors_go_before_pickles(client: Callable[[list[str]], list[Any]]) -> None:
    calls = client(["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5"])
    assert found(resolve("hf://org/name@v1.0")) == ["config.json", "model.safetensors"]
    assert calls == [("org/name", "v1.0")]


def test_pickles_where_there_is_nothing_else(client: Callable[[list[str]], list[Any]]) -> None:
    calls = client(["config.json", "pytorch_model.bin", "onnx/model.safetensors", "a.msgpack"])
    assert found(resolve("org/name")) == ["config.json", "pytorch_model.bin"]
    assert calls == [("org/name", None)] * 2


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's real client, offline, with an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "hub"


def test_offline_and_cached(offline: Path) -> None:
    repository = offline / "models--org--name"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    (snapshot / "model.safetensors").touch()
    assert resolve("org/name").samefile(snapshot)


def test_offline_and_not_cached(offline: Path) -> None:
    with pytest.raises(SourceError, match=r"'org/name' must be in the hub's cache.*HF_HUB_OFFLINE"):
        resolve("org/name")


def test_errors_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub import errors

    def failing(kind: type[Exception]) -> Callable[..., str]:
        def snapshot_download(*arguments: Any, **options: Any) -> str:
            raise kind.__new__(kind)

        return snapshot_download

    for kind, expected in {
        errors.GatedRepoError: "Ask for access",
        errors.RepositoryNotFoundError: "which is neither",
        errors.RevisionNotFoundError: "Received: 'v9'",
        errors.LocalEntryNotFoundError: "no directory 'org/name' here",
        ConnectionError: "must be fetched from the hub. Received: ConnectionError",
    }.items():
        monkeypatch.setattr(huggingface_hub, "snapshot_download", failing(kind))
        with pytest.raises(SourceError, match=expected):
            resolve("org/name@v9")


def test_malformed_id() -> None:
    with pytest.raises(SourceError, match="must look like org/name"):
        resolve("hf://a/b/c")
