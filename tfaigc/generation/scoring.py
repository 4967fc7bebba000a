"""Changes of the scores of tokens, before one is chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tfaigc.generation.settings import GenerationSettings

# What is taken for impossible: a float32, to which finite scores may still be added.
IMPOSSIBLE = -1.0e9


class Sampling(NamedTuple):
    """How tokens are drawn for each text: settings of that name, each (rows, 1).

    Attributes:
        temperature: float32, above 0.
        top_k: int32.
        top_p: float32.
        min_p: float32.
    """

    temperature: Any
    top_k: Any
    top_p: Any
    min_p: Any


def penalize(
    scores: Any, tokens: Any, mask: Any, written: Any, settings: GenerationSettings, *, room: Any
) -> Any:
    """Applies what the settings say of repetitions, of too short texts and of their ends.

    Args:
        scores: float32, (rows, vocabulary).
        tokens: int32, (rows, length): the texts so far, and room for more.
        mask: bool, (rows, length): where their tokens are.
        written: int32, (): how many tokens were written.
        settings: How texts are written.
        room: int32, () or (rows, 1): most tokens that are written.

    Returns:
        float32, (rows, vocabulary).
    """
    if settings.repetition_penalty != 1.0:
        factor = settings.repetition_penalty
        penalized = tf.where(scores < 0, scores * factor, scores / factor)
        scores = tf.where(_are_among(tokens, mask, tf.shape(scores)), penalized, scores)
    if settings.no_repeat_ngram_size:
        banned = _would_repeat(tokens, mask, settings.no_repeat_ngram_size, tf.shape(scores))
        scores = tf.where(banned, -float("inf"), scores)
    if settings.min_new_tokens and settings.eos_token_ids:
        ends = tf.reduce_max(
            tf.one_hot(list(settings.eos_token_ids), tf.shape(scores)[1], dtype=tf.int32), axis=0
        )
        too_short = tf.logical_and(written < settings.min_new_tokens, ends > 0)
        scores = tf.where(too_short[None], -float("inf"), scores)
    if settings.suppress_tokens:
        never = tf.one_hot(list(settings.suppress_tokens), tf.shape(scores)[1], dtype=tf.int32)
        scores = tf.where(tf.reduce_max(never, axis=0)[None] > 0, -float("inf"), scores)
    for forced, place in (
        (settings.forced_bos_token_id, 0),
        (settings.forced_eos_token_id, room - 1),
    ):
        if forced is not None:
            is_forced = tf.equal(tf.range(tf.shape(scores)[1]), forced)[None]
            alone = tf.where(is_forced, tf.zeros_like(scores), -float("inf"))
            scores = tf.where(tf.equal(written, place), alone, scores)
    return scores


def narrow(scores: Any, settings: GenerationSettings | Sampling) -> Any:
    """Leaves the tokens that sampling is among; all others become impossible.

    Args:
        scores: float32, (rows, vocabulary).
        settings: How texts are written: all alike, or each in its own way.

    Returns:
        float32, (rows, vocabulary).
    """
    if not _is(settings.temperature, 1.0):
        scores = scores / settings.temperature
    if not _is(settings.top_k, 0):
        rows, size = tf.unstack(tf.shape(scores))
        count = tf.minimum(settings.top_k, size)
        count = tf.broadcast_to(tf.where(count > 0, count, size), [rows, 1])
        best = tf.math.top_k(scores, k=tf.reduce_max(count)).values
        least = tf.gather(best, count - 1, batch_dims=1)
        scores = tf.where(scores < least, -float("inf"), scores)
    if not _is(settings.top_p, 1.0):
        ascending = tf.sort(scores, axis=-1)
        below = tf.cumsum(tf.nn.softmax(ascending), axis=-1) <= 1.0 - settings.top_p
        # The likeliest stays in any case.
        first = tf.minimum(tf.reduce_sum(tf.cast(below, tf.int32), axis=-1), tf.shape(below)[1] - 1)
        least = tf.gather(ascending, first, batch_dims=1)[:, None]
        scores = tf.where(scores < least, -float("inf"), scores)
    if not _is(settings.min_p, 0.0):
        probabilities = tf.nn.softmax(scores)
        least = settings.min_p * tf.reduce_max(probabilities, axis=-1, keepdims=True)
        scores = tf.where(probabilities < least, -float("inf"), scores)
    return scores


def _is(value: Any, number: float) -> bool:
    """Tells whether a setting has a value that changes nothing; of tensors this is not known."""
    return isinstance(value, int | float) and value == number


def are_ends(tokens: Any, settings: GenerationSettings) -> Any:
    """Tells the tokens that end a text: bool, of the same shape."""
    if not settings.eos_token_ids:
        return tf.zeros_like(tokens, tf.bool)
    ends = tf.constant(settings.eos_token_ids, tokens.dtype)
    return tf.reduce_any(tf.equal(tokens[..., None], ends), axis=-1)


def _are_among(tokens: Any, mask: Any, shape: Any) -> Any:
    """Tells which tokens a text has: bool, (rows, vocabulary)."""
    rows = tf.broadcast_to(tf.range(shape[0])[:, None], tf.shape(tokens))
    found = tf.boolean_mask(tf.stack([rows, tokens], axis=-1), mask)
    counts = tf.scatter_nd(found, tf.ones(tf.shape(found)[0], tf.int32), shape)
    return counts > 0


def _would_repeat(tokens: Any, mask: Any, size: int, shape: Any) -> Any:
    """Tells which tokens would end a run that the text has already: bool, (rows, vocabulary)."""
    columns = tf.range(tf.shape(tokens)[1])
    ends = tf.reduce_max(tf.where(mask, columns, -1), axis=1) + 1
    last = tf.clip_by_value(ends[:, None] - size + 1 + tf.range(size - 1), 0, tf.shape(columns)[0])
    last = tf.minimum(last, tf.shape(columns)[0] - 1)
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    places = tf.maximum(tf.shape(columns)[0] - size + 1, 0)
    same = mask[:, :places]
    for offset in range(size - 1):
        token = tf.gather(tokens, last[:, offset : offset + 1], batch_dims=1)
        same = tf.logical_and(same, tf.equal(tokens[:, offset : places + offset], token))
    # The run must be whole, and what it would be compared with must be there.
    same = tf.logical_and(same, mask[:, size - 1 : places + size - 1])
    same = tf.logical_and(same, lengths[:, None] >= size - 1)
    return _are_among(tokens[:, size - 1 : places + size - 1], same, shape)
