"""Read files that are one JSON document: a list of records, or SQuAD's nested form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfaigc.data.faults import Fault
from tfaigc.data.readers.in_memory import read_sequence
from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table
from tfaigc.errors import DataError

_COLUMNS = ("id", "title", "question", "context", "answers")


def read_json(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads a list of objects, alone or under ``data``; or SQuAD's articles, paragraphs, questions.

    Questions of SQuAD 1.1 (arXiv:1606.05250) and 2.0 (arXiv:1806.03822) become records with
    ``id``, ``title``, ``question``, ``context`` and ``answers``; those that cannot be answered
    have no answers.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, and what in the document is no record.

    Raises:
        DataError: The file cannot be read, or is none of these documents.
    """
    try:
        document = json.loads("".join(text_lines(path, name)))
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name} must be valid JSON. Received: {error}. Correct it; files with one object per "
            "line end in .jsonl."
        ) from error
    records = document.get("data") if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise DataError(
            f"{name} must hold a list of records, alone or under 'data'. Received: "
            f"{_shape(document)}. Write [{{...}}, ...], or one object per line in a .jsonl file."
        )
    if any(isinstance(record, dict) and "paragraphs" in record for record in records):
        return _read_articles(records, name)
    return read_sequence(records, name)


def _read_articles(articles: list[Any], name: str) -> tuple[Table, list[Fault]]:
    rows: list[dict[str, Any]] = []
    numbers: list[object] = []
    faults: list[Fault] = []
    for where, record in _questions(articles):
        if record is None:
            reason = "must be a question of 'paragraphs', each with 'context' and 'qas'."
            faults.append(Fault(f"{name}, {where}", reason))
            continue
        rows.append(record)
        numbers.append(record["id"] if isinstance(record["id"], str) else where)
    return Table(rows, name, numbers, unit="question", columns=_COLUMNS), faults


def _questions(articles: list[Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yields where each question stands, and its record; None where it is none."""
    for number, article in enumerate(articles):
        for index, paragraph in enumerate(_listed(article, "paragraphs")):
            for count, question in enumerate(_listed(paragraph, "qas")):
                where = f"data[{number}].paragraphs[{index}].qas[{count}]"
                if not isinstance(question, dict):
                    yield where, None
                    continue
                above = {"title": article.get("title"), "context": paragraph.get("context")}
                record = {name: (above | question).get(name) for name in _COLUMNS}
                yield where, record | ({"answers": []} if question.get("is_impossible") else {})


def _listed(value: Any, key: str) -> list[Any]:
    """Returns the list under a key; one of nothing where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else [None]


def _shape(document: Any) -> str:
    if isinstance(document, dict):
        return f"an object with {', '.join(map(repr, list(document)[:5])) or 'nothing'}"
    return type(document).__name__
