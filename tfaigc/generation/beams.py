"""Beam search: the texts with the best scores, of many that are written at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tfaigc.generation.scoring import IMPOSSIBLE, are_ends, penalize
from tfaigc.generation.settings import GenerationSettings
from tfaigc.generation.writing import Writer


class Beams(NamedTuple):
    """The texts of a beam search; each prompt has as many as there are beams.

    Attributes:
        step: int32, (): how many tokens were written.
        running: int32, (batch, beams, room): those that go on.
        running_scores: float32, (batch, beams): the logarithms of their probabilities.
        done: int32, (batch, beams, room): the best of those that have ended.
        done_scores: float32, (batch, beams): theirs, divided by what their length asks for.
        done_lengths: int32, (batch, beams): theirs.
        is_done: bool, (batch, beams): which of these places are taken.
        may_improve: bool, (batch, 1): where a text that goes on may still become one of the best.
        goes_on: bool, (): whether there is more to do.
    """

    step: Any
    running: Any
    running_scores: Any
    done: Any
    done_scores: Any
    done_lengths: Any
    is_done: Any
    may_improve: Any
    goes_on: Any


def search_beams(
    writer: Writer,
    logits: Any,
    state: Any,
    prompts: tuple[Any, Any],
    *,
    settings: GenerationSettings,
    room: Any,
) -> tuple[Any, Any]:
    """Writes the best texts that beam search finds, as ``transformers`` does.

    A prompt's search ends when no text that goes on can come to a better score than the worst of
    its best, by the measure of ``early_stopping``; what other prompts do changes nothing.

    Args:
        writer: Scores what may come next.
        logits: float32, (batch, vocabulary), of the first token.
        state: The writer's.
        prompts: Tokens and mask: int32, (batch, length).
        settings: How texts are written.
        room: int32, (): most tokens to write.

    Returns:
        int32, (batch * num_return_sequences, room): what was written, each prompt's best first, 0
        behind it; and its lengths, int32, (batch * num_return_sequences,).
    """
    beams = settings.num_beams
    batch = tf.shape(logits)[0]
    each = tf.repeat(tf.range(batch), beams)
    prompt = tuple(tf.gather(part, each) for part in prompts)
    first = advance(_start(batch, beams, room), tf.gather(logits, each), prompt, settings, room)
    state = writer.take(writer.take(state, each), first[1])

    def body(texts: Beams, state: Any) -> tuple[Beams, Any]:
        last = tf.gather(tf.reshape(texts.running, (batch * beams, -1)), texts.step - 1, axis=1)
        logits, state = writer.step(last, state)
        texts, origins = advance(texts, logits, prompt, settings, room)
        return texts, writer.take(state, origins)

    texts, _ = tf.while_loop(lambda texts, _: texts.goes_on, body, (first[0], state))
    count = settings.num_return_sequences
    found = tf.reshape(texts.done[:, :count], (batch * count, -1))
    return found, tf.reshape(texts.done_lengths[:, :count], (-1,))


def advance(
    texts: Beams, logits: Any, prompt: tuple[Any, ...], settings: GenerationSettings, room: Any
) -> tuple[Beams, Any]:
    """Writes one token more.

    Args:
        texts: The texts so far.
        logits: float32, (batch * beams, vocabulary).
        prompt: Tokens and mask of each beam's prompt: int32, (batch * beams, length).
        settings: How texts are written.
        room: int32, (): most tokens to write.

    Returns:
        The texts, and for each that goes on the row that it grew from, int32, (batch * beams,).
    """
    batch, beams = tf.shape(texts.running)[0], settings.num_beams
    scores = _scores(texts, logits, prompt, settings, room)
    vocabulary = tf.shape(scores)[1] // beams
    # Enough that as many as there are beams go on, even where all others end.
    count = max(2, 1 + len(settings.eos_token_ids)) * beams
    scores, picked = tf.math.top_k(scores, k=count)
    origins, tokens = picked // vocabulary, picked % vocabulary
    grown = tf.gather(texts.running, origins, batch_dims=1)
    here = tf.equal(tf.range(tf.shape(grown)[2]), texts.step)
    grown = tf.where(here, tokens[..., None], grown)
    step = texts.step + 1
    ends = tf.logical_or(are_ends(tokens, settings), step >= room)

    open_scores = scores + tf.cast(ends, tf.float32) * IMPOSSIBLE
    running_scores, kept = tf.math.top_k(open_scores, k=beams)
    rows = tf.gather(origins, kept, batch_dims=1) + tf.range(batch)[:, None] * beams
    # Only the best end; the others are there to go on.
    finishes = tf.logical_and(ends, tf.range(count) < beams)
    done = _keep_best(texts, grown, scores, finishes, step, settings)
    moved = done._replace(
        step=step,
        running=tf.gather(grown, kept, batch_dims=1),
        running_scores=running_scores,
    )
    return _look_ahead(moved, ends, settings, room), tf.reshape(rows, (-1,))


def _start(batch: Any, beams: int, room: Any) -> Beams:
    empty = tf.zeros((batch, beams, room), tf.int32)
    # All beams begin alike: only the first counts, or they would stay alike.
    first = tf.where(tf.equal(tf.range(beams), 0), 0.0, IMPOSSIBLE)
    return Beams(
        step=tf.constant(0),
        running=empty,
        running_scores=tf.tile(first[None], (batch, 1)),
        done=empty,
        done_scores=tf.fill((batch, beams), IMPOSSIBLE),
        done_lengths=tf.zeros((batch, beams), tf.int32),
        is_done=tf.zeros((batch, beams), tf.bool),
        may_improve=tf.ones((batch, 1), tf.bool),
        goes_on=tf.constant(True),
    )


def _scores(
    texts: Beams, logits: Any, prompt: tuple[Any, ...], settings: GenerationSettings, room: Any
) -> Any:
    """Scores each token behind each text that goes on: (batch, beams * vocabulary)."""
    batch, beams = tf.shape(texts.running)[0], settings.num_beams
    scores = tf.nn.log_softmax(logits)
    written = tf.reshape(texts.running, (batch * beams, -1))
    mask = tf.broadcast_to(tf.range(tf.shape(written)[1]) < texts.step, tf.shape(written))
    scores = penalize(
        scores,
        tf.concat([prompt[0], written], axis=1),
        tf.concat([tf.cast(prompt[1], tf.bool), mask], axis=1),
        texts.step,
        settings,
        room=room,
    )
    if settings.renormalize_logits:
        scores = tf.nn.log_softmax(scores)
    scores = scores + tf.reshape(texts.running_scores, (-1, 1))
    return tf.reshape(scores, (batch, -1))


def _keep_best(
    texts: Beams, grown: Any, scores: Any, finishes: Any, step: Any, settings: GenerationSettings
) -> Beams:
    """Puts texts that have just ended among those that ended before, if they are better."""
    scores = scores / tf.cast(step, tf.float32) ** settings.length_penalty
    if settings.early_stopping is True:
        is_full = tf.reduce_all(texts.is_done, axis=1, keepdims=True)
        scores += tf.cast(is_full, tf.float32) * IMPOSSIBLE
    scores += tf.cast(tf.logical_not(texts.may_improve), tf.float32) * IMPOSSIBLE
    scores += tf.cast(tf.logical_not(finishes), tf.float32) * IMPOSSIBLE
    lengths = tf.fill(tf.shape(scores), step)
    best, order = tf.math.top_k(
        tf.concat([texts.done_scores, scores], axis=1), k=settings.num_beams
    )

    def merge(old: Any, new: Any) -> Any:
        return tf.gather(tf.concat([old, new], axis=1), order, batch_dims=1)

    return texts._replace(
        done=merge(texts.done, grown),
        done_scores=best,
        done_lengths=merge(texts.done_lengths, lengths),
        is_done=merge(texts.is_done, finishes),
    )


def _look_ahead(texts: Beams, ends: Any, settings: GenerationSettings, room: Any) -> Beams:
    """Finds out whether going on may change anything."""
    length = texts.step
    if settings.early_stopping == "never" and settings.length_penalty > 0:
        length = room
    possible = texts.running_scores[:, :1] / tf.cast(length, tf.float32) ** settings.length_penalty
    worst = tf.where(
        texts.is_done, tf.reduce_min(texts.done_scores, axis=1, keepdims=True), IMPOSSIBLE
    )
    better = tf.reduce_any(possible > worst, axis=1, keepdims=True)
    may_improve = tf.logical_and(texts.may_improve, better)
    goes_on = tf.logical_and(tf.reduce_any(may_improve), tf.logical_not(tf.reduce_all(ends)))
    if settings.early_stopping is True:
        goes_on = tf.logical_and(goes_on, tf.logical_not(tf.reduce_all(texts.is_done)))
    return texts._replace(may_improve=may_improve, goes_on=goes_on)
