"""What questions are answered by: pieces of their contexts, or one of several choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tfaigc.data import Table, check_choices, check_questions
from tfaigc.errors import DataError
from tfaigc.workflows.targets import Targets, WithoutStrata


class Answers(WithoutStrata):
    """Pieces of a context, in ``answers``.

    Args:
        allow_no_answer: Whether a context may be without an answer.
    """

    columns: ClassVar[tuple[str, ...]] = ("question", "context", "answers")
    field: ClassVar[str | None] = None
    by_class: ClassVar[bool] = False
    group_field: ClassVar[str | None] = "context"

    def __init__(self, *, allow_no_answer: bool) -> None:
        self.allow_no_answer = allow_no_answer

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads the places of the first answers, int64, (records, 2)."""
        kept, spans = check_questions(
            table, allow_no_answer=self.allow_no_answer, max_invalid_share=max_invalid_share
        )
        return kept, Targets(spans, ())

    def check(self, table: Table, targets: Targets) -> None:
        """Refuses records none of which has an answer."""
        if (targets.values < 0).all():
            raise DataError(
                f"{table.name} must hold questions with answers. Received: none in "
                f"{table.column_name('answers')}. Check that it is the column with the answers."
            )

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Counts the questions with and without an answer, and the answers' lengths."""
        lengths = np.diff(targets.values)[targets.values[:, 0] >= 0]
        without = len(targets.values) - len(lengths)
        counted = f"{len(lengths):,}, of {int(np.median(lengths))} characters in the middle"
        return "answers", counted + (f"; {without:,} questions without" if without else "")


class Choices(WithoutStrata):
    """One of several texts, in ``label``."""

    columns: ClassVar[tuple[str, ...]] = ("question", "text", "choices", "label")
    field: ClassVar[str | None] = None
    by_class: ClassVar[bool] = False

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads the numbers of the right choices and how many there are, int64, (records, 2)."""
        kept, numbers = check_choices(table, max_invalid_share=max_invalid_share)
        counts = [len(choices) for choices in kept.column("choices")]
        return kept, Targets(np.stack([numbers, counts], axis=1), ())

    def check(self, table: Table, targets: Targets) -> None:
        """Takes what there is."""

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Counts the choices."""
        counts = targets.values[:, 1]
        least, most = counts.min(), counts.max()
        return "choices", f"{least} to {most} for a question" if least < most else f"{most} each"
