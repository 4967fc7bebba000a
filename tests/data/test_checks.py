"""Texts and labels: what is taken, what is refused, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

from tfaigc.data import check_examples, check_labels, check_texts, encode_labels, read_records
from tfaigc.errors import DataError


def table(*labels: Any, text: Any = "fine") -> Any:
    return read_records([{"text": text, "label": label} for label in labels])


@pytest.mark.parametrize(
    ("written", "labels", "ids", "names"),
    [
        (["b", "a", "b"], None, [1, 0, 1], ("a", "b")),
        (["10", "9"], None, [1, 0], ("9", "10")),
        ([3.0, 1, "2"], None, [2, 0, 1], ("1", "2", "3")),
        ([True, False], None, [1, 0], ("0", "1")),
        (["b", "a"], ["b", "a"], [0, 1], ("b", "a")),
        ([1, "0", "b"], ["a", "b"], [1, 0, 1], ("a", "b")),
        (["1", "2"], ["2", "1"], [1, 0], ("2", "1")),
        ([" a ", "b"], None, [0, 1], ("a", "b")),
    ],
)
def test_labels(written: Any, labels: Any, ids: list[int], names: tuple[str, ...]) -> None:
    encoded = encode_labels(table(*written), labels)
    assert (encoded.ids.tolist(), encoded.names) == (ids, names)


def test_faults_are_reported_together_with_their_places() -> None:
    with pytest.raises(DataError) as caught:
        encode_labels(table("good", "bad", None, "", float("nan"), "goood"), ["good", "bad"])
    message = str(caught.value)
    assert "4 bad rows of 6" in message
    assert "records[2]: label is missing." in message
    assert "records[5]: label must be one of good, bad. Received: 'goood'." in message
    assert "Did you mean 'good'?" in message


def test_one_class_only() -> None:
    with pytest.raises(DataError, match=r"at least two classes in label\. Received: a"):
        encode_labels(table("a", "a"))


def test_bad_rows_may_be_dropped_in_the_open(caplog: pytest.LogCaptureFixture) -> None:
    rows = table("a", "b", None, "b")
    kept, labels = check_labels(rows, max_invalid_share=0.25)
    assert labels.ids.tolist() == [0, 1, 1]
    assert [kept.location(index) for index in range(3)] == [
        "records[0]",
        "records[1]",
        "records[3]",
    ]
    assert [fault.location for fault in kept.rejected] == ["records[2]"]
    assert "Dropped records[2]" in caplog.text
    with pytest.raises(DataError, match="max_invalid_share"):
        check_labels(rows, max_invalid_share=0.2)


@pytest.mark.parametrize("text", ["", " \t", "\u00a0", None, 3])
def test_texts(text: Any) -> None:
    with pytest.raises(DataError, match=r"records\[0\]: text (is empty|is missing|must be text)"):
        check_texts(table("a", text=text), "text")
    assert len(check_texts(table("a"), "text")) == 1


def test_missing_field() -> None:
    with pytest.raises(DataError, match=r"must have a column 'label'.*Received columns: 'text'"):
        encode_labels(read_records([{"text": "fine"}]))


def test_texts_and_labels_are_reported_together() -> None:
    rows = read_records(
        [
            {"text": "fine", "label": "good"},
            {"text": " ", "label": "good"},
            {"text": "dull", "label": "bad"},
            {"text": "so", "label": "Good"},
            {"text": "", "label": None},
        ]
    )
    with pytest.raises(DataError) as caught:
        check_examples(rows, "text", labels=["bad", "good"])
    message = str(caught.value)
    assert "3 bad rows of 5" in message
    assert "records[1]: text is empty.\n" in message
    assert "records[3]: label must be one of bad, good. Received: 'Good'. Did you" in message
    assert "records[4]: text is empty. label is missing.\n" in message
    kept, labels = check_examples(rows, "text", labels=["bad", "good"], max_invalid_share=0.6)
    assert kept.column("text") == ["fine", "dull"]
    assert labels.ids.tolist() == [1, 0]
    assert labels.ids.dtype == "int32"


def test_shares_count_all_rows_of_the_source() -> None:
    rows = read_records(["a", 1, "", "b"], max_invalid_share=0.5)
    assert len(check_texts(rows, "text", max_invalid_share=0.5).rejected) == 2
    with pytest.raises(DataError, match="2 bad rows of 4"):
        check_texts(rows, "text", max_invalid_share=0.3)


def test_their_column_names_are_used() -> None:
    columns = {"text": "review", "label": "stars"}
    rows = read_records([{"review": "", "stars": 9}], columns=columns)
    with pytest.raises(DataError, match=r"review is empty\. stars must be one of a, b"):
        check_examples(rows, "text", labels=["a", "b"])


def test_broken_unicode() -> None:
    with pytest.raises(DataError, match="half a surrogate pair at 1"):
        check_texts(read_records(["a\ud800"]), "text")


def test_scores_are_no_classes() -> None:
    with pytest.raises(DataError, match=r"class name or a whole number\. Received: 0\.5"):
        encode_labels(table(0, 0.5, 1))
    with pytest.raises(DataError, match=r"class name or a whole number\. Received: 0\.5"):
        encode_labels(table("0.5"))


def test_a_column_of_ids_is_no_column_of_classes() -> None:
    with pytest.raises(DataError, match="500 different values in 500 rows"):
        encode_labels(table(*range(500)))
    assert len(encode_labels(table(*range(500)), [f"c{i}" for i in range(500)]).names) == 500


def test_no_label_at_all() -> None:
    with pytest.raises(DataError, match=r"records\[0\]: label is missing"):
        encode_labels(table(None, ""))
