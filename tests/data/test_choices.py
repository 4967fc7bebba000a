"""Choices and their labels: the forms that are read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfaigc.data import check_choices, read_records, review_choices
from tfaigc.errors import DataError

CITIES = ["London", "Ada", "1"]


def record(label: Any, choices: Any = None) -> dict[str, Any]:
    return {
        "question": "Which is a city?",
        "choices": CITIES if choices is None else choices,
        "label": label,
    }


@pytest.mark.parametrize(
    ("row", "number"),
    [
        (record(1), 1),
        (record(2.0), 2),
        (record("Ada"), 1),
        (record("B"), 1),
        (record("0"), 0),
        # A choice's text goes before its number.
        (record("1"), 2),
        (record("1", {"text": ["London", "Ada"], "label": ["1", "2"]}), 0),
        (record("A", '["London", "Ada"]'), 0),
    ],
)
def test_labels_name_a_choice(row: dict[str, Any], number: int) -> None:
    table, numbers = check_choices(read_records([row]))
    assert numbers.tolist() == [number]
    assert table.rows[0]["label"] == number
    # What has been read is read the same again.
    assert check_choices(table)[0].rows == table.rows


def test_a_text_may_be_the_question() -> None:
    row = {"body": "Which?", "choices": CITIES}
    table, numbers = check_choices(read_records([row], columns={"text": "body"}), with_labels=False)
    assert table.column("question") == ["Which?"]
    assert numbers.tolist() == [-1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (record(None), "label is missing"),
        (record(3), "label must be one of 3 choices.*Received: 3"),
        (record(True), "Received: True"),
        (record("D"), "Received: 'D'"),
        (record(0, "London"), "choices must be a list of texts. Received"),
        (record(0, ["London"]), "choices must be two texts or more"),
        (record(0, ["London", ""]), r"choices\[1\] must be a text. Received: ''"),
        ({**record(0), "question": " "}, "question is empty"),
    ],
)
def test_what_cannot_be_used_is_named(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=rf"records\[1\]: .*{message}"):
        check_choices(read_records([record(0), row]))


def test_choices_of_reviews(tmp_path: Path) -> None:
    path = tmp_path / "reviews.txt"
    lines = [f"{number}\t{rating}\ttext {number}" for number, rating in enumerate([2, -1, 3] * 9)]
    path.write_text("\n".join(lines))
    table, numbers = check_choices(review_choices(path))
    assert {len(choices) for choices in table.column("choices")} == {2, 3, 4}
    chosen = [row["choices"][number] for row, number in zip(table.rows, numbers, strict=True)]
    assert all(int(text.split()[1]) % 3 != 1 for text in chosen)
