"""What kind of source a string is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.errors import SourceError
from tfaigc.sources import is_remote, resolve, resolve_file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory that is the home directory too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        ("google-bert/bert-base-uncased", True),
        ("google-bert/bert-base-uncased@refs/pr/1", True),
        ("gpt2", True),
        ("meta-llama/Llama-3.1", True),
        ("hf://org/name", True),
        ("pypi://a==1/b", True),
        ("./org/name", False),
        ("../org/name", False),
        ("/org/name", False),
        ("~/name", False),
        ("runs/sentiment/model", False),
        ("org/name/", False),
        ("reviews.csv", False),
        ("data/reviews.JSONL", False),
        (Path("org/name"), False),
    ],
)
def test_kinds(home: Path, source: str | Path, remote: bool) -> None:
    assert is_remote(source) is remote


def test_directory_goes_before_the_hub(home: Path) -> None:
    directory = home / "google-bert" / "bert-base-uncased"
    directory.mkdir(parents=True)
    assert not is_remote("google-bert/bert-base-uncased")
    assert resolve("google-bert/bert-base-uncased").samefile(directory)
    assert resolve("~/google-bert") == home / "google-bert"


def test_missing_directory_suggests_a_sibling(home: Path) -> None:
    (home / "sentiment").mkdir()
    with pytest.raises(SourceError, match=r"Received: sentimnet\. Did you mean 'sentiment'"):
        resolve(Path("sentimnet"))
    with pytest.raises(SourceError, match="There is no directory runs/x either"):
        resolve("runs/x/model")


def test_file_where_a_directory_is_needed_and_the_reverse(home: Path) -> None:
    (home / "config.json").write_text("{}")
    with pytest.raises(SourceError, match=r"Received: the file config\.json. Pass \."):
        resolve("config.json")
    with pytest.raises(SourceError, match=r"A file is needed\. Received: the directory"):
        resolve_file(home)
    assert resolve_file("config.json") == Path("config.json")
    with pytest.raises(SourceError, match=r"Received: confg\.json. Did you mean 'config\.json'"):
        resolve_file("confg.json")


@pytest.mark.parametrize("source", ["s3://bucket/model", "https://example.org/model"])
def test_unknown_scheme(source: str) -> None:
    with pytest.raises(SourceError, match=r"one of hf://, keras_hub://, pypi://"):
        resolve(source)


def test_misspelt_scheme() -> None:
    with pytest.raises(SourceError, match="Did you mean 'pypi'"):
        is_remote("pypy://a==1/b")


def test_empty_source_and_hub_file() -> None:
    with pytest.raises(SourceError, match="Received: an empty string"):
        resolve(" ")
    with pytest.raises(SourceError, match="Received: 'hf://a/b'"):
        resolve_file("hf://a/b")


@pytest.mark.parametrize("source", ["a" * 5000, "~nobody-of-that-name/model", "a\0b", "a b\n"])
def test_any_text_is_answered(source: str) -> None:
    for function in (resolve_file, lambda text: resolve(f"./{text}")):
        with pytest.raises(SourceError, match="must exist"):
            function(source)
