"""JSON lines: every bad line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.data import Table, read_records
from tfaigc.errors import DataError


def read(directory: Path, content: str, share: float = 0.0) -> Table:
    path = directory / "a.jsonl"
    path.write_bytes(content.encode())
    return read_records(path, max_invalid_share=share)


def test_values_keep_their_kind(tmp_path: Path) -> None:
    table = read(tmp_path, '{"text": "a", "label": 1}\r\n\r\n{"labels": ["x"], "text": "é\\u0000"}')
    assert table.rows == [{"text": "a", "label": 1}, {"labels": ["x"], "text": "é\0"}]
    assert table.columns == ("text", "label", "labels")
    assert list(table.numbers) == [1, 3]


BAD = "\n".join(
    [
        '{"text": "a"}',
        '{"text": "b"',
        '["text"]',
        "null",
        '"b"',
        "3",
        "[" * 100_000,
        "9" * 5_000,
    ]
)


def test_bad_lines_are_reported_together(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, BAD)
    message = str(caught.value)
    assert "7 bad rows of 8" in message
    assert "a.jsonl, line 2: must be valid JSON. Received: Expecting ',' delimiter" in message
    assert "a.jsonl, line 3: must be a JSON object. Received: an array." in message
    assert "a.jsonl, line 4: must be a JSON object. Received: null." in message
    assert "a.jsonl, line 5: must be a JSON object. Received: a string." in message
    assert "a.jsonl, line 6: must be a JSON object. Received: a number." in message
    assert "and 2 more" in message
    table = read(tmp_path, BAD, share=0.9)
    assert table.rows == [{"text": "a"}]
    assert len(table.rejected) == 7


@pytest.mark.parametrize("content", ['[\n  {"text": "a"}\n]', '{\n  "text": "a"\n}'])
def test_one_document_over_many_lines(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="one JSON document over many lines"):
        read(tmp_path, content)
