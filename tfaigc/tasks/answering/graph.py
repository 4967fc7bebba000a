"""Answers found by TensorFlow operations alone, from raw strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from tfaigc.tasks.answering.spans import SpanScores, score_spans
from tfaigc.tasks.graph_windows import GraphWindows, windows_in_graph
from tfaigc.training.span_losses import MASKED

if TYPE_CHECKING:
    from tfaigc.tasks.question_answerer import QuestionAnswerer

# What `str.strip` takes away.
_SPACES = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"


class _Chosen(NamedTuple):
    """What texts are answered by.

    Attributes:
        windows: int64, (batch,): the examples that answers are found in.
        scores: float32, (batch,): the sums of two logits.
        is_null: bool, (batch,): whether there is no answer.
        differences: float32, (batch,): by how much no answer outscores the best one.
    """

    windows: Any
    scores: Any
    is_null: Any
    differences: Any


def answer_in_graph(model: QuestionAnswerer, questions: Any, contexts: Any) -> dict[str, Any]:
    """Takes raw strings to what ``QuestionAnswerer.infer`` answers.

    Args:
        model: The model.
        questions: string, (batch,).
        contexts: string, (batch,).

    Returns:
        ``answer``, string, ``score``, float32, ``start`` and ``end``, int32, in characters of the
        context, and where the model may find no answer ``null_score``, float32: (batch,) each.

        A question that leaves no room for its context, which ``infer`` refuses, gets no answer
        here, with a score of 0: of a batch the others must not fail with it.
    """
    ids, segments, offsets, sequences = model.tokenizer.in_graph(
        questions,
        contexts,
        return_segment_ids=True,
        return_offsets=True,
        return_sequence_ids=True,
    )
    is_long = _has_no_room(model, ids, sequences)
    kept = (sequences.values != 0) | ~tf.gather(is_long, sequences.value_rowids())
    ids, segments, offsets, sequences = (
        _keep(values, kept) for values in (ids, segments, offsets, sequences)
    )
    of_context = sequences.with_values(tf.cast(sequences.values == 1, tf.int64))
    windows = _cut_windows(model, ids, of_context)
    inputs = windows.inputs(ids, segments, pad_token_id=model.tokenizer.pad_token_id or 0)
    found = score_spans(
        model(inputs, training=False),
        windows.take(of_context.values).to_tensor() == 1,
        model.null_columns(inputs["token_ids"]),
        max_answer_length=model.max_answer_length,
        n_best=1,
    )
    chosen = _choose(model, windows, found, is_long)
    columns = tf.stack([found.starts[:, 0], found.ends[:, 0]], axis=1)
    columns = tf.cast(tf.gather(columns, chosen.windows), tf.int64)
    tokens = tf.gather(windows.sources.row_starts(), chosen.windows)[:, None] + columns
    edges = tf.gather(offsets.values, tf.gather(windows.sources.values, tokens))
    outputs = {
        **_cut_out(contexts, edges[:, 0, 0], edges[:, 1, 1], chosen.is_null),
        "score": tf.where(
            is_long, 0.0, tf.exp(chosen.scores - tf.gather(found.totals, chosen.windows))
        ),
    }
    return outputs | ({"null_score": chosen.differences} if model.allow_no_answer else {})


def _has_no_room(model: QuestionAnswerer, ids: Any, sequences: Any) -> Any:
    """Tells which questions leave no room for contexts that must be cut: bool, (batch,)."""
    of_context = sequences.with_values(tf.cast(sequences.values == 1, tf.int64))
    around = ids.row_lengths() - tf.reduce_sum(of_context, axis=1)
    is_cut = ids.row_lengths() > model.max_length
    return is_cut & (around >= model.max_length - model.doc_stride)


def _keep(tokens: Any, kept: Any) -> Any:
    """Leaves tokens out; ``kept``, bool, (tokens,), tells which stay."""
    counts = tf.reduce_sum(tokens.with_values(tf.cast(kept, tf.int64)), axis=1)
    return tf.RaggedTensor.from_row_lengths(tf.boolean_mask(tokens.values, kept), counts)


def _cut_windows(model: QuestionAnswerer, ids: Any, of_context: Any) -> GraphWindows:
    """Cuts contexts; ``of_context`` tells their tokens, int64 RaggedTensor, (batch, None)."""
    behind = model.tokenizer.pair_affixes[1]
    before = ids.row_lengths() - behind - tf.reduce_sum(of_context, axis=1)
    return windows_in_graph(
        ids, before, behind, max_length=model.max_length, overlap=model.doc_stride
    )


def _choose(
    model: QuestionAnswerer, windows: GraphWindows, found: SpanScores, is_unread: Any
) -> _Chosen:
    """Chooses between the likeliest spans of a text's examples, and none."""

    def by_text(values: Any, filler: float) -> Any:
        return tf.RaggedTensor.from_row_lengths(values, windows.counts).to_tensor(filler)

    spans = found.scores[:, 0]
    best = windows.firsts + tf.argmax(by_text(spans, 4 * MASKED), axis=1)
    null = windows.firsts + tf.argmin(by_text(found.nulls, -4 * MASKED), axis=1)
    score, null_score = tf.gather(spans, best), tf.gather(found.nulls, null)
    is_null = is_unread | (score < MASKED / 2)
    differences = tf.where(is_null, -2 * MASKED, null_score - score)
    if model.allow_no_answer:
        is_null |= differences > model.null_score_diff_threshold
    return _Chosen(
        tf.where(is_null, null, best), tf.where(is_null, null_score, score), is_null, differences
    )


def _cut_out(contexts: Any, starts: Any, ends: Any, is_null: Any) -> dict[str, Any]:
    """Takes bytes' places to an answer and its characters' places, without spaces around it."""
    starts, ends = (tf.where(is_null, 0, each) for each in (starts, ends))
    whole = tf.strings.substr(contexts, starts, tf.maximum(ends - starts, 0))
    stripped = tf.strings.regex_replace(whole, f"^{_SPACES}", "")
    starts += tf.strings.length(whole) - tf.strings.length(stripped)
    answers = tf.strings.regex_replace(stripped, f"{_SPACES}$", "")
    starts = tf.strings.length(
        tf.strings.substr(contexts, tf.zeros_like(starts), starts), unit="UTF8_CHAR"
    )
    return {
        "answer": answers,
        "start": starts,
        "end": starts + tf.strings.length(answers, unit="UTF8_CHAR"),
    }
