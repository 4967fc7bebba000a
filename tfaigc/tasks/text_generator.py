"""Continues prompts with a language model: batches, compiled functions, and streams."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.errors import ConfigError, DataError
from tfaigc.families import HeadedBackbone
from tfaigc.families.writer import Writer
from tfaigc.generation import (
    Draws,
    GenerationSettings,
    Stops,
    begin,
    choose,
    draw_numbers,
    search_beams,
    write,
)
from tfaigc.tasks.token_texts import TokenTexts
from tfaigc.tokenizers import Tokenizer

_ID = tf.TensorSpec((), tf.int32)
_IDS = tf.TensorSpec((None, None), tf.int32)
_SEEDS = tf.TensorSpec((None, 2), tf.int32)


class TextGenerator:
    """Writes behind prompts, in functions that are traced once for like settings.

    Prompts of different lengths are padded in front, where no token sees the padding and no
    position counts it: a prompt's text does not depend on those that stand beside it.

    Args:
        network: A causal language model, or an encoder-decoder with a language model's head.
        tokenizer: Its tokenizer.
        max_length: Most tokens of a prompt and what is written behind it; of what is written
            alone, where an encoder reads the prompts.
        start: What texts begin with that a decoder writes beside an encoder: token ids. What is
            written is a text of its own then, rather than the end of another.
    """

    def __init__(
        self,
        network: HeadedBackbone,
        tokenizer: Tokenizer,
        *,
        max_length: int,
        start: Sequence[int] = (),
    ) -> None:
        self.writer = Writer(network)
        self.tokenizer = tokenizer
        config = network.backbone.config
        size = (config.decoder or config).vocabulary_size
        self.texts = TokenTexts(tokenizer, size=size, whole=bool(start))
        self.max_length = max_length
        self.start = tuple(start)
        self._functions: dict[Any, Any] = {}

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        settings: GenerationSettings,
        *,
        batch_size: int,
        room: int | None = None,
    ) -> list[list[list[int]]]:
        """Continues prompts.

        Args:
            prompts: Token ids.
            settings: How texts are written.
            batch_size: Prompts in a batch.
            room: Most tokens to write; None: those of the settings, or as many as the checkpoint
                has positions left for.

        Returns:
            For each prompt the ids of its texts, the token that ends a text included.

        Raises:
            ConfigError: There are not enough positions.
        """
        rooms = np.array([self._room(len(prompt), settings, room) for prompt in prompts])
        found: list[list[list[int]]] = [[] for _ in prompts]
        # Of one batch all write equally much at most, so that no prompt depends on others.
        for size in np.unique(rooms):
            rows = [row for row in range(len(prompts)) if rooms[row] == size]
            rows.sort(key=lambda row: -len(prompts[row]))
            for start in range(0, len(rows), batch_size):
                chosen = rows[start : start + batch_size]
                ids, mask = pad_in_front([prompts[row] for row in chosen])
                count = settings.num_return_sequences
                # Each text has a seed of its own, whatever stands in a batch with it.
                numbers = [row * count + number for row in chosen for number in range(count)]
                seeds = np.array([[settings.seed, number] for number in numbers], np.int32)
                tokens, lengths = self.function(settings)(ids, mask, int(size), seeds)
                for index, (row, length) in enumerate(
                    zip(np.asarray(tokens), np.asarray(lengths), strict=True)
                ):
                    found[chosen[index // count]].append(row[:length].tolist())
        return found

    def function(self, settings: GenerationSettings) -> Any:
        """Returns what writes texts in a graph.

        Args:
            settings: How; the number of tokens and the seeds are arguments of the function.

        Returns:
            Takes prompts and their mask, int32, (batch, length), the most tokens to write, int32,
            (), and seeds, int32, (batch * num_return_sequences, 2), to tokens, int32,
            (batch * num_return_sequences, most), and lengths, int32,
            (batch * num_return_sequences,).
        """
        key = replace(settings, seed=0, max_new_tokens=1)
        if key not in self._functions:
            stops = self.stops(settings)

            def run(token_ids: Any, padding_mask: Any, room: Any, seeds: Any) -> tuple[Any, Any]:
                draws = _draws(settings, seeds, room)
                return self.run(token_ids, padding_mask, room, draws, settings, stops)

            self._functions[key] = tf.function(
                run, autograph=False, input_signature=[_IDS, _IDS, _ID, _SEEDS]
            )
        return self._functions[key]

    def run(
        self,
        token_ids: Any,
        padding_mask: Any,
        room: Any,
        draws: Draws | None,
        settings: GenerationSettings,
        stops: Stops,
        limits: Any = None,
    ) -> tuple[Any, Any]:
        """Writes texts; see ``function``, and ``begin`` for the limits."""
        token_ids, padding_mask, logits, state = self._read(token_ids, padding_mask, room)
        if settings.num_beams > 1:
            prompts = (token_ids, padding_mask)
            return search_beams(self.writer, logits, state, prompts, settings=settings, room=room)
        if settings.num_return_sequences > 1:
            rows = tf.repeat(tf.range(tf.shape(token_ids)[0]), settings.num_return_sequences)
            token_ids, padding_mask, logits = (
                tf.gather(part, rows) for part in (token_ids, padding_mask, logits)
            )
            state = self.writer.take(state, rows)
        texts = begin(token_ids, padding_mask, room=room, limits=limits)
        return write(self.writer, logits, state, texts, settings=settings, stops=stops, draws=draws)

    def _read(self, token_ids: Any, padding_mask: Any, room: Any) -> tuple[Any, Any, Any, Any]:
        """Reads prompts: what texts begin with, its mask, logits of the next token, the state."""
        if not self.start:
            logits, state = self.writer.start(token_ids, padding_mask, room=room)
            return token_ids, padding_mask, logits, state
        begun = tf.tile(tf.constant([self.start]), (tf.shape(token_ids)[0], 1))
        # Encoders count positions from the first column on.
        lengths = tf.reduce_sum(padding_mask, axis=1)
        token_ids = tf.reverse_sequence(tf.reverse(token_ids, [1]), lengths, seq_axis=1)
        inputs = {
            "encoder_token_ids": token_ids,
            "encoder_padding_mask": tf.reverse(padding_mask, [1]),
        }
        logits, state = self.writer.start_from(inputs, begun, room=room)
        return begun, tf.ones_like(begun), logits, state

    def stream(
        self, prompt: Sequence[int], settings: GenerationSettings, *, room: int | None = None
    ) -> Iterator[str]:
        """Continues one prompt, and gives each piece of text when it is there.

        Args:
            prompt: Token ids.
            settings: How the text is written.
            room: See ``generate``.

        Yields:
            Pieces, none of them empty, that are the text when joined.
        """
        size = self._room(len(prompt), settings, room)
        first, following = self._steps(settings)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        seeds = np.array([[settings.seed, 0]], np.int32)
        tokens, texts, state = first(*pad_in_front([prompt]), size, seeds)
        pieces = self.texts.first
        for left in range(size - 1, -1, -1):
            token = int(tokens[0])
            piece = pieces[token]
            pieces = pieces if self.texts.is_special[token] else self.texts.inner
            is_last = left == 0 or not bool(texts.is_open[0])
            text = decoder.decode(piece, final=is_last)
            if text:
                yield text
            if is_last:
                return
            tokens, texts, state = following(tokens, texts, state, seeds)

    def text(self, ids: Sequence[int]) -> str:
        """Takes what was written to text."""
        return self.texts.join(ids)

    def _steps(self, settings: GenerationSettings) -> tuple[Any, Any]:
        """Returns what writes the first token, and what writes one more."""
        key = ("stream", replace(settings, seed=0, max_new_tokens=1))
        if key not in self._functions:
            stops = self.stops(settings)

            def first(token_ids: Any, padding_mask: Any, room: Any, seeds: Any) -> Any:
                token_ids, padding_mask, logits, state = self._read(token_ids, padding_mask, room)
                texts = begin(token_ids, padding_mask, room=room)
                draws = _draws(settings, seeds, room)
                return (*choose(logits, texts, settings, stops, draws), state)

            def following(tokens: Any, texts: Any, state: Any, seeds: Any) -> Any:
                logits, state = self.writer.step(tokens, state)
                draws = _draws(settings, seeds, texts.room)
                return (*choose(logits, texts, settings, stops, draws), state)

            self._functions[key] = (
                tf.function(first, autograph=False, input_signature=[_IDS, _IDS, _ID, _SEEDS]),
                tf.function(following, autograph=False, reduce_retracing=True),
            )
        found: tuple[Any, Any] = self._functions[key]
        return found

    def stops(self, settings: GenerationSettings) -> Stops:
        """Returns what ends texts besides tokens."""
        pieces = self.texts.inner if settings.stop_strings else ()
        return Stops(settings.stop_strings, pieces)

    def _room(self, length: int, settings: GenerationSettings, room: int | None) -> int:
        left = self.max_length - (len(self.start) or length)
        wanted = settings.max_new_tokens if room is None else room
        if left < (1 if room is None else room):
            raise ConfigError(
                f"A prompt and what is written behind it must be at most {self.max_length} tokens "
                f"for this model. Received: a prompt of {length}, max_new_tokens={wanted}. Shorten "
                "the prompt, or write less."
            )
        return min(wanted, left)


def _draws(settings: GenerationSettings, seeds: Any, room: Any) -> Draws | None:
    return Draws(settings, draw_numbers(seeds, room)) if settings.do_sample else None


def pad_in_front(
    prompts: Sequence[Sequence[int]],
) -> tuple[np.ndarray, np.ndarray]:
    """Puts prompts into rows of one length.

    Args:
        prompts: Token ids.

    Returns:
        The ids and their mask, int32, (prompts, length): 0 in the padding before each prompt.

    Raises:
        DataError: A prompt has no token.

    Example:
        >>> ids, mask = pad_in_front([[5, 6], [7]])
        >>> ids.tolist(), mask.tolist()
        ([[5, 6], [0, 7]], [[1, 1], [0, 1]])
    """
    lengths = np.array([len(prompt) for prompt in prompts])
    if not lengths.all():
        raise DataError(
            "A prompt must have at least one token. Received: an empty one. Begin it with a word."
        )
    mask = np.arange(lengths.max()) >= (lengths.max() - lengths)[:, None]
    ids = np.zeros(mask.shape, np.int32)
    ids[mask] = np.concatenate([np.asarray(prompt, np.int32) for prompt in prompts])
    return ids, mask.astype(np.int32)
