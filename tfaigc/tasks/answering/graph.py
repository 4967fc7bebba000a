"""Answers found by TensorFlow operations alone, from raw strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfaigc.tasks.answering.spans import score_spans
from tfaigc.tasks.graph_windows import windows_in_graph
from tfaigc.training.span_losses import MASKED

if TYPE_CHECKING:
    from tfaigc.tasks.question_answerer import QuestionAnswerer

# What `str.strip` takes away.
_SPACES = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"


def answer_in_graph(model: QuestionAnswerer, questions: Any, contexts: Any) -> dict[str, Any]:
    """Takes raw strings to what ``QuestionAnswerer.infer`` answers.

    Args:
        model: The model.
        questions: string, (batch,).
        contexts: string, (batch,).

    Returns:
        ``answer``, string, ``score``, float32, ``start`` and ``end``, int32, in characters of the
        context, and where the model may find no answer ``null_score``, float32: (batch,) each.

    Raises:
        tf.errors.InvalidArgumentError: A question leaves no room for its context.
    """
    ids, segments, offsets, sequences = model.tokenizer.in_graph(
        questions,
        contexts,
        return_segment_ids=True,
        return_offsets=True,
        return_sequence_ids=True,
    )
    of_context = sequences.with_values(tf.cast(sequences.values == 1, tf.int64))
    behind = model.tokenizer.pair_affixes[1]
    before = ids.row_lengths() - behind - tf.reduce_sum(of_context, axis=1)
    room = model.max_length - behind - model.doc_stride
    check = tf.debugging.assert_less(
        before,
        tf.constant(room, tf.int64),
        message="A question must leave room for its context. Shorten it.",
    )
    with tf.control_dependencies([check] if check is not None else []):
        windows = windows_in_graph(
            ids, before, behind, max_length=model.max_length, overlap=model.doc_stride
        )
    inputs = windows.inputs(ids, segments, pad_token_id=model.tokenizer.pad_token_id or 0)
    in_context = windows.take(of_context.values).to_tensor() == 1
    found = score_spans(
        model(inputs, training=False),
        in_context,
        model.null_columns(inputs["token_ids"]),
        max_answer_length=model.max_answer_length,
        n_best=1,
    )

    def by_text(values: Any, filler: float) -> Any:
        rows = tf.RaggedTensor.from_row_lengths(values, windows.counts)
        return rows.to_tensor(filler)

    best = windows.firsts + tf.argmax(by_text(found.scores[:, 0], 4 * MASKED), axis=1)
    null = windows.firsts + tf.argmin(by_text(found.nulls, -4 * MASKED), axis=1)
    score, null_score = tf.gather(found.scores[:, 0], best), tf.gather(found.nulls, null)
    is_null = score < MASKED / 2
    difference = tf.where(is_null, -2 * MASKED, null_score - score)
    if model.allow_no_answer:
        is_null |= difference > model.null_score_diff_threshold
    columns = tf.gather(tf.stack([found.starts[:, 0], found.ends[:, 0]], axis=1), best)
    tokens = tf.gather(windows.sources.row_starts(), best)[:, None] + tf.cast(columns, tf.int64)
    edges = tf.gather(offsets.values, tf.gather(windows.sources.values, tokens))
    chosen = tf.where(is_null, null_score, score)
    outputs = {
        **_cut_out(contexts, edges[:, 0, 0], edges[:, 1, 1], is_null),
        "score": tf.exp(chosen - tf.gather(found.totals, tf.where(is_null, null, best))),
    }
    return outputs | ({"null_score": difference} if model.allow_no_answer else {})


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
