"""Writing texts from left to right: each token is the likeliest, or drawn."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from tfaigc.generation.scoring import Sampling, are_ends, narrow, penalize
from tfaigc.generation.settings import GenerationSettings
from tfaigc.generation.stopping import Stops


class Writer(Protocol):
    """What scores the next token; see ``tfaigc.families.writer``."""

    def step(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        """Takes a token behind each text, int32, (rows,), to logits and the next state."""
        ...

    def take(self, state: Any, rows: Any) -> Any:
        """Picks texts of a state, int32, (picked,)."""
        ...


class Texts(NamedTuple):
    """Texts that are being written, one a row.

    Attributes:
        tokens: int32, (rows, length): prompts, what was written, and room for more.
        mask: bool, (rows, length): where tokens are.
        column: int32, (): where the next token goes.
        lengths: int32, (rows,): how many tokens were written, the one that ends a text included.
        is_open: bool, (rows,): the texts that go on.
        tails: string, (rows,): what the texts end with, where strings end them.
        room: int32, (): most tokens that are written.
        limits: int32, (rows,): the same for each text.
    """

    tokens: Any
    mask: Any
    column: Any
    lengths: Any
    is_open: Any
    tails: Any
    room: Any
    limits: Any


class Draws(NamedTuple):
    """How tokens are drawn.

    Attributes:
        settings: Among which.
        numbers: float32, (rows, room), at least 0 and below 1: what is drawn, by the number of the
            token.
        is_drawn: bool, (rows,): the texts whose tokens are drawn; those of others are the
            likeliest. None: all are drawn.
    """

    settings: GenerationSettings | Sampling
    numbers: Any
    is_drawn: Any = None


def draw_numbers(seeds: Any, room: Any) -> Any:
    """Draws what texts are sampled by: a text's numbers are up to its seed alone.

    Args:
        seeds: int32, (rows, 2).
        room: int32, (): how many each gets.

    Returns:
        float32, (rows, room), at least 0 and below 1.
    """
    numbers = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([room], seed),
        seeds,
        fn_output_signature=tf.float32,
    )
    # Sums of probabilities may stay a little below 1.
    return tf.minimum(numbers, 1.0 - 1e-6)


def begin(token_ids: Any, padding_mask: Any, *, room: Any, limits: Any = None) -> Texts:
    """Takes prompts to texts of which nothing is written.

    Args:
        token_ids: int32, (rows, length): prompts, with padding before them.
        padding_mask: int32, (rows, length): 0 where padding is.
        room: Most tokens that will be written.
        limits: int32, (rows,): the same for each text; None: all alike.

    Returns:
        The texts.
    """
    rows = tf.shape(token_ids)[0]
    behind = [[0, 0], [0, room]]
    return Texts(
        tf.pad(token_ids, behind),
        tf.pad(tf.cast(padding_mask, tf.bool), behind),
        tf.shape(token_ids)[1],
        tf.zeros(rows, tf.int32),
        tf.ones(rows, tf.bool),
        tf.fill([rows], ""),
        tf.convert_to_tensor(room),
        tf.fill([rows], room) if limits is None else limits,
    )


def choose(
    logits: Any, texts: Texts, settings: GenerationSettings, stops: Stops, draws: Draws | None
) -> tuple[Any, Texts]:
    """Chooses the next token of each text.

    Args:
        logits: float32, (rows, vocabulary).
        texts: The texts.
        settings: How they are written.
        stops: What ends them besides.
        draws: How tokens are drawn; None: they are the likeliest.

    Returns:
        The tokens, int32, (rows,), and the texts with them; a text that has ended stays.
    """
    written = tf.reduce_max(texts.lengths)
    limits = texts.limits[:, None]
    scores = penalize(logits, texts.tokens, texts.mask, written, settings, room=limits)
    tokens = _pick(scores, draws, written)
    here = tf.logical_and(
        tf.equal(tf.range(tf.shape(texts.tokens)[1]), texts.column)[None], texts.is_open[:, None]
    )
    tails, is_stopped = stops.extend(texts.tails, tokens)
    lengths = texts.lengths + tf.cast(texts.is_open, tf.int32)
    ended = tf.reduce_any(
        tf.stack([are_ends(tokens, settings), is_stopped, lengths >= texts.limits]), axis=0
    )
    return tokens, Texts(
        tf.where(here, tokens[:, None], texts.tokens),
        tf.logical_or(texts.mask, here),
        texts.column + 1,
        lengths,
        tf.logical_and(texts.is_open, tf.logical_not(ended)),
        tails,
        texts.room,
        texts.limits,
    )


def _pick(scores: Any, draws: Draws | None, number: Any) -> Any:
    """Picks the likeliest tokens, or draws them by the texts' numbers: int32, (rows,)."""
    likeliest = tf.argmax(scores, axis=-1, output_type=tf.int32)
    if draws is None:
        return likeliest

    def draw() -> Any:
        sums = tf.cumsum(tf.nn.softmax(narrow(scores, draws.settings)), axis=-1)
        places = draws.numbers[:, number, None] * sums[:, -1:]
        return tf.argmax(tf.cast(sums > places, tf.int32), axis=-1, output_type=tf.int32)

    if draws.is_drawn is None:
        return draw()
    return tf.cond(
        tf.reduce_any(draws.is_drawn),
        lambda: tf.where(draws.is_drawn, draw(), likeliest),
        lambda: likeliest,
    )


def write(
    writer: Writer,
    logits: Any,
    state: Any,
    texts: Texts,
    *,
    settings: GenerationSettings,
    stops: Stops,
    draws: Draws | None,
) -> tuple[Any, Any]:
    """Writes texts to their ends.

    Args:
        writer: Scores what may come next.
        logits: float32, (rows, vocabulary), of the first token.
        state: The writer's.
        texts: What ``begin`` returned.
        settings: How they are written.
        stops: What ends them besides.
        draws: How tokens are drawn; None: they are the likeliest.

    Returns:
        int32, (rows, room): what was written, 0 behind it; and its lengths, int32, (rows,), the
        token that ends a text included.
    """
    start = texts.column
    tokens, texts = choose(logits, texts, settings, stops, draws)

    def goes_on(tokens: Any, texts: Texts, state: Any) -> Any:
        return tf.logical_and(texts.column < start + texts.room, tf.reduce_any(texts.is_open))

    def body(tokens: Any, texts: Texts, state: Any) -> tuple[Any, Texts, Any]:
        logits, state = writer.step(tokens, state)
        return (*choose(logits, texts, settings, stops, draws), state)

    _, texts, _ = tf.while_loop(goes_on, body, (tokens, texts, state))
    return texts.tokens[:, start:], texts.lengths
