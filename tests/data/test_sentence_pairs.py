"""Pairs of texts that documents are made into, and how plain text holds documents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfaigc.data import check_documents, make_pairs, read_records
from tfaigc.errors import ConfigError, DataError

# Sentence "12.3" is the fourth one of the document 12.
DOCUMENTS = [[f"{number}.{place}" for place in range(2 + number % 9)] for number in range(400)]
LENGTHS = [
    [1 + (number + place) % 5 for place in range(len(d))] for number, d in enumerate(DOCUMENTS)
]


def places(text: str) -> tuple[set[int], list[int]]:
    """The documents of a text's sentences, and their places in it."""
    numbers = [sentence.split(".") for sentence in text.split()]
    return {int(number) for number, _ in numbers}, [int(place) for _, place in numbers]


@pytest.mark.parametrize("task", ["next_sentence", "sentence_order"])
def test_pairs_are_what_their_labels_say(task: str) -> None:
    pairs = make_pairs(DOCUMENTS, LENGTHS, task=task, room=12, seed=3)
    used = []
    for first, second, label in zip(pairs.first, pairs.second, pairs.labels, strict=True):
        (document, begin), (other, end) = places(first), places(second)
        assert begin == list(range(begin[0], begin[0] + len(begin)))
        assert end == list(range(end[0], end[0] + len(end)))
        assert len(document) == len(other) == 1
        if task == "next_sentence" and label:
            assert document != other
            used += first.split()
            continue
        assert document == other
        assert (end[0] == begin[-1] + 1) if not label else (begin[0] == end[-1] + 1)
        used += (second if label else first).split() + (first if label else second).split()
    # Each sentence is learnt once, in the order of the documents.
    assert used == [sentence for document in DOCUMENTS for sentence in document]
    short = 0.5 if task == "sentence_order" else 0.6  # A document's last sentence has no next one.
    assert np.mean(pairs.labels) == pytest.approx(short, abs=0.07)
    again = make_pairs(DOCUMENTS, LENGTHS, task=task, room=12, seed=3)
    assert (again.first, again.second) == (pairs.first, pairs.second)
    assert make_pairs(DOCUMENTS, LENGTHS, task=task, room=12, seed=4).first != pairs.first


def test_pairs_fill_their_room() -> None:
    pairs = make_pairs(
        [["a"] * 4000, ["b"] * 9], [[1] * 4000, [1] * 9], task="sentence_order", room=20, seed=0
    )
    sizes = np.array(
        [len(f"{a} {b}".split()) for a, b in zip(pairs.first, pairs.second, strict=True)]
    )
    assert sizes.max() <= 20
    assert np.mean(sizes == 20) == pytest.approx(0.9, abs=0.05)


def test_plain_text_holds_documents_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("\none\ntwo\r\n \nthree\nfour\n\n", encoding="utf-8")
    table = read_records(path)
    assert table.column("text") == ["one\ntwo", "three\nfour"]
    assert table.location(1).endswith("texts.txt, line 5")
    assert check_documents(table, "next_sentence") is table
    path.write_text("one\ntwo\n\n", encoding="utf-8")
    assert read_records(path).column("text") == ["one", "two"]


def test_documents_that_make_no_pairs_are_named() -> None:
    table = read_records(["one\ntwo", "three\n \n"])
    with pytest.raises(DataError, match=r"records\[1\]: text must have at least two sentences"):
        check_documents(table, "sentence_order")
    with pytest.raises(DataError, match="at least two documents"):
        check_documents(read_records(["one\ntwo"]), "next_sentence")
    with pytest.raises(ConfigError, match=r"sentence_task must be one of .*Received: 'order'"):
        check_documents(table, "order")
