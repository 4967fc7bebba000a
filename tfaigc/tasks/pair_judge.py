"""Language models that may also judge pairs of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfaigc.data import (
    BatchOrder,
    EncodedTexts,
    Table,
    check_documents,
    make_pairs,
    sentences_of,
    tokenize_cached,
)
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report
from tfaigc.evaluation import Table as ReportTable
from tfaigc.families import Backbone, HeadedBackbone
from tfaigc.families.pretraining import PretrainingNetwork
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.language_model import LanguageModel
from tfaigc.tokenizers import Tokenizer

_CLASSES = {
    "next_sentence": ("the next text", "a text of another document"),
    "sentence_order": ("in order", "in reverse order"),
}


class PairJudge(LanguageModel):
    """A language model that may judge pairs of texts besides, made of documents.

    Args:
        backbone: A backbone; with a pooler, where pairs are judged.
        tokenizer: The checkpoint's tokenizer.
        sentence_task: What is judged, one of ``tfaigc.data.SENTENCE_TASKS``; None: nothing, and
            all is as in ``LanguageModel``.
        **arguments: Those of ``LanguageModel``.
    """

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        sentence_task: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(backbone, tokenizer, sentence_task=sentence_task, **arguments)
        self.sentence_task = sentence_task

    @classmethod
    def make_network(
        cls, backbone: Backbone, *, sentence_task: str | None = None, **head: Any
    ) -> HeadedBackbone:
        """Puts the head on a backbone, or both heads."""
        if sentence_task is None:
            return super().make_network(backbone, **head)
        return PretrainingNetwork(backbone, sentence_task=sentence_task, **head)

    @classmethod
    def adds_pooler(cls, arguments: Mapping[str, Any]) -> bool:
        """The classifier of pairs reads a pooler."""
        return arguments.get("sentence_task") is not None

    @property
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""
        return "perplexity" if self.sentence_task is None else "tokens_perplexity"

    def default_loss(self) -> Any:
        """Returns cross-entropy, the mean over the tokens that count, and that over pairs."""
        if self.sentence_task is None:
            return super().default_loss()
        pairs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return {"tokens": super().default_loss(), "sentences": pairs}

    def default_metrics(self) -> Any:
        """Returns perplexity and accuracy of tokens, and accuracy of pairs."""
        if self.sentence_task is None:
            return super().default_metrics()
        pairs = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        return {"tokens": super().default_metrics(), "sentences": [pairs]}

    def compile(self, *arguments: Any, gradient_accumulation_steps: int = 1, **knobs: Any) -> None:
        """Prepares training; see ``FineTunedModel.compile``.

        Raises:
            ConfigError: An argument is out of its range, or steps of pairs are to be computed in
                parts: tokens and pairs would count otherwise than in a whole step.
        """
        if self.sentence_task is not None and gradient_accumulation_steps > 1:
            raise _only_whole("gradient_accumulation_steps")
        super().compile(
            *arguments, gradient_accumulation_steps=gradient_accumulation_steps, **knobs
        )

    def compute_in_more_parts(self, order: Any) -> bool:
        """Halves what a step has in memory, where it has no pairs."""
        return self.sentence_task is None and super().compute_in_more_parts(order)

    def check_packs(self) -> None:
        """Refuses examples that share rows, where that would not be exact."""
        if self.sentence_task is not None:
            raise _only_whole("packed")
        super().check_packs()

    def make_batches(self, examples: Examples, order: BatchOrder) -> tf.data.Dataset:
        """Makes batches of examples; see ``Task.make_batches``."""
        if self.sentence_task is not None and order.batch_tokens is not None:
            raise _only_whole("batch_tokens")
        return super().make_batches(examples, order)

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a text, or with a single sentence where pairs are made."""
        super().check(table, *fields)
        if self.sentence_task is not None:
            check_documents(table, self.sentence_task)

    def encode_pairs(
        self, table: Table, *, cache: bool, seed: int
    ) -> tuple[EncodedTexts, np.ndarray]:
        """Makes pairs of a table's documents, and tokenizes them.

        Args:
            table: Records with a document in ``text``.
            cache: Whether token ids are kept for the next run.
            seed: Decides which pairs there are.

        Returns:
            The pairs' tokens, and their classes, int32, (pairs,).
        """
        documents = [sentences_of(text) for text in table.column("text")]
        encoded = self.tokenizer.encode_arrays(
            [sentence for document in documents for sentence in document], max_length=None
        )
        counts = np.diff(encoded.row_splits) - self.tokenizer.num_special_tokens()
        ends = np.cumsum([len(document) for document in documents])
        pairs = make_pairs(
            documents,
            [part.tolist() for part in np.split(counts, ends[:-1])],
            task=str(self.sentence_task),
            room=self.max_length - self.tokenizer.num_special_tokens(pair=True),
            seed=seed,
        )
        tokens = tokenize_cached(
            self.tokenizer, pairs.first, pairs.second, max_length=self.max_length, enabled=cache
        )
        return tokens, pairs.labels

    def with_judgements(self, report: Report, batches: tf.data.Dataset) -> Report:
        """Adds to a report on tokens how well pairs are judged.

        Args:
            report: On the tokens.
            batches: What it is measured by.

        Returns:
            The report with ``sentence_accuracy``.
        """
        judge = tf.function(
            lambda inputs: tf.argmax(self(inputs, training=False)["sentences"], axis=1),
            autograph=False,
            reduce_retracing=True,
        )
        judged = [(judge(inputs), targets["sentences"]) for inputs, targets in batches]
        found, right = (np.concatenate(column) for column in zip(*judged, strict=True))
        hits = found == right
        rows: list[list[Any]] = [
            [name, int(np.sum(right == number)), float(hits[right == number].mean())]
            for number, name in enumerate(_CLASSES[str(self.sentence_task)])
            if number in right
        ]
        columns = ["what the second text is", "pairs", "accuracy"]
        section = ReportTable(title="Pairs of texts", columns=columns, rows=rows)
        metrics = {**report.metrics, "sentence_accuracy": float(hits.mean())}
        return replace(report, metrics=metrics, sections=[*report.sections, section])


def _only_whole(setting: str) -> ConfigError:
    return ConfigError(
        "With a sentence_task, each step is a whole batch of a number of pairs. Received: "
        f"{setting}. Leave it out; gradient_checkpointing=True saves memory."
    )
