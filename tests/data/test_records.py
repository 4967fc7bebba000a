"""read_records: everything that people have, and what is said about what cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfaigc.data import read_records
from tfaigc.errors import DataError

ROWS = [{"text": "Fine, really.", "label": "1"}, {"text": 'So "so"', "label": "0"}]
FILES = {
    "a.csv": 'text,label\n"Fine, really.",1\nSo "so",0\n',
    "a.CSV": 'text,label\r\n"Fine, really.",1\r\n"So ""so""",0\r\n',
    "b.tsv": 'text\tlabel\nFine, really.\t1\nSo "so"\t0\n',
    "c.jsonl": '{"text": "Fine, really.", "label": "1"}\n{"text": "So \\"so\\"", "label": "0"}',
    "c.ndjson": "\n" + "\n\n".join(json.dumps(row) for row in ROWS),
}


def write(directory: Path, name: str, content: str | bytes) -> Path:
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files(tmp_path: Path, name: str, mark: str) -> None:
    path = write(tmp_path, name, mark + FILES[name])
    for source in (path, str(path)):
        table = read_records(source)
        assert table.rows == ROWS
        assert set(table.columns) == {"text", "label"}
        assert table.name == str(path)


def test_lists() -> None:
    assert read_records(["a", "b"]).rows == [{"text": "a"}, {"text": "b"}]
    assert read_records(ROWS).rows == ROWS
    assert read_records(np.array(["a", "b"])).rows == [{"text": "a"}, {"text": "b"}]
    assert read_records(text for text in ("a", "b")).location(1) == "records[1]"
    uneven = read_records([{"text": "a"}, {"text": "b", "label": 1}])
    assert uneven.columns == ("text", "label")
    assert uneven.column("label") == [None, 1]


def test_columns_of_a_list() -> None:
    table = read_records(
        [{"review": "a", "stars": 3}], columns={"text": "review", "label": "stars"}
    )
    assert table.rows == [{"text": "a", "label": 3}]


def test_a_table_passes() -> None:
    table = read_records(["a"])
    assert read_records(table).rows == table.rows


def test_data_frames() -> None:
    frame = pd.DataFrame(
        {"text": ["a", None, "c"], "label": [1.0, float("nan"), 0], "kind": [1, 2, 3]},
        index=["x", "y", "z"],
    )
    frame["when"] = pd.to_datetime(["2020-01-01", None, "2020-01-03"])
    frame["group"] = pd.Categorical(["u", "v", None])
    table = read_records(frame, columns={"text": "text"})
    assert table.column("text") == ["a", None, "c"]
    assert table.column("label") == [1.0, None, 0.0]
    assert table.column("when")[1] is None
    assert table.column("group") == ["u", "v", None]
    assert [type(value) for value in table.column("kind")] == [int, int, int]
    assert table.location(1) == "DataFrame, index y"
    twice = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(DataError, match="'text' twice"):
        read_records(twice)


def test_pandas_is_not_imported() -> None:
    code = (
        "import sys; from tfaigc.data import read_records; read_records(['a']);"
        "sys.exit('pandas' in sys.modules or 'tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("records", [3, None, {"text": ["a"]}, b"text"])
def test_other_things(records: object) -> None:
    with pytest.raises(DataError, match="records must be a list of strings or dicts"):
        read_records(records)


def test_items_of_other_kinds_are_reported_together(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DataError) as caught:
        read_records(["a", 3, None, "b"])
    assert "records[1]: must be a string or a dict. Received: int." in str(caught.value)
    assert "records[2]: must be a string or a dict. Received: NoneType." in str(caught.value)
    table = read_records(["a", 3, None, "b"], max_invalid_share=0.5)
    assert [table.location(index) for index in range(2)] == ["records[0]", "records[3]"]
    assert len(table.rejected) == len(caplog.messages) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", r"a\.csv must hold at least one record\. Received: nothing\."),
        ("a.csv", "text,label\n", "nothing but a header line"),
        ("a.jsonl", "\n\n", "Received: nothing"),
        ("a.xls", "x", r"must end in one of \.csv, \.tsv, \.jsonl.*Did you mean '\.csv'|Received"),
        ("a.json", "x", r"valid JSON.*in \.jsonl"),
        ("a.json", '{"rows": []}', r"list of records.*an object with 'rows'"),
        ("a.csv", b"text\nfine\ncaf\xe9\n", r"line 3: the file must be UTF-8.*0xe9 after 3 bytes"),
        ("a.csv", "text\nfine\n".encode("utf-16"), r"UTF-8\. Received: UTF-16"),
        ("a.tsv", b"text\nfi\0ne\n", r"line 2: a text file must not hold NUL bytes"),
        ("a.jsonl", b'{"text": "a"}\n\xff\n', r"line 2: the file must be UTF-8"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_records(write(tmp_path, name, content))


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, "reviews.csv", "text\na\n")
    with pytest.raises(DataError, match=r"existing file.*Did you mean 'reviews\.csv'"):
        read_records(tmp_path / "review.csv")
    with pytest.raises(DataError, match=r"Received: a directory\. It holds: reviews\.csv\."):
        read_records(tmp_path)
    with pytest.raises(DataError, match=r"To pass a text, pass a list: \[text\]"):
        read_records("A gorgeous film.  Really")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.csv", "text\na\n")

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"a\.csv must be a readable file.*Permission denied"):
        read_records(path)


def test_remote_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "reviews.csv", "text\na\n")
    monkeypatch.setattr("tfaigc.sources.resolve_file", lambda source: path)
    table = read_records("pypi://some-package==1.0/reviews.csv")
    assert table.location(0) == "reviews.csv, line 2"
