"""Archives that mean harm, and damaged ones."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tfaigc.errors import SourceError
from tfaigc.sources import archives
from tfaigc.sources.archives import Archive

MakeArchive = Callable[..., bytes]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "model/../../evil", "model\\..\\evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_that_point_out_of_the_archive(
    tmp_path: Path, zip_of: MakeArchive, tar_of: MakeArchive, kind: str, name: str
) -> None:
    path = tmp_path / "package"
    path.write_bytes({"zip": zip_of, "tar": tar_of}[kind]({"model/a": b"1", name: b"2"}))
    with pytest.raises(SourceError, match="only have entries that lie inside it"):
        Archive(path)


def test_links_are_refused_only_where_wanted(tmp_path: Path, tar_of: MakeArchive) -> None:
    path = tmp_path / "package.tar.gz"
    files = {"top/model/a": b"1", "top/data/b": b"2"}
    path.write_bytes(tar_of(files, {"top/model/link": "/etc/passwd"}))
    with Archive(path) as archive:
        assert set(archive.select("data")) == {"data/b"}
        with pytest.raises(SourceError, match=r"must be plain files.*top/model/link"):
            archive.select("model")


def test_link_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("model/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with Archive(path) as opened, pytest.raises(SourceError, match="must be plain files"):
        opened.select("model")


def test_device_in_a_tar(tmp_path: Path) -> None:
    path = tmp_path / "package.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("top/fifo")
        info.type = tarfile.FIFOTYPE
        archive.addfile(info)
    with Archive(path) as opened, pytest.raises(SourceError, match="must be plain files"):
        opened.select("fifo")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archive_that_swells(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    zip_of: MakeArchive,
    tar_of: MakeArchive,
    kind: str,
) -> None:
    path = tmp_path / "package"
    path.write_bytes({"zip": zip_of, "tar": tar_of}[kind]({"model/a": bytes(1_000_000)}))
    Archive(path).__exit__(None, None, None)
    monkeypatch.setattr(archives, "HARMLESS_BYTES", 1000)
    with pytest.raises(SourceError, match="at most 100 times its own size"):
        Archive(path)


def test_too_many_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zip_of: MakeArchive
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    path = tmp_path / "package"
    path.write_bytes(zip_of({"a": b"", "b": b"", "c": b""}))
    with pytest.raises(SourceError, match="at most 2 entries"):
        Archive(path)


def test_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "package.whl"
    path.write_bytes(b"<html>Please log in</html>")
    with pytest.raises(SourceError, match=r"package\.whl must be a whole ZIP or tar archive"):
        Archive(path)


def test_damaged_content_leaves_nothing(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model/a", b"content" * 100)
    path = tmp_path / "package.zip"
    path.write_bytes(buffer.getvalue().replace(b"contentcontent", b"contentContent", 1))
    with Archive(path) as opened:
        member = opened.select("model/a")["model/a"]
        with pytest.raises(SourceError, match="must be a whole ZIP or tar archive"):
            opened.extract(member, tmp_path / "out" / "a")
    assert list((tmp_path / "out").iterdir()) == []


def test_truncated_tar(tmp_path: Path, tar_of: MakeArchive) -> None:
    import random

    path = tmp_path / "package.tar.gz"
    path.write_bytes(tar_of({"model/a": random.Random(1).randbytes(100_000)})[:-20_000])
    with pytest.raises(SourceError, match="must be a whole ZIP or tar archive"):
        Archive(path)
