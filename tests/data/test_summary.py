"""The numbers that say what examples are like."""

from __future__ import annotations

import numpy as np

from tfaigc.data import describe, read_records


def test_numbers() -> None:
    table = read_records(["a", "b", "a", 3, "c"], max_invalid_share=0.2)
    summary = describe(
        table,
        label_ids=np.array([0, 1, 0, 0]),
        names=("no", "yes", "maybe"),
        lengths=np.array([3, 8, 3, 5]),
        max_length=8,
    )
    assert (summary.examples, summary.duplicates, summary.rejected) == (4, 1, 1)
    assert summary.classes == {"no": 3, "yes": 1, "maybe": 0}
    assert summary.lengths["shortest"] == 3
    assert summary.lengths["longest"] == 8
    assert summary.filled == 0.25
    assert summary.lines() == [
        "4 examples",
        "1 rows dropped",
        "1 exact duplicates",
        "no 3, yes 1, maybe 0",
        "tokens: shortest 3, median 5, p90 8, p99 8, longest 8",
        "25.0% fill max_length, and may be cut",
    ]


def test_texts_alone() -> None:
    assert describe(read_records(["a"])).lines() == ["1 examples"]
