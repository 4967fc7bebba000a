"""The hub's real client against a hub of our own: hashes, revisions, tokens, offline, leftovers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

COMMITS = {"main": "a" * 40, "v1": "b" * 40}
TOKEN = "hf_of-the-test"
WEIGHTS = bytes(range(256)) * 40
CODE = """
import sys
from tfaigc.errors import SourceError
from tfaigc.sources import resolve
try:
    print(resolve(sys.argv[1]))
except SourceError as error:
    sys.exit(f"SourceError: {error}")
"""


@dataclass
class Hub:
    """What the server has, and what it was asked.

    Attributes:
        files: Contents by name.
        sent: Contents that are sent instead of those whose hashes and sizes are stated.
        tokens: What was asked for, by the authorization that came with it.
        downloads: Names of the files that were fetched.
        address: Where it listens.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)
    tokens: dict[str | None, list[str]] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    address: str = ""

    def entry(self, name: str) -> dict[str, Any]:
        """Describes a file as the hub's listing does."""
        content = self.files[name]
        listed: dict[str, Any] = {"type": "file", "path": name, "size": len(content)}
        listed["oid"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        if is_large(name):
            sha256 = hashlib.sha256(content).hexdigest()
            listed["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 130}
        return listed


def is_large(name: str) -> bool:
    """Says whether the hub keeps a file in git LFS."""
    return name.endswith((".safetensors", ".bin", ".h5"))


class Handler(BaseHTTPRequestHandler):
    """Answers as the hub does."""

    hub: Hub

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, *, body: bool = True) -> None:
        path = self.path.partition("?")[0]
        self.hub.tokens.setdefault(self.headers.get("Authorization"), []).append(path)
        if not path.removeprefix("/api/models").startswith("/org/model/"):
            self.answer(404, b"", {"X-Error-Code": "RepoNotFound"}, body)
        elif path.startswith("/api/"):
            self.list(*path.split("/")[-2:], body)
        else:
            commit, _, name = path.partition("/resolve/")[2].partition("/")
            self.send_file(commit, name, body)

    def list(self, kind: str, revision: str, body: bool) -> None:
        commit = COMMITS.get(revision)
        content: Any = [self.hub.entry(name) for name in self.hub.files]
        if kind == "revision":
            content = {"id": "org/model", "sha": commit}
        missing = kind == "revision" and commit is None
        headers = {"X-Error-Code": "RevisionNotFound"} if missing else {}
        self.answer(404 if missing else 200, json.dumps(content).encode(), headers, body)

    def send_file(self, commit: str, name: str, body: bool) -> None:
        listed = self.hub.entry(name)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{listed["oid"]}"'}
        if "lfs" in listed:
            headers["X-Linked-Etag"] = f'"{listed["lfs"]["oid"]}"'
        headers["X-Linked-Size"] = str(listed["size"])
        content = self.hub.files[name]
        if body:
            self.hub.downloads.append(name)
            content = self.hub.sent.get(name, content)
        self.answer(200, content, headers, body)

    def answer(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub({"config.json": b"{}", "model.safetensors": WEIGHTS, "README.md": b"#"})
    handler = type("HandlerOfHub", (Handler,), {"hub": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(hub: Hub, home: Path, source: str, **environment: str) -> tuple[str, str]:
    """Resolves a source in a process whose settings lead to the server; gives stdout, stderr."""
    settings = {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_ETAG_TIMEOUT": "5",
        "XDG_CACHE_HOME": str(home / "ours"),
        **environment,
    }
    others = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", CODE, source],
        env={**others, "no_proxy": "*", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.strip(), done.stderr.strip()


def kept(home: Path) -> list[str]:
    """Lists the contents that are in the cache, and what looks like a leftover."""
    files = [path for path in home.rglob("*") if path.is_file() and path.parent.name == "blobs"]
    return sorted(path.name for path in files)


def test_whole_files_are_fetched_once_and_work_offline(hub: Hub, tmp_path: Path) -> None:
    first, _ = fetch(hub, tmp_path, "org/model@v1", HF_TOKEN=TOKEN)
    assert Path(first).name == COMMITS["v1"]
    assert (Path(first) / "model.safetensors").read_bytes() == WEIGHTS
    assert sorted(hub.downloads) == ["config.json", "model.safetensors"]
    assert len(hub.tokens[f"Bearer {TOKEN}"]) >= 4
    assert not [path for path in hub.tokens.get(None, []) if "org/model" in path]
    hub.downloads.clear()
    assert fetch(hub, tmp_path, "org/model@v1") == (first, "")
    hub.address = "http://127.0.0.1:1"
    assert fetch(hub, tmp_path, "hf://org/model@v1", HF_HUB_OFFLINE="1") == (first, "")
    assert not hub.downloads
    _, error = fetch(hub, tmp_path, "org/model", HF_HUB_OFFLINE="1")
    assert "must be in the hub's cache" in error


@pytest.mark.parametrize(
    ("name", "sent", "message"),
    [
        ("model.safetensors", b"\0" * len(WEIGHTS), "model.safetensors with another one"),
        ("config.json", b"[]", "config.json with another one"),
        ("model.safetensors", WEIGHTS[:-1], "must be fetched from the hub.*should be of size"),
    ],
)
def test_broken_files_are_refused_and_not_kept(
    hub: Hub, tmp_path: Path, name: str, sent: bytes, message: str
) -> None:
    hub.sent[name] = sent
    found, error = fetch(hub, tmp_path, "org/model")
    assert not found
    assert re.search(message, error), error
    listed = hub.entry(name)
    stated = listed["lfs"]["oid"] if "lfs" in listed else listed["oid"]
    assert not [each for each in kept(tmp_path) if each.startswith(stated)]
    hub.sent.clear()
    found, _ = fetch(hub, tmp_path, "org/model")
    assert (Path(found) / name).read_bytes() == hub.files[name]


def test_what_is_not_there(hub: Hub, tmp_path: Path) -> None:
    _, error = fetch(hub, tmp_path, "org/other")
    assert "'org/other', which is neither" in error
    _, error = fetch(hub, tmp_path, "org/model@v9")
    assert "must be a branch, tag or commit of 'org/model'. Received: 'v9'" in error
    assert not hub.downloads


def test_other_formats_are_fetched_where_there_is_nothing_better(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"config.json": b"{}", "tf_model.h5": WEIGHTS, "pytorch_model.bin": WEIGHTS}
    fetch(hub, tmp_path / "one", "org/model")
    assert sorted(hub.downloads) == ["config.json", "pytorch_model.bin"]
    del hub.files["pytorch_model.bin"]
    hub.downloads.clear()
    fetch(hub, tmp_path / "other", "org/model")
    assert sorted(hub.downloads) == ["config.json", "tf_model.h5"]
