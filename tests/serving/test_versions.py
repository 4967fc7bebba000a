"""Which models and versions a directory holds, and which of them are to be served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.errors import ServingError
from tfaigc.serving.versions import VersionPolicy, models_in, versions_on_disk


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
    return root


def test_versions_are_directories_with_whole_numbers(tmp_path: Path) -> None:
    make(tmp_path, "1", "007", "1a", ".export-9", "-2", "²", "9" * 30)
    (tmp_path / "5").write_text("")
    assert versions_on_disk(tmp_path) == {1: tmp_path / "1", 7: tmp_path / "007"}


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (VersionPolicy(), {9}),
        (VersionPolicy(latest=2), {3, 9}),
        (VersionPolicy(latest=None), {1, 3, 9}),
        (VersionPolicy(specific=(1, 4)), {1}),
    ],
)
def test_policies_choose(policy: VersionPolicy, chosen: set[int]) -> None:
    assert policy.choose({1, 3, 9}) == chosen


def test_a_directory_is_one_model_or_holds_several(tmp_path: Path) -> None:
    make(tmp_path, "reviews/1", "reviews/2", "names/1", "notes", ".hidden/1")
    assert [model.name for model in models_in(tmp_path)] == ["names", "reviews"]
    [model] = models_in(tmp_path / "reviews")
    assert (model.name, model.base_path) == ("reviews", tmp_path / "reviews")
    assert models_in(tmp_path / "names", "other")[0].name == "other"


@pytest.mark.parametrize(
    ("directory", "name", "message"),
    [
        ("nonesuch", None, "must exist"),
        ("notes", None, "which holds neither"),
        (".", "one", "for 2 models"),
    ],
)
def test_what_cannot_be_served_is_said(
    tmp_path: Path, directory: str, name: str | None, message: str
) -> None:
    make(tmp_path, "reviews/1", "names/1", "notes")
    with pytest.raises(ServingError, match=message):
        models_in(tmp_path / directory, name)
