"""Writing in a SavedModel, where each request says how its text is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.export import SignatureCheck
from tfaigc.generation import Draws, GenerationSettings, Sampling, draw_numbers
from tfaigc.tasks.serving_prompts import prompts_in_graph
from tfaigc.tasks.text_generator import TextGenerator

_IDS = tf.TensorSpec((None, None), tf.int32)
_DTYPES = {
    "temperature": tf.float32,
    "top_k": tf.int32,
    "top_p": tf.float32,
    "min_p": tf.float32,
    "max_new_tokens": tf.int32,
    "seed": tf.int32,
}
# A value for each text, or one for all.
_SPECS = {name: tf.TensorSpec((None,), dtype, name=name) for name, dtype in _DTYPES.items()}


class ServedWriter:
    """Writes texts by settings that are part of a graph, but for some that each text has its own.

    Args:
        generator: Writes texts.
        settings: How texts are written that say nothing else.
        first: The token that a text begins with which has none.
        limit: Most tokens that are read of a prompt; of longer ones the last.
        output_name: What the texts are called.
    """

    def __init__(
        self,
        generator: TextGenerator,
        settings: GenerationSettings,
        *,
        first: int,
        limit: int,
        output_name: str,
    ) -> None:
        self._generator, self._settings = generator, settings
        self._first, self._limit, self._output_name = first, limit, output_name
        self._single = replace(settings, do_sample=True, num_beams=1, num_return_sequences=1)
        self._stops = generator.stops(self._single)
        usual = vars(settings) | ({} if settings.do_sample else {"temperature": 0.0})
        self._usual = {
            name: np.array([usual[name]], spec.dtype.as_numpy_dtype)
            for name, spec in _SPECS.items()
        }
        self._write = tf.function(
            self._run, autograph=False, input_signature=[_IDS, _IDS, dict(_SPECS)]
        )

    def answer(
        self, inputs: Mapping[str, Any], numbers: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Writes for texts in the SavedModel's graph.

        Args:
            inputs: ``token_ids`` and ``padding_mask``: int32, (batch, length), padded behind the
                texts.
            numbers: What the texts say; None: nothing.

        Returns:
            string, (batch,), under the output's name: what is written for each text.
        """
        prompts = prompts_in_graph(inputs, first=self._first, limit=self._limit)
        if numbers is None and self._settings.num_beams > 1:
            room = self._settings.max_new_tokens
            written = self._generator.function(self._settings)(*prompts, room, [[0, 0]])
        else:
            given = {name: tf.constant(value) for name, value in self._usual.items()}
            written = self._write(*prompts, given | dict(numbers or {}))
        return {self._output_name: self._generator.texts.in_graph(*written)}

    def signature(
        self, tokenize: Callable[..., Any], weights: Callable[[], AbstractContextManager[None]]
    ) -> Any:
        """Makes the signature that takes prompts, and how each text is written.

        Args:
            tokenize: Takes prompts to ``inputs``; see ``answer``.
            weights: Makes a context within which the graph is traced.

        Returns:
            A function of ``text``, string, (batch,), and of numbers which each are (batch,), or
            (1,) for all texts: ``temperature`` (0: the likeliest tokens), ``top_k``, ``top_p``,
            ``min_p``, ``max_new_tokens`` (at most that of the settings) and ``seed``. All but the
            prompts have defaults: those of the settings, without beams.
        """
        usual = {name: tf.constant(value) for name, value in self._usual.items()}

        def generate(
            text: Any,
            temperature: Any = usual["temperature"],
            top_k: Any = usual["top_k"],
            top_p: Any = usual["top_p"],
            min_p: Any = usual["min_p"],
            max_new_tokens: Any = usual["max_new_tokens"],
            seed: Any = usual["seed"],
        ) -> dict[str, Any]:
            given = (temperature, top_k, top_p, min_p, max_new_tokens, seed)
            with weights():
                return self.answer(tokenize(text=text), dict(zip(_SPECS, given, strict=True)))

        specs = [tf.TensorSpec((None,), tf.string, name="text"), *_SPECS.values()]
        return tf.function(generate, autograph=False, input_signature=specs)

    def checks(
        self, name: str, texts: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> list[SignatureCheck]:
        """Asks for texts that are written in the usual way, and each in its own.

        Args:
            name: The signature's.
            texts: Prompts, as ``text``.
            inputs: Their tokens.

        Returns:
            The questions, with the answers.
        """
        rows = np.arange(len(texts["text"]))
        own = {
            "temperature": rows % 3 / 2,
            "top_k": rows % 5,
            "top_p": 1 - rows % 2 / 4,
            "min_p": rows % 2 / 50,
            "max_new_tokens": 1 + rows % self._settings.max_new_tokens,
            "seed": rows,
        }
        own = {key: own[key].astype(spec.dtype.as_numpy_dtype) for key, spec in _SPECS.items()}
        return [
            SignatureCheck(
                name,
                {**texts, **given},
                {key: np.asarray(value) for key, value in self.answer(inputs, given).items()},
            )
            for given in ({}, own)
        ]

    def _run(self, token_ids: Any, padding_mask: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
        """Writes texts: tokens, int32, (batch, most), and lengths, int32, (batch,)."""
        rows, room = tf.shape(token_ids)[0], self._single.max_new_tokens
        numbers = {name: tf.broadcast_to(value, [rows]) for name, value in given.items()}
        is_drawn = numbers["temperature"] > 0
        sampling = Sampling(
            temperature=tf.where(is_drawn, numbers["temperature"], 1.0)[:, None],
            top_k=numbers["top_k"][:, None],
            top_p=numbers["top_p"][:, None],
            min_p=numbers["min_p"][:, None],
        )
        seeds = tf.stack([numbers["seed"], tf.zeros_like(numbers["seed"])], axis=1)
        draws = Draws(sampling, draw_numbers(seeds, room), is_drawn)
        limits = tf.clip_by_value(numbers["max_new_tokens"], 1, room)
        return self._generator.run(
            token_ids, padding_mask, tf.constant(room), draws, self._single, self._stops, limits
        )
