"""Bad rows: stopped at, or let go in the open."""

from __future__ import annotations

import pytest

from tfaigc.data.faults import Fault, settle
from tfaigc.errors import DataError

FAULTS = [Fault(f"a.csv, line {line}", "text is empty.") for line in range(2, 10)]


def test_the_message_shows_five_and_counts_the_rest() -> None:
    with pytest.raises(DataError) as caught:
        settle(FAULTS, total=1000, source="a.csv")
    assert str(caught.value).splitlines() == [
        "a.csv: every row must be usable. Received: 8 bad rows of 1,000.",
        *(f"  a.csv, line {line}: text is empty." for line in range(2, 7)),
        "  and 3 more",
        "Correct the rows; a recipe drops such rows with max_invalid_share=0.008.",
    ]


def test_the_share_that_the_message_names_is_enough() -> None:
    for total in (9, 123, 4567):
        with pytest.raises(DataError) as caught:
            settle(FAULTS, total=total, source="a.csv")
        share = float(str(caught.value).rsplit("=", 1)[1].rstrip("."))
        assert settle(FAULTS, total=total, source="a.csv", max_invalid_share=share)


def test_one_row_at_least_must_be_left() -> None:
    with pytest.raises(DataError, match=r"8 bad rows of 8[^=]*Correct the rows\.$"):
        settle(FAULTS, total=8, source="a.csv", max_invalid_share=1.0)


def test_dropped_rows_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    kept = settle(FAULTS, total=16, source="a.csv", max_invalid_share=0.5, known=6)
    assert kept == tuple(FAULTS)
    assert caplog.messages == [
        "Dropped a.csv, line 8: text is empty.",
        "Dropped a.csv, line 9: text is empty.",
    ]
    with pytest.raises(DataError, match=r"max_invalid_share is 0\.4\)"):
        settle(FAULTS, total=16, source="a.csv", max_invalid_share=0.4)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_share_must_be_a_share(share: float) -> None:
    with pytest.raises(DataError, match="max_invalid_share must be between 0 and 1"):
        settle([], total=1, source="a.csv", max_invalid_share=share)
