"""A package index of its own for each test: real archives behind a loopback HTTP server."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tfaigc.sources import download, package_index, pypi
from tfaigc.sources.index_settings import IndexSettings


def make_zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_tar(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type = tarfile.SYMTYPE
            info.linkname = target
            archive.addfile(info)
    return buffer.getvalue()


@dataclass
class Index:
    """What the server answers, to be changed by tests.

    Attributes:
        url: The index.
        files: File names to contents.
        hashes: File names to the sha256 that the index states; "" states none.
        missing_bytes: How many bytes at the end of a file never arrive.
        requests: Paths asked for so far.
        failures: How many requests for files are still to be answered with 503.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    missing_bytes: int = 0
    requests: list[str] = field(default_factory=list)
    failures: int = 0

    def add(self, filename: str, content: bytes) -> str:
        self.files[filename] = content
        return hashlib.sha256(content).hexdigest()

    def add_wheel(self, files: dict[str, bytes], name: str = "tiny_model-1.0") -> str:
        return self.add(f"{name}-py3-none-any.whl", make_zip(files))

    def add_sdist(
        self,
        files: dict[str, bytes],
        links: dict[str, str] | None = None,
        name: str = "tiny_model-1.0",
    ) -> str:
        inside = {f"{name}/{path}": content for path, content in files.items()}
        return self.add(f"{name}.tar.gz", make_tar(inside, links))

    def page(self, project: str) -> bytes | None:
        names = [
            name for name in self.files if name.split("-")[0].replace("_", "-").lower() == project
        ]
        anchors = []
        for name in names:
            digest = self.hashes.get(name, hashlib.sha256(self.files[name]).hexdigest())
            fragment = f"#sha256={digest}" if digest else ""
            anchors.append(f'<a href="/files/{name}{fragment}">{name}</a>')
        return "<html>{}</html>".format("".join(anchors)).encode() if names else None


def _handler(index: Index) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.requests.append(self.path)
            kind, name = self.path.strip("/").split("/", 1)
            content = index.page(name) if kind == "simple" else index.files.get(name)
            status = 200 if content is not None else 404
            if kind == "files" and index.failures:
                index.failures -= 1
                status, content = 503, b"busy"
            content = content or b""
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if kind == "simple" else "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(
                content[: -index.missing_bytes]
                if kind == "files" and index.missing_bytes
                else content
            )

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def use_settings(monkeypatch: pytest.MonkeyPatch) -> Callable[[IndexSettings], None]:
    """Sets the machine's index settings, and failing fast."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRY_DELAYS", (0.0,))
    monkeypatch.setattr(package_index, "RETRY_DELAYS", (0.0,))
    return lambda settings: monkeypatch.setattr(pypi, "read_settings", lambda: settings)


@pytest.fixture
def index(cache: Path, use_settings: Callable[[IndexSettings], None]) -> Iterator[Index]:
    """A running index that the machine is set to use, beside one that is not there."""
    index = Index()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(index))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    use_settings(IndexSettings(index_urls=((cache / "nowhere").as_uri(), index.url)))
    yield index
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def left_over(cache: Path) -> Callable[[], list[str]]:
    """Says which files lie in the cache."""
    return lambda: sorted(path.name for path in cache.rglob("*") if path.is_file())


@pytest.fixture
def zip_of() -> Callable[[dict[str, bytes]], bytes]:
    """Makes ZIP archives."""
    return make_zip


@pytest.fixture
def tar_of() -> Callable[..., bytes]:
    """Makes tar archives."""
    return make_tar
