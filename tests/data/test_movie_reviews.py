"""The movie reviews, from the package that they ride in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tfaigc.data import movie_reviews
from tfaigc.errors import DataError


@pytest.mark.network
def test_counts_of_the_real_file() -> None:
    table = movie_reviews()
    assert len(table) == 10_072
    assert abs(Counter(table.column("label"))["positive"] - 5_036) < 250


def test_sides(tmp_path: Path) -> None:
    path = tmp_path / "reviews.txt"
    path.write_text('1\t0.5\t"Quoted\n2\t-0.5\tb\r\n3\t0.49\tc\n4\t-3.9\td\n', encoding="utf-8")
    table = movie_reviews(path)
    assert table.column("text") == ['"Quoted', "b", "d"]
    assert table.column("label") == ["positive", "negative", "negative"]
    assert table.location(2) == "movie_reviews, line 4"


def test_another_file(tmp_path: Path) -> None:
    path = tmp_path / "reviews.txt"
    path.write_text("1\t0.5\ta\nhello\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"reviews.txt, line 2, .*Received: 'hello'"):
        movie_reviews(path)


def test_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "reviews.txt"
    path.write_bytes(b"1\t0.5\ta\n2\t1.0\tcaf\xe9\n")
    with pytest.raises(DataError, match=r"reviews.txt, line 2: the file must be UTF-8"):
        movie_reviews(path)
