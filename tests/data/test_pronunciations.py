"""The pronouncing dictionary, from the package that it rides in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.data import pronunciations
from tfaigc.errors import DataError


@pytest.mark.network
def test_counts_of_the_real_file() -> None:
    assert len(pronunciations()) == 126_052


def test_words_and_sounds(tmp_path: Path) -> None:
    path = tmp_path / "words.dict"
    path.write_text("'bout B AW1 T\na AH0\na(2) EY1\naalto AA1 L T OW2 # name, finnish\n")
    table = pronunciations(path)
    assert table.column("source") == ["' b o u t", "a", "a a l t o"]
    assert table.column("target") == ["B AW T", "AH", "AA L T OW"]
    assert table.location(2) == "pronunciations, line 4"
    assert pronunciations(path, every=True).column("target")[1:3] == ["AH", "EY"]
    path.write_text("a AH0\nhello\n")
    with pytest.raises(DataError, match=r"words.dict, line 2, must .*Received: 'hello'"):
        pronunciations(path)
