"""The likeliest spans of tokens, by TensorFlow operations."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tfaigc.training.span_losses import MASKED


class SpanScores(NamedTuple):
    """What a model thinks of some examples.

    Attributes:
        scores: float32, (examples, n): the sums of two logits of the likeliest spans, the highest
            first; far below 0 where there are no more.
        starts: int32, (examples, n): the columns of their first tokens.
        ends: int32, (examples, n): the columns of their last tokens.
        nulls: float32, (examples,): the same sum for no answer.
        totals: float32, (examples,): the logarithm of what a sum's exponential is to be divided
            by to be a probability.
    """

    scores: Any
    starts: Any
    ends: Any
    nulls: Any
    totals: Any


def score_spans(
    logits: Any, in_context: Any, null_columns: Any, *, max_answer_length: int, n_best: int
) -> SpanScores:
    """Finds the likeliest spans among all that start and end in a context.

    Args:
        logits: float32, (examples, length, 2): of starts and of ends.
        in_context: bool, (examples, length): the tokens that an answer may have.
        null_columns: int, (examples,): the tokens that stand for no answer.
        max_answer_length: The most tokens of a span.
        n_best: How many spans to find.

    Returns:
        The spans, and what their probabilities are made from.
    """
    length = tf.shape(logits)[1]
    longest = tf.minimum(max_answer_length, length)
    starts, ends = (tf.where(in_context, logits[..., edge], MASKED) for edge in (0, 1))
    # Of each start the ends from it on, as far as a span may reach.
    padded = tf.pad(ends, [[0, 0], [0, longest - 1]], constant_values=MASKED)
    reached = tf.range(length)[:, None] + tf.range(longest)
    sums = starts[:, :, None] + tf.gather(padded, reached, axis=1)
    flat = tf.reshape(sums, [-1, length * longest])
    best = tf.math.top_k(flat, k=tf.minimum(n_best, length * longest))
    first = best.indices // longest
    nulls = tf.gather(logits, null_columns, batch_dims=1)
    return SpanScores(
        best.values,
        first,
        first + best.indices % longest,
        tf.reduce_sum(nulls, axis=-1),
        tf.reduce_sum(tf.reduce_logsumexp(logits, axis=1), axis=-1),
    )
