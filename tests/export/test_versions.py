import threading

import pytest

from tfaigc.errors import ExportError
from tfaigc.export.versions import (
    latest_version,
    prune,
    publish,
    refuse_foreign_files,
    staging,
    version_numbers,
)


def make_version(directory, name):
    path = directory / name
    path.mkdir(parents=True)
    (path / "saved_model.pb").touch()
    return path


def test_version_numbers_are_numbers(tmp_path):
    for name in ("9", "10", "0003", ".export-1", "²", "-1", "1.0"):
        (tmp_path / name).mkdir()
    (tmp_path / "99").touch()
    assert version_numbers(tmp_path) == [3, 9, 10]
    assert version_numbers(tmp_path / "missing") == []


def test_latest_version_counts_as_numbers(tmp_path):
    make_version(tmp_path, "9")
    newest = make_version(tmp_path, "10")
    (tmp_path / "11").mkdir()
    assert latest_version(tmp_path) == newest
    assert latest_version(str(newest)) == newest


@pytest.mark.parametrize("content", [None, [], ["notes.txt"]])
def test_no_version_is_explained(tmp_path, content):
    directory = tmp_path / "model"
    if content is not None:
        directory.mkdir()
        for name in content:
            (directory / name).touch()
    words = {None: "does not exist", 0: "is empty", 1: "holds notes.txt"}
    with pytest.raises(ExportError, match=words[None if content is None else len(content)]):
        latest_version(directory)


def test_foreign_files(tmp_path):
    refuse_foreign_files(tmp_path / "missing")
    (tmp_path / ".DS_Store").touch()
    make_version(tmp_path, "1")
    refuse_foreign_files(tmp_path)
    with pytest.raises(ExportError, match=r"holds saved_model\.pb"):
        refuse_foreign_files(tmp_path / "1")
    (tmp_path / "2").touch()
    with pytest.raises(ExportError, match=r"holds \.DS_Store, 1, 2"):
        refuse_foreign_files(tmp_path)
    with pytest.raises(ExportError, match="is a file"):
        refuse_foreign_files(tmp_path / "2")


def test_staging_removes_only_what_it_made(tmp_path):
    with staging(tmp_path / "a" / "b") as temporary:
        (temporary / "x").touch()
    assert list(tmp_path.iterdir()) == []
    kept = make_version(tmp_path / "a", "4")
    with staging(tmp_path / "a") as temporary:
        (temporary / "x").touch()
    assert list((tmp_path / "a").iterdir()) == [kept]


def test_publish_never_replaces_a_version(tmp_path):
    barrier = threading.Barrier(8)
    published = []

    def run(number):
        with staging(tmp_path) as temporary:
            (temporary / "number").write_text(str(number))
            barrier.wait()
            published.append((number, publish(temporary, tmp_path)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert version_numbers(tmp_path) == list(range(1, 9))
    assert all((path / "number").read_text() == str(number) for number, path in published)


def test_publish_loses_a_race_politely(tmp_path, monkeypatch):
    other = make_version(tmp_path, "1")
    looks = iter([[], [1]])
    monkeypatch.setattr("tfaigc.export.versions.version_numbers", lambda directory: next(looks))
    with staging(tmp_path) as temporary:
        (temporary / "mine").touch()
        assert publish(temporary, tmp_path).name == "2"
    assert not (other / "mine").exists()


def test_prune_keeps_the_newest(tmp_path):
    for name in ("1", "2", "10", "009", ".hidden"):
        (tmp_path / name / "variables").mkdir(parents=True)
    assert [path.name for path in prune(tmp_path, keep=2)] == ["1", "2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "009", "10"]
    assert prune(tmp_path, keep=3) == []
    with pytest.raises(ExportError, match="keep must be at least 1"):
        prune(tmp_path, keep=0)
