"""Answers' places as columns of examples."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfaigc.data import Table, byte_places, leave_out
from tfaigc.tasks.answering.windows import QuestionWindows, null_columns

if TYPE_CHECKING:
    from tfaigc.tasks.question_answerer import QuestionAnswerer

_log = logging.getLogger("tfaigc")
_SHOWN = 3


def label_windows(
    model: QuestionAnswerer, table: Table, spans: np.ndarray, windows: QuestionWindows
) -> np.ndarray:
    """Finds the tokens that answers start and end with.

    An example that has not the whole answer has none, as those of records without an answer. An
    answer that does not start or end where tokens do is learnt as the tokens that cover it; the
    log says so.

    Args:
        model: The model.
        table: The records.
        spans: int64, (records, 2): the answers' places, in characters of the contexts.
        windows: The records' examples.

    Returns:
        int32, (examples, 2): the columns of the first and of the last token; both that of the
        token that stands for no answer where there is none.

    Raises:
        DataError: An answer has no token.
    """
    edges = _answer_tokens(table, spans, windows)
    nulls = null_columns(windows.encoded, model.tokenizer.cls_token_id)
    labels = np.stack([nulls, nulls], axis=1).astype(np.int32)
    examples = np.split(windows.sources, windows.encoded.row_splits[1:-1])
    for index, (sources, record) in enumerate(zip(examples, windows.places, strict=True)):
        columns = [np.flatnonzero(sources == edge) for edge in edges[record]]
        if all(map(len, columns)):
            labels[index] = np.concatenate(columns)
    return labels


def _answer_tokens(table: Table, spans: np.ndarray, windows: QuestionWindows) -> np.ndarray:
    """Finds the first and the last token of each answer, int64, (records, 2); -1 for none."""
    found = np.full_like(spans, -1)
    inexact, lost = [], {}
    for index in np.flatnonzero(spans[:, 0] >= 0).tolist():
        context, (first, behind) = table.rows[index]["context"], windows.contexts[index]
        start, end = byte_places(context)[spans[index]]
        offsets = windows.offsets[first:behind]
        covering = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
        meant = context[slice(*spans[index])]
        if not len(covering):
            lost[index] = f"The tokenizer makes nothing of the answer {meant!r:.60}."
            continue
        found[index] = first + covering[0], first + covering[-1]
        covered = context.encode()[offsets[covering[0], 0] : offsets[covering[-1], 1]].decode()
        if covered.strip() != meant:
            inexact.append(f"{table.location(index)} ({meant!r:.40} as {covered!r:.40})")
    leave_out(table, lost, max_invalid_share=0.0)
    _say_what_is_inexact(table, inexact)
    return found


def _say_what_is_inexact(table: Table, places: Sequence[str]) -> None:
    if places:
        more = f" and {len(places) - _SHOWN:,} more" if len(places) > _SHOWN else ""
        _log.warning(
            "%s: answers do not start and end where tokens do; they are learnt as the tokens that "
            "cover them: %s%s.",
            table.name,
            "; ".join(places[:_SHOWN]),
            more,
        )
