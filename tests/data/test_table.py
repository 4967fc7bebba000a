"""Tables: our names for their columns, and where each row came from."""

from __future__ import annotations

import pytest

from tfaigc.data import Table
from tfaigc.errors import DataError


def table(*columns: str) -> Table:
    rows = [{name: f"{name} {row}" for name in columns} for row in range(3)]
    return Table(rows, "reviews.csv", [2, 3, 7], columns=columns)


def test_columns_get_our_names_and_others_stay() -> None:
    renamed = table("review", "stars", "id").rename({"text": "review", "label": "stars"})
    assert renamed.rows[2] == {"text": "review 2", "label": "stars 2", "id": "id 2"}
    assert renamed.columns == ("text", "label", "id")
    assert renamed.column_name("text") == "review"
    assert renamed.column("id") == ["id 0", "id 1", "id 2"]
    assert renamed.location(2) == "reviews.csv, line 7"


def test_a_mapped_column_replaces_one_of_the_same_name() -> None:
    renamed = table("text", "body").rename({"text": "body"})
    assert renamed.rows[0] == {"text": "body 0"}
    swapped = table("text", "text_pair").rename({"text": "text_pair", "text_pair": "text"})
    assert swapped.rows[0] == {"text": "text_pair 0", "text_pair": "text 0"}


def test_absent_values_stay_absent() -> None:
    sparse = Table([{"a": 1}, {}], "x", [0, 1], unit="", columns=("a",)).rename({"text": "a"})
    assert sparse.rows == [{"text": 1}, {}]
    assert sparse.column("text") == [1, None]


def test_selecting_keeps_places() -> None:
    chosen = table("text").select([2, 0])
    assert [chosen.location(index) for index in range(2)] == [
        "reviews.csv, line 7",
        "reviews.csv, line 2",
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("review", "stars"), r"a column 'reviw'.*columns: 'review', 'stars'.*mean 'review'"),
        (("a;b;c",), r"separated by ';'"),
        (("a\tb",), r"separated by '\\t'"),
        (("3", "a very fine film indeed"), r"first line looks like data: add a header line"),
        ((), r"Received columns: none\."),
    ],
)
def test_missing_columns(columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        table(*columns).rename({"text": "reviw"})
    assert "columns={'text': ...}" in str(caught.value)
    assert "  " not in str(caught.value)


def test_fields_that_must_be_there() -> None:
    assert table("text").require("text").columns == ("text",)
    with pytest.raises(DataError, match=r"a column 'label'.*Did you mean 'Label'"):
        table("text", "Label").require("text", "label")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"review": "text"}, r"Turn it round: \{'text': 'review'\}"),
        ({"txt": "review"}, r"Valid field names: 'text'.*Did you mean 'text'"),
    ],
)
def test_maps_have_our_names_on_the_left(columns: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        table("review").rename(columns)
