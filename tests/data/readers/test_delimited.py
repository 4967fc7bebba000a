"""CSV and TSV: real line numbers, no row lost, no quote that swallows the rest."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tfaigc.data import Table, read_records
from tfaigc.errors import DataError


def read(directory: Path, content: str, suffix: str = "csv", share: float = 0.0) -> Table:
    path = directory / f"a.{suffix}"
    path.write_bytes(content.encode())
    return read_records(path, max_invalid_share=share)


def lines(table: Table) -> list[object]:
    return list(table.numbers)


def test_line_numbers_count_quoted_line_ends_and_blank_lines(tmp_path: Path) -> None:
    table = read(tmp_path, 'text,label\n"one\ntwo\n\nfour",1\n\n\nfive,2\r\n"six\r\nseven",3\n')
    assert table.column("text") == ["one\ntwo\n\nfour", "five", "six\r\nseven"]
    assert lines(table) == [2, 8, 9]


def test_a_quoted_header_with_a_line_end(tmp_path: Path) -> None:
    table = read(tmp_path, '"the\ntext", label \na,1\n')
    assert table.columns == ("the\ntext", "label")
    assert lines(table) == [3]


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, ",text,\n0,a,x\n1,b,y\n")
    assert table.rows == [{"text": "a"}, {"text": "b"}]


def test_other_line_separators_are_text(tmp_path: Path) -> None:
    content = "text,label\na\u2028b\x0bc\x85d,1\n"
    assert read(tmp_path, content).column("text") == ["a\u2028b\x0bc\x85d"]
    assert read(tmp_path, content.replace(",", "\t"), "tsv").column("text") == [
        "a\u2028b\x0bc\x85d"
    ]


def test_ragged_rows_are_reported_together(tmp_path: Path) -> None:
    content = "text,label\na,1\nb\nc,1,2\nd,1\n"
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    message = str(caught.value)
    assert "2 bad rows of 4" in message
    assert "a.csv, line 3: must have 2 fields, as the header has. Received: 1." in message
    assert "a.csv, line 4: must have 2 fields, as the header has. Received: 3." in message
    table = read(tmp_path, content, share=0.5)
    assert table.column("text") == ["a", "d"]
    assert lines(table) == [2, 5]
    assert [fault.location.rsplit(", ", 1)[1] for fault in table.rejected] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('text,label\na,1\n"b,2\nc,3\n', r"line 3: a quoted field must end with a quote"),
        ('text,label\na,1\n"b" c,2\n', r"line 3: a quoted field must be followed by a comma"),
        ('text;label\n"a ""b"", c";1\n', r"line 2: .* The columns seem to be separated by ';'"),
        ("text,label\na,1\nb\rc,2\n", r"line 3: lines must end with LF or CRLF"),
        ("text,label\nb," + "x" * 140_000, r"line 2: a CSV field must have at most 131,072"),
        ("text,text\nb,c\n", r"line 1: every column must have a name of its own.*'text' twice"),
    ],
)
def test_broken_csv(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)


def test_an_open_quote_never_swallows_rows(tmp_path: Path) -> None:
    rows = "".join(f"row {index},1\n" for index in range(20_000))
    with pytest.raises(DataError, match=r"a\.csv, line 2: "):
        read(tmp_path, f'text,label\n"open,1\n{rows}')


def test_quotes_in_tsv_are_text(tmp_path: Path) -> None:
    table = read(tmp_path, 'text\tlabel\n"Open\t1\nHe said "hi"\t2\r\n"all"\t3\n""\t4\n', "tsv")
    assert table.column("text") == ['"Open', 'He said "hi"', '"all"', '""']
    assert lines(table) == [2, 3, 4, 5]


def test_ragged_tsv(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: must have 2 fields.*: 1\. .*save it as CSV"):
        read(tmp_path, "text\tlabel\na\t1\n\nb\n".replace("\n\n", "\n"), "tsv")


def test_long_fields_are_no_fault_in_tsv(tmp_path: Path) -> None:
    long = "x" * (csv.field_size_limit() + 1)
    assert read(tmp_path, f"text\tlabel\n{long}\t1\n", "tsv").column("text") == [long]


def test_a_file_without_header(tmp_path: Path) -> None:
    table = read(tmp_path, "1\t2.27\tThe Rock is destined to be\n2\t-1\tDull.\n", "tsv")
    with pytest.raises(DataError, match="The first line looks like data: add a header line"):
        table.require("text")


def test_the_three_header_lines_of_orange(tmp_path: Path) -> None:
    table = read(tmp_path, "Category\tText\nd\tstring\nclass\t\n\nearn\tup\n", "tab")
    assert table.rows == [{"Category": "earn", "Text": "up"}]
    assert lines(table) == [5]
    values = "sex\tText\nmale female\tstring\nclass\tmeta\nmale\tup\n"
    assert read(tmp_path, values, "tab").rows == [{"sex": "male", "Text": "up"}]
    assert read(tmp_path, "Text\nstring\n\nup\ndown\n", "tab").column("Text") == ["up", "down"]
    plain = read(tmp_path, "label\ttext\nearn\tup\nacq\tdown\n", "tab")
    assert plain.column("label") == ["earn", "acq"]
