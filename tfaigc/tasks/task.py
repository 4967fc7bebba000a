"""What all tasks do: the verbs that take records."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.data import (
    BatchOrder,
    Table,
    make_dataset,
    read_records,
    tokenize_cached,
)
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report
from tfaigc.families.requirements import check_features, check_packs
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.features import with_features
from tfaigc.tasks.fine_tuning import is_raw
from tfaigc.tasks.headed_model import HeadedModel

# How many records an export is asked about.
_QUESTIONS = 16


class Task(HeadedModel):
    """A model with one set of verbs for all tasks, from records to a report.

    See ``HeadedModel`` for its arguments.
    """

    @abstractmethod
    def check(self, table: Table, *fields: str) -> None:
        """Refuses records that lack a text in one of the fields, or a usable target."""

    @abstractmethod
    def targets(self, table: Table) -> Any:
        """Takes records to what the loss compares logits with, one row a record."""

    @abstractmethod
    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits to what ``infer`` returns."""

    @abstractmethod
    def make_report(self, table: Table, logits: np.ndarray) -> Report:
        """Compares logits with what the records say."""

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples.

        Args:
            table: What ``read`` returned.
            targets: What ``targets`` returned; None: examples without targets.
            cache: Whether token ids are kept for the next run.
            seed: Of what is drawn, if anything is.
            by_epoch: Whether epochs differ in what is drawn.

        Returns:
            The examples, one a record unless a task says otherwise.
        """
        texts = [str(text) for text in table.require("text").column("text")]
        pairs = [str(text) for text in table.column("text_pair")] if self.takes_pairs else None
        encoded = tokenize_cached(
            self.tokenizer, texts, pairs, max_length=self.max_length, enabled=cache
        )
        return Examples(encoded, {"labels": targets})

    def questions(self, table: Table) -> tuple[dict[str, Any], ...]:
        """Takes some of the records to what an export is asked."""
        return tuple(
            {"text": str(row["text"]), "text_pair": str(row.get("text_pair", row["text"]))}
            for row in table.rows[:_QUESTIONS]
        )

    def make_batches(self, examples: Examples, order: BatchOrder) -> tf.data.Dataset:
        """Makes batches of examples.

        Args:
            examples: What ``examples`` returned.
            order: Which of them form which batch.

        Returns:
            Batches of the backbone's inputs and, if there are any, the targets.
        """
        return make_dataset(
            examples.encoded,
            order,
            groups=examples.groups,
            pad_token_id=self.tokenizer.pad_token_id or 0,
            max_length=self.max_length,
            **examples.targets,
        )

    def check_packs(self) -> None:
        """Refuses examples that share rows, where that would not be exact.

        Raises:
            ConfigError: The network, or the loss, needs each in a row of its own.
        """
        check_packs(self.network)

    @property
    def longest_example(self) -> int:
        """Most tokens of an example's text."""
        return self.max_length

    def numbered_batches(
        self, examples: Examples, order: BatchOrder
    ) -> Iterator[tuple[np.ndarray, Any]]:
        """Gives each batch behind its examples' places, int64, (batch,); see ``make_batches``."""
        return zip(order.batches(0), self.make_batches(examples, order), strict=True)

    def dataset(
        self,
        records: Any,
        *,
        batch_size: int | None = None,
        batch_tokens: int | None = None,
        packed: bool = False,
        cache_features: bool = False,
        shuffle: bool = False,
        seed: int = 0,
        columns: Mapping[str, str] | None = None,
        cache: bool = True,
    ) -> tf.data.Dataset:
        """Takes records to batches for ``fit`` and ``evaluate``.

        Texts are tokenized once and kept in the user's cache. Shuffled batches hold texts of like
        length and differ in each epoch; without ``shuffle`` the records keep their order.

        A step's loss is the mean over its batch, and steps of ``batch_size`` count alike. Batches
        of ``batch_tokens`` differ in their number of examples: each step counts by that number,
        so that every example of an epoch counts alike, long or short. So it is with ``packed``,
        which computes the same and leaves little padding where shapes must be static.

        Args:
            records: A list of dicts, a pandas DataFrame, or the path of a CSV, TSV or JSON-lines
                file.
            batch_size: Examples in a batch; 32 where ``batch_tokens`` is not given either.
            batch_tokens: Most tokens in a batch, padding included, in place of ``batch_size``:
                the longer the examples, the fewer.
            packed: Whether several examples share a row of ``max_length`` tokens, none seeing
                another. ``batch_size`` counts rows then, and records keep no order.
            cache_features: Whether a frozen backbone computes what the head reads of each example
                once, now; it is kept in memory, and no step computes the backbone. Not with
                ``packed``.
            shuffle: Whether each epoch has an order of its own.
            seed: Seed of the orders.
            columns: Our field names to the source's column names.
            cache: Whether token ids are kept for the next run.

        Returns:
            Batches of the backbone's inputs and the targets.

        Raises:
            DataError: Records cannot be read or used.
            ConfigError: Examples cannot share rows in this model, or the backbone is not frozen.
        """
        if packed and cache_features:
            raise ConfigError(
                "Features have no rows to share. Received: packed=True, cache_features=True. "
                "Pass one of them."
            )
        if packed:
            self.check_packs()
        if cache_features:
            check_features(self.network)
        table = self._read_with_targets(records, columns)
        targets = self.targets(table)
        batches = self._batches(
            table,
            targets=targets,
            batch_size=32 if batch_size is None and batch_tokens is None else batch_size,
            cache=cache,
            order={
                "batch_tokens": batch_tokens,
                "row_length": self.max_length if packed else None,
                "shuffle": shuffle,
                "sort": False,
                "seed": seed,
            },
        )
        if cache_features:
            batches = with_features(self, batches, targets)
        # For the messages of those who find something wrong with a batch.
        batches.records = table
        return batches

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``text`` and perhaps a ``text_pair``.

        Args:
            records: See ``dataset``; also a list of strings, or a table that was read before.
            columns: Our field names to the source's column names.

        Returns:
            The records under our field names.
        """
        table = records if isinstance(records, Table) else read_records(records, columns=columns)
        table.require("text")
        if "text_pair" in table.columns:
            self.takes_pairs = True
        return table

    def predict(self, x: Any, batch_size: int | None = None, **keras_arguments: Any) -> Any:
        """Computes logits, as ``keras.Model.predict`` does; takes raw records too.

        Returns:
            logits: float32, one row a record, in the records' order.
        """
        if is_raw(x):
            return self.logits(self.read(x), batch_size=batch_size or 64)
        return super().predict(x, batch_size=batch_size, **keras_arguments)

    def logits(self, table: Table, *, batch_size: int = 64) -> np.ndarray:
        """Computes the logits of a table's records.

        Args:
            table: What ``read`` returned.
            batch_size: Examples in a batch.

        Returns:
            float32, one row a record, in the table's order.
        """
        batches = self._batches(table, targets=None, batch_size=batch_size, cache=False, order={})
        return batches.batch_order.restore(super().predict(batches, verbose=0))

    def infer(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Answers raw texts.

        Args:
            records: A list of strings, or anything that ``dataset`` takes, without labels.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            One dict a record, in the records' order.
        """
        if isinstance(records, list) and not records:
            return []
        table = self.read(records, columns=columns)
        return self.answers(self.logits(table, batch_size=batch_size))

    def report(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> Report:
        """Compares the model's answers with records that have the right ones.

        Args:
            records: Anything that ``dataset`` takes.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            Metrics, tables and plots.
        """
        table = self._read_with_targets(records, columns)
        return self.make_report(table, self.logits(table, batch_size=batch_size))

    def _read_with_targets(self, records: Any, columns: Mapping[str, str] | None) -> Table:
        table = self.read(records, columns=columns)
        self.check(table, *self.text_fields)
        return table

    def _batches(
        self,
        table: Table,
        *,
        targets: Any,
        batch_size: int | None,
        cache: bool,
        order: dict[str, Any],
    ) -> tf.data.Dataset:
        self._examples = self._examples or self.questions(table)
        examples = self.examples(
            table,
            targets,
            cache=cache,
            seed=order.get("seed", 0),
            by_epoch=order.get("shuffle", False),
        )
        made = BatchOrder(examples.lengths, batch_size, **order)
        if examples.counted is not None and made.usual_weight is not None:
            made.usual_weight = examples.counted / len(made)
        return self.make_batches(examples, made)
