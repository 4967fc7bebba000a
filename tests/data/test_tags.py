"""Words and tags: what is taken, converted and refused."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from tfaigc.data import check_tags, check_words, first_tokens, label_tokens, read_records
from tfaigc.errors import DataError

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
WORDS = ["Ada", "King", "in", "London"]


def record(tags: Any, words: Any = None) -> dict[str, Any]:
    return {"words": WORDS if words is None else words, "tags": tags}


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (["B-PER", "I-PER", "O", "B-LOC"], ""),
        (["I-PER", "I-PER", "O", "I-LOC"], "tags are in IO; they are read as BIO"),
        (["B-PER", "E-PER", "O", "S-LOC"], "tags are in BIOES; they are read as BIO"),
        (["B-PER", "L-PER", "O", "U-LOC"], "tags are in BILOU; they are read as BIO"),
        (["B-PER", "I-PER", "O", "I-LOC"], "records[0], word 4 (I-LOC)"),
        ([3, 4, 0, 1], ""),
        (np.array(["B-PER", "I-PER", "O", "B-LOC"]), ""),
        ('["B-PER", "I-PER", "O", "B-LOC"]', ""),
    ],
)
def test_schemes_become_one(tags: Any, told: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tfaigc"):
        table, encoded = check_tags(read_records([record(tags)]), labels=LABELS)
    assert table.rows == [
        {
            "text": "Ada King in London",
            "words": WORDS,
            "tags": ["B-PER", "I-PER", "O", "B-LOC"],
        }
    ]
    assert encoded.ids[0].tolist() == [3, 4, 0, 1]
    assert [told in message for message in caplog.messages] == ([True] if told else [])
    # What has been read is not told of again.
    caplog.clear()
    check_tags(table, labels=LABELS)
    assert not caplog.messages


def test_tags_are_written_in_the_scheme_of_the_labels() -> None:
    labels = ["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]
    table, _ = check_tags(read_records([record(["B-PER", "I-PER", "O", "B-LOC"])]), labels=labels)
    assert table.rows[0]["tags"] == ["B-PER", "E-PER", "O", "S-LOC"]


def test_labels_come_from_the_data() -> None:
    _, entities = check_tags(read_records([record(["I-PER", "I-PER", "O", "I-LOC"])]))
    assert entities.names == LABELS
    _, parts = check_tags(read_records([record(["NOUN", "NOUN", "ADP", "NOUN"])]))
    assert parts.names == ("ADP", "NOUN")
    assert parts.ids[0].tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (record(["O", "O"]), "tags must be as many as words, 4. Received: 2"),
        (record([], []), "words must have a word at least"),
        (record(["B-PER", "PER", "O", "O"]), r"tags\[1\] \('King'\) must be one of O, .*'PER'"),
        (record(["O", "O", "O", "B-LCO"]), "Received: 'B-LCO'. Did you mean 'B-LOC'"),
        (record(["O", None, "O", "O"]), r"tags\[1\] \('King'\) must be a tag. Received: None"),
        (record(None), "tags must be a list of tags. Received: None"),
        (record(["O"], "Ada"), "words must be a list of words. Received: 'Ada'"),
        (record(["O", "O"], ["a", " "]), r"words\[1\] must be a word. Received: ' '"),
        (record(["O"], ["\ud800"]), "half a surrogate"),
        ({"words": None, "tags": ["O"]}, "words is missing"),
    ],
)
def test_bad_rows_are_named_or_left_out(row: dict[str, Any], message: str) -> None:
    good = record(["B-PER", "I-PER", "O", "B-LOC"])
    table = read_records([good, row])
    with pytest.raises(DataError, match=rf"records\[1\]: .*{message}"):
        check_tags(table, labels=LABELS)
    kept, encoded = check_tags(table, labels=LABELS, max_invalid_share=0.5)
    assert len(kept) == len(encoded.ids) == len(kept.rejected) == 1


def test_one_tag_alone_teaches_nothing() -> None:
    with pytest.raises(DataError, match=r"two tags or more in tags.*Received: O"):
        check_tags(read_records([record(["O", "O", "O", "O"])]))
    with pytest.raises(DataError, match="200 in 200 words"):
        check_tags(read_records([record([str(i)], [str(i)]) for i in range(200)]))


def test_words_are_joined() -> None:
    table = check_words(read_records([{"words": '["a", "b c"]'}, {"words": ("d",)}]))
    assert table.column("text") == ["a b c", "d"]


def test_further_tokens_may_have_labels() -> None:
    words = [np.array([-1, 0, 0, 2, 2, -1]), np.array([], np.int64)]
    labels = [np.array([1, 4, 2], np.int32), np.array([3], np.int32)]
    found = label_tokens(words, labels, ignored=-100, inside=np.array([0, 2, 2, 4, 4], np.int32))
    assert found.tolist() == [-100, 1, 2, 2, 2, -100]
    assert first_tokens(words[0], 3).tolist() == [1, -1, 3]
