"""Questions and their answers: the forms that are read, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tfaigc.data import check_questions, entity_questions, read_records
from tfaigc.errors import DataError

CONTEXT = "Ada lived in London."
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Ada",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "qas": [
                        {
                            "id": "q1",
                            "question": "Where?",
                            "answers": [{"text": "London", "answer_start": 13}],
                        },
                        {
                            "id": 7,
                            "question": "When?",
                            "is_impossible": True,
                            "answers": [],
                            "plausible_answers": [{"text": "Ada", "answer_start": 0}],
                        },
                        "no question",
                    ],
                },
                {"qas": [{"id": "q3", "question": "Who?", "answers": []}]},
            ],
        },
        {"paragraphs": None},
    ],
}


def record(answers: Any, **changes: Any) -> dict[str, Any]:
    return {"question": "Where?", "context": CONTEXT, "answers": answers, **changes}


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["London", "in London"], "answer_start": [13, 10]},
        [{"text": "London", "answer_start": 13}, {"text": " in London", "answer_start": 9.0}],
        '{"text": ["London", "in London"], "answer_start": [13, 10]}',
    ],
)
def test_forms_become_one(answers: Any) -> None:
    table, spans = check_questions(read_records([record(answers), record([])]))
    assert spans.tolist() == [[13, 19], [-1, -1]]
    assert table.column("answers") == [
        {"text": ["London", "in London"], "answer_start": [13, 10]},
        {"text": [], "answer_start": []},
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (record(None), "answers is missing"),
        (record("London"), "must be {\"text\": .*Received: 'London'"),
        (record({"text": ["London"], "answer_start": []}), "as many of one as of the other"),
        (record([{"text": " ", "answer_start": 0}]), "answers must be texts. Received: ' '"),
        (record([{"text": "Ada"}]), "answer_start of 'Ada' must be a whole number. Received: None"),
        (
            record([{"text": "London", "answer_start": 12}]),
            "'London' must stand at answer_start=12. Received there: ' Londo'. It stands at 13.",
        ),
        (record([{"text": "Rome", "answer_start": 13}]), "The context does not have it"),
        (record([], context=""), "context is empty"),
        (record([], question=None), "question is missing"),
        (record([]), "set allow_no_answer to true"),
    ],
)
def test_what_cannot_be_used_is_named(row: dict[str, Any], message: str) -> None:
    good = record({"text": ["London"], "answer_start": [13]})
    with pytest.raises(DataError, match=rf"records\[1\]: .*{message}"):
        check_questions(read_records([good, row]), allow_no_answer=False)
    kept, spans = check_questions(
        read_records([good, row]), allow_no_answer=False, max_invalid_share=0.5
    )
    assert len(kept) == len(spans) == len(kept.rejected) == 1


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_squads_own_form() -> None:
    path = Path("dev.json")
    path.write_text(json.dumps(SQUAD))
    table = read_records(path, max_invalid_share=0.5)
    assert [fault.location for fault in table.rejected] == [
        "dev.json, data[0].paragraphs[0].qas[2]",
        "dev.json, data[1].paragraphs[0].qas[0]",
    ]
    assert table.column("question") == ["Where?", "When?", "Who?"]
    assert table.location(1) == "dev.json, question data[0].paragraphs[0].qas[1]"
    kept, spans = check_questions(table, max_invalid_share=0.7)
    assert spans.tolist() == [[13, 19], [-1, -1]]
    assert str(kept.rejected[-1]) == "dev.json, question q3: context is missing."


@pytest.mark.parametrize("wrapped", [True, False])
def test_flat_documents(wrapped: bool) -> None:
    rows = [record([]), record(None)]
    path = Path("flat.json")
    path.write_text(json.dumps({"data": rows} if wrapped else rows, indent=1))
    table = read_records(path)
    assert table.rows == rows
    assert table.location(1) == "flat.json[1]"


def test_questions_about_entities() -> None:
    path = Path("ner.txt")
    path.write_text("Ada B-person\nin O\nNew B-geo-loc\nYork I-geo-loc\n\nnobody O\n")
    table, spans = check_questions(entity_questions(path))
    assert set(table.column("context")) == {"Ada in New York"}
    assert [answers["text"] for answers in table.column("answers")] == [["Ada"], ["New York"], []]
    assert spans.tolist() == [[0, 3], [7, 15], [-1, -1]]
