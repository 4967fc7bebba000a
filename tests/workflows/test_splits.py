"""From data files to splits: what is held out, what is left out, what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tfaigc.data import Table
from tfaigc.errors import DataError
from tfaigc.recipe import Recipe, make_recipe
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.splits import Splits, read_splits, settle_labels, stored_labels

Rows = list[tuple[str, ...]]


def write(path: Path, rows: Rows, header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def recipe_for(path: Path, **settings: object) -> Recipe:
    base = {"model_name_or_path": "m", "train_data": str(path), "output_dir": "runs/a"}
    return make_recipe({**base, **settings})


def split(path: Path, **settings: object) -> Splits:
    return read_splits(recipe_for(path, **settings), screen=Screen())


def texts(table: Table | None) -> set[str]:
    return set(table.column("text")) if table is not None else set()


def numbered(count: int, start: int = 0) -> Rows:
    return [
        (f"text {number}", ("bad", "good")[number % 2]) for number in range(start, start + count)
    ]


@pytest.fixture
def hundred(tmp_path: Path) -> Path:
    return write(tmp_path / "data.csv", numbered(100))


def test_shares_are_held_out_stratified_and_seeded(hundred: Path) -> None:
    splits = split(hundred)
    assert splits.test is not None
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [80, 10, 10]
    for table in (splits.train, splits.validation, splits.test):
        assert table.column("label").count("good") * 2 == len(table)
    assert texts(splits.train) | texts(splits.validation) | texts(splits.test) == {
        text for text, _ in numbered(100)
    }
    assert splits.labels == ("bad", "good")
    assert texts(split(hundred).test) == texts(splits.test)
    assert texts(split(hundred, seed=1).test) != texts(splits.test)
    assert splits.reported[0] == "test"


def test_the_fingerprint_follows_the_data(tmp_path: Path, hundred: Path) -> None:
    other = write(tmp_path / "other.csv", [*numbered(99), ("another text", "good")])
    assert split(hundred).fingerprint() == split(hundred).fingerprint()
    assert len({split(path, seed=0).fingerprint() for path in (hundred, other)}) == 2


def test_without_a_test_share_the_validation_split_is_reported(hundred: Path) -> None:
    splits = split(hundred, test_fraction=0)
    assert splits.test is None
    assert splits.reported == ("validation", splits.validation)


def test_files_of_their_own_stay_whole_and_leave_the_training_file(
    tmp_path: Path, hundred: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = write(tmp_path / "test.csv", numbered(10, start=95))
    splits = split(hundred, test_data=str(test))
    assert splits.test is not None
    assert len(splits.test) == 10
    assert not texts(splits.test) & (texts(splits.train) | texts(splits.validation))
    assert len(splits.train) + len(splits.validation) == 95
    assert "5 left out that validation or test data hold, too" in capsys.readouterr().out


def test_no_two_splits_share_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*numbered(60), *numbered(60), ("text 0", "good")]
    splits = split(write(tmp_path / "data.csv", rows))
    every = [texts(table) for table in (splits.train, splits.validation, splits.test)]
    assert sum(map(len, every)) == 60 == len(set.union(*every))
    assert "61 exact duplicates left out; 1 text had more than one label" in capsys.readouterr().out


def test_a_sample_of_the_training_file(hundred: Path) -> None:
    splits = split(hundred, max_train_samples=50)
    assert splits.test is not None
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 50


def test_columns_and_pairs(tmp_path: Path) -> None:
    rows = [(f"first {n}", f"second {n}", str(n % 2)) for n in range(40)]
    path = write(tmp_path / "pairs.csv", rows, ("a", "b", "c"))
    splits = split(path, text_column="a", text_pair_column="b", label_column="c")
    assert splits.train.rows[0].keys() >= {"text", "text_pair", "label"}
    assert splits.labels == ("0", "1")


def test_labels_of_the_recipe_fix_the_order(hundred: Path) -> None:
    assert split(hundred, labels=["good", "bad"]).labels == ("good", "bad")


def test_movie_reviews_are_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"text": text, "label": label} for text, label in numbered(40)]
    table = Table(rows, "movie_reviews", range(40), columns=("text", "label"))
    monkeypatch.setitem(
        __import__("tfaigc.workflows.splits", fromlist=["x"]).BUILT_IN,
        "movie_reviews",
        lambda: table,
    )
    assert len(split(Path("movie_reviews")).train) == 32


@pytest.mark.parametrize(
    ("rows", "settings", "fragments"),
    [
        (numbered(9), {"text_column": "txt"}, ["must have a column 'txt'", "Did you mean 'text'?"]),
        (numbered(9), {"label_column": "labels"}, ["Did you mean 'label'?"]),
        (
            [*numbered(4), (" ", "bad"), ("x", "")],
            {},
            ["line 6: text is empty", "line 7: label is"],
        ),
        (
            numbered(9),
            {"labels": ["godo", "bad"]},
            ["data.csv, line 3: label must be one of godo, bad. Received: 'good'.", "'godo'?"],
        ),
        ([(f"t{n}", "good") for n in range(9)], {}, ["at least two classes", "Received: good."]),
        (
            [(f"t{n}", "good") for n in range(9)],
            {"labels": ["bad", "good"]},
            ["at least two classes in label. Received: good."],
        ),
        ([*numbered(4), ("a", "bad", "c")], {}, ["line 6", "must have 2 fields"]),
        (numbered(3), {}, ["Every split must have a record."]),
        ([], {}, ["must hold at least one record"]),
    ],
)
def test_unusable_data(
    tmp_path: Path, rows: Rows, settings: dict[str, object], fragments: list[str]
) -> None:
    path = write(tmp_path / "data.csv", rows)
    with pytest.raises(DataError) as raised:
        split(path, **settings)
    for fragment in fragments:
        assert fragment in str(raised.value)


def test_unusable_rows_may_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "data.csv", [*numbered(39), (" ", "bad")])
    splits = split(path, max_invalid_share=0.05)
    assert len(splits.train) == 31
    assert "39 rows, 1 unusable ones left out" in capsys.readouterr().out


def test_misspelt_names_of_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'movie_reviews'"):
        split(Path("movie_review"))
    with pytest.raises(DataError, match="must be an existing file"):
        split(tmp_path / "missing.csv")


def config(directory: Path, names: list[str], architecture: str) -> Path:
    stated = {"architectures": [architecture], "id2label": dict(enumerate(names))}
    (directory / "config.json").write_text(json.dumps(stated))
    return directory


def test_a_checkpoints_classes_are_kept_where_they_cover_the_data(tmp_path: Path) -> None:
    head = "BertForSequenceClassification"
    directory = config(tmp_path, ["neutral", "good", "bad"], head)
    assert stored_labels(directory) == ("neutral", "good", "bad")
    assert settle_labels(("bad", "good"), directory) is None
    assert settle_labels(("0", "2"), directory) is None
    assert settle_labels(("bad", "great"), directory) == ("bad", "great")
    assert settle_labels(("0", "3"), directory) == ("0", "3")
    assert settle_labels(("a", "b"), config(tmp_path, ["LABEL_0", "LABEL_1"], head)) == ("a", "b")
    assert settle_labels(("a", "b"), config(tmp_path, ["a", "b"], "BertModel")) == ("a", "b")
    assert settle_labels(("a", "b"), tmp_path / "missing") == ("a", "b")
