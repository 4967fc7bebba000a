"""Answers to questions, found in Python."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.data import BatchOrder, Table
from tfaigc.tasks.answering.spans import SpanScores, score_spans
from tfaigc.tasks.answering.windows import QuestionWindows, encode_questions
from tfaigc.tasks.examples import Examples
from tfaigc.training.span_losses import MASKED

if TYPE_CHECKING:
    from tfaigc.tasks.question_answerer import QuestionAnswerer


def answer_table(
    model: QuestionAnswerer, table: Table, *, n_best: int, batch_size: int
) -> list[dict[str, Any]]:
    """Finds each record's likeliest answer, and where asked for some more.

    Args:
        model: The model.
        table: Records with ``question`` and ``context``.
        n_best: How many answers to list.
        batch_size: Examples in a batch.

    Returns:
        See ``QuestionAnswerer.infer``.
    """
    windows = encode_questions(model, table)
    found = _score_windows(model, windows, n_best=n_best, batch_size=batch_size)
    cuts = np.searchsorted(windows.places, np.arange(len(table) + 1))
    return [
        _answer(model, windows, found, range(cuts[index], cuts[index + 1]), context, n_best=n_best)
        for index, context in enumerate(table.column("context"))
    ]


def as_outputs(answers: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Gives answers the form that a SavedModel gives them: an array, (answers,), by name."""
    dtypes = {"answer": "object", "start": "int32", "end": "int32"}
    return {
        name: np.array([answer[name] for answer in answers], dtypes.get(name, "float32"))
        for name in answers[0]
    }


def logits_of_table(
    model: QuestionAnswerer, table: Table, *, batch_size: int
) -> list[list[np.ndarray]]:
    """Computes logits: for each record a list, float32, (tokens, 2), of each of its examples."""
    windows = encode_questions(model, table)
    lengths = np.diff(windows.encoded.row_splits)
    found: list[Any] = [None] * len(lengths)
    order = BatchOrder(lengths, batch_size)
    for examples, inputs in model.numbered_batches(Examples(windows.encoded), order):
        for place, logits in zip(examples, model.predict_on_batch(inputs), strict=True):
            found[place] = logits[: lengths[place]]
    cuts = np.searchsorted(windows.places, np.arange(len(table) + 1))
    return [found[begin:end] for begin, end in itertools.pairwise(cuts)]


def _score_windows(
    model: QuestionAnswerer, windows: QuestionWindows, *, n_best: int, batch_size: int
) -> SpanScores:
    """Scores the spans of all examples, as arrays; see ``SpanScores``."""
    encoded = windows.encoded
    order = BatchOrder(np.diff(encoded.row_splits), batch_size)
    count = len(windows.places)
    found = SpanScores(
        np.full((count, n_best), 2 * MASKED, np.float32),
        *(np.zeros((count, n_best), np.int32) for _ in range(2)),
        *(np.zeros(count, np.float32) for _ in range(2)),
    )
    for examples, inputs in model.numbered_batches(Examples(encoded), order):
        in_context = np.zeros(inputs["padding_mask"].shape, np.bool_)
        tokens = [np.arange(*encoded.row_splits[each : each + 2]) for each in examples]
        is_token = np.asarray(inputs["padding_mask"]) == 1
        in_context[is_token] = windows.in_context[np.concatenate(tokens)]
        scored = score_spans(
            model.predict_on_batch(inputs),
            in_context,
            model.null_columns(inputs["token_ids"]),
            max_answer_length=model.max_answer_length,
            n_best=n_best,
        )
        for all_of_it, part in zip(found, map(np.asarray, scored), strict=True):
            # Fewer spans than are asked for, where there are no more.
            all_of_it[(examples, slice(part.shape[1])) if part.ndim > 1 else examples] = part
    return found


def _answer(
    model: QuestionAnswerer,
    windows: QuestionWindows,
    found: SpanScores,
    examples: range,
    context: str,
    *,
    n_best: int,
) -> dict[str, Any]:
    """Puts what was found in a record's examples together."""
    own = slice(examples.start, examples.stop)
    null_window = examples[int(np.argmin(found.nulls[own]))]
    null = float(found.nulls[null_window])
    none = {"answer": "", "score": _probability(null, found, null_window), "start": 0, "end": 0}
    ranked = np.argsort(-found.scores[own], axis=None, kind="stable")
    listed: dict[tuple[int, int], dict[str, Any]] = {}
    scores = []
    for place in ranked:
        window, rank = divmod(int(place), found.scores.shape[1])
        window += examples.start
        score = float(found.scores[window, rank])
        if len(listed) == n_best or score < MASKED / 2:
            break
        first = windows.encoded.row_splits[window]
        edges = [first + columns[window, rank] for columns in (found.starts, found.ends)]
        answer = _cut_out(context, windows.offsets[windows.sources[edges]])
        answer["score"] = _probability(score, found, window)
        scores.append(score)
        # Examples that overlap find the same answers.
        listed.setdefault((answer["start"], answer["end"]), answer)
    difference = null - scores[0] if scores else -2 * MASKED
    is_null = not scores or (model.allow_no_answer and difference > model.null_score_diff_threshold)
    best = none if is_null else next(iter(listed.values()))
    more = {"n_best": list(listed.values())} if n_best > 1 else {}
    return {**best, **({"null_score": difference} if model.allow_no_answer else {}), **more}


def _probability(score: float, found: SpanScores, window: int) -> float:
    return float(np.exp(score - found.totals[window]))


def _cut_out(context: str, edges: np.ndarray) -> dict[str, Any]:
    """Takes the bytes of two tokens to an answer and its place, without spaces around it."""
    content = context.encode()
    whole = content[edges[0, 0] : edges[1, 1]].decode()
    start = len(content[: edges[0, 0]].decode()) + len(whole) - len(whole.lstrip())
    answer = whole.strip()
    return {"answer": answer, "score": 0.0, "start": start, "end": start + len(answer)}
