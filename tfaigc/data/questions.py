"""Questions whose answers stand in a context: their checks, and answers as places in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tfaigc.data.checks import leave_out, text_faults
from tfaigc.data.lists import as_list
from tfaigc.data.table import Table

NO_ANSWER = (-1, -1)
"""The place of an answer that the context does not have."""


def check_questions(
    table: Table, *, allow_no_answer: bool = True, max_invalid_share: float = 0.0
) -> tuple[Table, np.ndarray]:
    """Checks that every record has a ``question``, a ``context``, and ``answers`` that stand in it.

    Answers have SQuAD's form: ``{"text": [...], "answer_start": [...]}``, or a list of
    ``{"text": ..., "answer_start": ...}``; in a text, as a CSV file has it, as JSON. Starts count
    characters of the context. Where there are no texts, the context has no answer.

    Args:
        table: The records.
        allow_no_answer: Whether a context may be without an answer.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, whose answers have the first form, without white
        space around them; and the places of the first answers, int64, (records, 2): the first
        character and the one behind the last, or ``NO_ANSWER``.

    Raises:
        DataError: A field is missing, or more than the allowed share of the records cannot be
            used.
    """
    reasons = text_faults(table.require("question", "context", "answers"), ("question", "context"))
    column = table.column_name("answers")
    found = []
    for index, row in enumerate(table.rows):
        answers: list[tuple[str, int]] = []
        if index not in reasons:
            answers, reason = _read_answers(row.get("answers"), row["context"], column)
            if not answers and not reason and not allow_no_answer:
                reason = (
                    f"{column} is empty, and the model gives an answer to every question. Leave "
                    "such questions out, or set allow_no_answer to true."
                )
            if reason:
                reasons[index] = reason
        found.append(answers)
    kept = leave_out(table, reasons, max_invalid_share)
    usable = [answers for index, answers in enumerate(found) if index not in reasons]
    rows = [
        {**row, "answers": {"text": [t for t, _ in each], "answer_start": [s for _, s in each]}}
        for row, each in zip(kept.rows, usable, strict=True)
    ]
    firsts = [(each[0][1], each[0][1] + len(each[0][0])) if each else NO_ANSWER for each in usable]
    return replace(kept, rows=rows), np.array(firsts, np.int64).reshape(-1, 2)


def _read_answers(value: Any, context: str, column: str) -> tuple[list[tuple[str, int]], str]:
    """Reads answers and their starts; what is wrong with them is the second of the two."""
    pairs = _as_pairs(value)
    if pairs is None:
        if value is None:
            return [], f"{column} is missing."
        return [], (
            f'{column} must be {{"text": [...], "answer_start": [...]}}, as many of one as of the '
            f"other. Received: {value!r:.60}."
        )
    found = []
    for text, start in pairs:
        if isinstance(start, float) and start.is_integer():
            start = int(start)
        reason = _answer_fault(text, start, context, column)
        if reason:
            return [], reason
        stripped = text.strip()
        found.append((stripped, int(start) + text.index(stripped)))
    return found, ""


def _answer_fault(text: Any, start: Any, context: str, column: str) -> str:
    """Says what is wrong with an answer; "" where nothing is."""
    if not isinstance(text, str) or not text.strip():
        return f"{column} must be texts. Received: {text!r:.60}."
    if isinstance(start, bool) or not isinstance(start, int | np.integer):
        return f"answer_start of {text!r:.60} must be a whole number. Received: {start!r:.20}."
    if start >= 0 and context[start : start + len(text)] == text:
        return ""
    there = context[max(start, 0) : max(start, 0) + len(text)]
    place = context.find(text)
    move = f"It stands at {place}." if place >= 0 else "The context does not have it."
    return f"{text!r:.60} must stand at answer_start={start}. Received there: {there!r:.60}. {move}"


def _as_pairs(value: Any) -> list[tuple[Any, Any]] | None:
    """Takes answers in either form to texts and starts, or to None where they have none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, Mapping):
        texts, starts = as_list(value.get("text")), as_list(value.get("answer_start"))
        if texts is None or starts is None or len(texts) != len(starts):
            return None
        return list(zip(texts, starts, strict=True))
    listed = as_list(value)
    if listed is None or not all(isinstance(each, Mapping) for each in listed):
        return None
    return [(each.get("text"), each.get("answer_start")) for each in listed]
