"""Tasks on a text, or a pair of texts, with one row of logits for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from tfaigc.data import Table
from tfaigc.evaluation import Report
from tfaigc.tasks.labelled_task import LabelledTask
from tfaigc.tasks.problems import Problem


class TextTask(LabelledTask):
    """A Transformer with a dense layer on a summary of the text, as its family's checkpoints have.

    Records have a ``text``, a ``text_pair`` where texts come in pairs, and a target. Calling the
    model on the backbone's inputs gives logits, float32, (batch, outputs). See ``LabelledTask``
    for what it is made from.
    """

    task: ClassVar[str] = "text_classification"
    problem: Problem

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a text or with a target that is missing or unusable."""
        self.problem.targets(table, *fields)

    def targets(self, table: Table) -> np.ndarray:
        """Takes the records' targets to what the loss compares logits with."""
        return self.problem.targets(table)

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example``: takes ``serve``'s outputs to its own, by name."""
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
