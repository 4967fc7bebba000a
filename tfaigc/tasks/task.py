"""What all tasks share: the verbs, from records to an exported model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
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
from tfaigc.families import Backbone, HeadedBackbone
from tfaigc.families.requirements import check_features, check_packs
from tfaigc.tasks.checkpoint import save_task
from tfaigc.tasks.features import with_features
from tfaigc.tasks.fine_tuning import FineTunedModel, is_raw
from tfaigc.tasks.serving import export_task, text_fields
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self

# Texts that an export is asked about besides real ones: each has broken a tokenizer somewhere.
_HARD_TEXTS = (
    "",
    " ",
    "Straße, ﬁancé, Σίσυφος, İstanbul, 中文文本, עברית, ไทย.",
    "e\u0301clair\u00a05\u202fEUR\u200b\u2028™ 👩\u200d👩\u200d👧 \ufffd",
    "[CLS] a [MASK] [SEP] b [PAD]",
    "tab\tnew\nline\r\nx" + "y" * 300,
)


class Task(FineTunedModel):
    """A backbone, a head and a tokenizer, with one set of verbs for all tasks.

    Args:
        network: The pretrained network with the task's head.
        tokenizer: The checkpoint's tokenizer.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.

    Raises:
        ConfigError: ``max_length`` is above what the checkpoint allows, or the tokenizer has more
            tokens than the backbone.
    """

    task: ClassVar[str]
    head_title: ClassVar[str] = "classifier"

    def __init__(
        self, network: HeadedBackbone, tokenizer: Tokenizer, *, max_length: int | None, name: str
    ) -> None:
        super().__init__(name=name, dtype=network.backbone.factory.dtype)
        self.network = network
        self.tokenizer = tokenizer
        self.max_length = _checked_max_length(max_length, network.backbone, tokenizer)
        self.takes_pairs = False
        self._examples: tuple[dict[str, str], ...] = ()
        self.build(None)

    @property
    def backbone(self) -> Backbone:
        """The network without its head."""
        return self.network.backbone

    def freeze(self, layers: int | None = None) -> None:
        """Has training leave the backbone's lower part as it is; call it before ``compile``.

        What is frozen computes as outside of training, without dropout, and the backward pass
        ends above it.

        Args:
            layers: So many of the lowest layers, with the embeddings; None: the whole backbone, so
                that the head alone is trained.

        Raises:
            ConfigError: The backbone has no such layers that can be frozen alone.
        """
        self.backbone.freeze(layers)

    @property
    @abstractmethod
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""

    @property
    def question(self) -> str:
        """A text that the model can be asked about."""
        return "A gorgeous film."

    @property
    def served_length(self) -> int | None:
        """Most tokens that a SavedModel reads of a text; None: it decides by itself."""
        return self.max_length

    @abstractmethod
    def describe(self) -> str:
        """Says in a few words what the model gives."""

    @abstractmethod
    def check(self, table: Table, *fields: str) -> None:
        """Refuses records that lack a text in one of the fields, or a usable target."""

    @abstractmethod
    def targets(self, table: Table) -> Any:
        """Takes records to what the loss compares logits with, one row a record."""

    @abstractmethod
    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits to the outputs of the SavedModel, inside its graph."""

    def serve_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the backbone's inputs to the outputs of the SavedModel, inside its graph."""
        return self.serve(self(inputs, training=False))

    def serve_texts(self, texts: Mapping[str, Any], tokenize: Callable[..., Any]) -> dict[str, Any]:
        """Takes raw strings to the outputs of the SavedModel, inside its graph.

        Args:
            texts: string, (batch,), under the names of ``text_fields``.
            tokenize: Takes these to the backbone's inputs.

        Returns:
            The outputs of ``serving_default``.
        """
        return self.serve_inputs(tokenize(**texts))

    def expected_answers(
        self, texts: Mapping[str, list[str]], outputs: Mapping[str, np.ndarray]
    ) -> Mapping[str, np.ndarray]:
        """Says what the SavedModel must answer to raw strings.

        Args:
            texts: The strings.
            outputs: What it must answer to their tokens.

        Returns:
            Here, the same.
        """
        return outputs

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example``: takes logits to outputs, by signature."""
        return {}

    @abstractmethod
    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits to what ``infer`` returns."""

    @abstractmethod
    def make_report(self, table: Table, logits: np.ndarray) -> Report:
        """Compares logits with what the records say."""

    @abstractmethod
    def config_entries(self) -> dict[str, Any]:
        """Returns what the task adds to ``config.json``."""

    @abstractmethod
    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""

    def in_float32(self) -> Self:
        """Returns the model itself, or a copy that computes in float32 where it does not."""
        if self.compute_dtype == "float32":
            return self
        twin = self.copy_with_dtype("float32")
        for mine, its in zip(twin.weights, self.weights, strict=True):
            mine.assign(its)
        return twin

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {"max_length": self.max_length, "takes_pairs": self.takes_pairs}

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Computes logits.

        Padding is left out wherever XLA does not compile the model.

        Args:
            inputs: The backbone's inputs; see ``Backbone``.
            training: Whether dropout is active.

        Returns:
            logits: float32; see ``HeadedBackbone`` for the shape.
        """
        remove_padding = keras.backend.backend() == "tensorflow" and not self.jit_compile
        return self.network(inputs, training=training, remove_padding=remove_padding)

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
            check_packs(self.network)
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

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the model in Hugging Face layout, which ``transformers`` loads too.

        Args:
            directory: Where to; made if need be.
        """
        save_task(self, Path(directory))

    def export(self, directory: str | Path) -> Path:
        """Exports a SavedModel that takes raw strings, verified in a fresh process.

        Args:
            directory: The served model's directory; the export becomes its next version.

        Returns:
            The version's directory, such as ``savedmodels/sentiment/1``.

        Raises:
            ExportError: The SavedModel does not answer as the model does, or cannot be written.
            TokenizerError: The tokenizer has a part that cannot be compiled.
        """
        texts = [{"text": text, "text_pair": text[::-1]} for text in _HARD_TEXTS]
        return export_task(self, Path(directory), examples=[*self._examples, *texts])

    def _read_with_targets(self, records: Any, columns: Mapping[str, str] | None) -> Table:
        table = self.read(records, columns=columns)
        self.check(table, *text_fields(self))
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
        texts = [str(text) for text in table.column("text")]
        pairs = [str(text) for text in table.column("text_pair")] if self.takes_pairs else None
        encoded = tokenize_cached(
            self.tokenizer, texts, pairs, max_length=self.max_length, enabled=cache
        )
        self._examples = self._examples or tuple(
            {"text": text, "text_pair": pair}
            for text, pair in zip(texts[:16], (pairs or texts)[:16], strict=True)
        )
        return make_dataset(
            encoded,
            BatchOrder(np.diff(encoded.row_splits), batch_size, **order),
            labels=targets,
            pad_token_id=self.tokenizer.pad_token_id or 0,
            max_length=self.max_length,
        )


def _checked_max_length(given: int | None, backbone: Backbone, tokenizer: Tokenizer) -> int:
    limit = backbone.config.max_length
    least = tokenizer.num_special_tokens() + 1
    if given is not None and given > limit:
        raise ConfigError(
            f"max_length must be at most {limit} for this checkpoint. Received: {given}. "
            f"Pass max_length={limit}."
        )
    if given is not None and given < least:
        raise ConfigError(
            f"max_length must be at least {least}: special tokens take {least - 1}. "
            f"Received: {given}. Pass max_length={limit}, or less."
        )
    if tokenizer.vocabulary_size > backbone.config.vocabulary_size:
        raise ConfigError(
            "The tokenizer must have no more tokens than the model's vocab_size, "
            f"{backbone.config.vocabulary_size}. Received: {tokenizer.vocabulary_size}. "
            "Use the tokenizer that belongs to the checkpoint."
        )
    return min(limit, tokenizer.model_max_length or limit) if given is None else given
