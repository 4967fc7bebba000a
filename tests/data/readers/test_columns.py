"""Files with a word on each line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.data import read_records
from tfaigc.data.readers import WORD_FILE_READERS
from tfaigc.errors import DataError

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

# NNP B-NP O
1 CD I-NP O
"""
CONLLU = """# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_
1\tVamos\tir\tVERB\t_
1.1\tgone\t_\t_\t_
2\tnos\tnosotros\tPRON\t_

1\tmar\tmar\tNOUN\t_
"""


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_columns_are_words_and_tags(tmp_path: Path) -> None:
    path = write(tmp_path / "eng.conll", CONLL_2003)
    table = read_records(path)
    assert table.column("words") == [["EU", "rejects"], ["#", "1"]]
    assert table.column("tags") == [["B-ORG", "O"], ["O", "O"]]
    assert table.location(1) == f"{path}, line 6"
    chunks = read_records(path, columns={"tags": "3"})
    assert chunks.column("tags") == [["B-NP", "B-VP"], ["B-NP", "I-NP"]]


def test_tabs_crlf_and_comments(tmp_path: Path) -> None:
    text = "# a comment\r\nNew York\tB-LOC\r\n#tag\tO\r\n\r\n \r\nlast\tO"
    table = read_records(write(tmp_path / "ner.txt", text), readers=WORD_FILE_READERS)
    assert table.column("words") == [["New York", "#tag"], ["last"]]
    # Where no tags are asked for, it is plain text.
    assert read_records(tmp_path / "ner.txt").columns == ("text",)


def test_conllu(tmp_path: Path) -> None:
    table = read_records(write(tmp_path / "es.conllu", CONLLU))
    assert table.column("words") == [["Vamos", "nos"], ["mar"]]
    assert table.column("tags") == [["VERB", "PRON"], ["NOUN"]]


def test_a_broken_line_costs_its_sentence_and_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conll", "a O\nb O\n\nc\nd O\n\ne O\n")
    with pytest.raises(DataError, match=r"a.conll, line 4: must have 2 columns.*Received: 1"):
        read_records(path)
    table = read_records(path, max_invalid_share=0.4)
    assert table.column("words") == [["a", "b"], ["e"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [("a\nb\n", "a word and a tag on each line"), ("\n\n", "at least one record")],
)
def test_what_has_no_tags_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_records(write(tmp_path / "a.conll", text))
