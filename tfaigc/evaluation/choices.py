"""The report of a model that chooses between several texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.arguments import Array
from tfaigc.evaluation.confusions import reliability_figure
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.metrics import expected_calibration_error, wilson_interval
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Table

_MOST_SHOWN: Final = 10


@dataclass(frozen=True)
class ChosenTexts:
    """What a model chooses, and what is right.

    Attributes:
        questions: The questions.
        choices: The choices of each.
        references: int, (questions,): the numbers of the right ones.
        probabilities: float, (choices,), for each question.

    Raises:
        DataError: There are no questions, or there is not a probability for each choice.
    """

    questions: Sequence[str]
    choices: Sequence[Sequence[str]]
    references: Array
    probabilities: Sequence[Array]

    def __post_init__(self) -> None:
        """Checks that everything is there for every question."""
        names = ("questions", "choices", "references", "probabilities")
        counts = {name: len(getattr(self, name)) for name in names}
        both = zip(self.choices, self.probabilities, strict=False)
        if (
            not counts["questions"]
            or len(set(counts.values())) > 1
            or any(len(one) != len(other) for one, other in both)
        ):
            raise DataError(
                "There must be a probability for each choice, and a reference, for each of some "
                f"questions. Received: {counts}. Pass the same questions four times."
            )


def choice_report(chosen: ChosenTexts, *, title: str = "Choices' report") -> Report:
    """Compares choices with the right ones.

    Args:
        chosen: The questions.
        title: The heading of the page.

    Returns:
        `accuracy` with its bounds (`wilson_interval`), `chance`, the accuracy of guesses,
        `log_loss` and `ece`; the accuracy by the number of choices and by the place of the right
        one; a reliability diagram; and the choices that the model was surest of and wrong about.
    """
    counts = np.array([len(each) for each in chosen.choices])
    taken = np.array([int(np.argmax(each)) for each in chosen.probabilities])
    scores = np.array([float(np.max(each)) for each in chosen.probabilities])
    pairs = zip(chosen.probabilities, chosen.references, strict=True)
    of_right = np.array([each[right] for each, right in pairs])
    hits = taken == chosen.references
    low, high = wilson_interval(int(hits.sum()), len(hits))
    metrics = {
        "accuracy": hits.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "chance": (1 / counts).mean(),
        "log_loss": -np.log(np.maximum(of_right, np.finfo(np.float32).tiny)).mean(),
        "ece": expected_calibration_error(scores, hits),
    }
    return Report(
        title=title,
        metrics={name: float(value) for name, value in metrics.items()},
        sections=[
            _by("By the number of choices", "choices", counts, hits),
            _by("By the place of the right choice", "place", chosen.references + 1, hits),
            reliability_figure(scores, hits),
            _surest_errors(chosen, taken, scores),
        ],
        predictions=_records(chosen, taken),
        notes=[
            f"Measured on {len(hits):,} questions; accuracy_low and accuracy_high bound the "
            "accuracy with 95 %."
        ],
        headline=("accuracy",),
        examples=ExampleScores("accuracy", hits, np.ones(len(hits))),
    )


def _by(title: str, column: str, values: Array, hits: Array) -> Table:
    rows = [
        (int(value), int((values == value).sum()), float(hits[values == value].mean()))
        for value in np.unique(values)
    ]
    return Table(title, (column, "questions", "accuracy"), rows)


def _surest_errors(chosen: ChosenTexts, taken: Array, scores: Array) -> Table:
    wrong = np.flatnonzero(taken != chosen.references)
    rows = [
        (
            chosen.questions[index],
            chosen.choices[index][taken[index]],
            chosen.choices[index][chosen.references[index]],
            float(scores[index]),
        )
        for index in wrong[np.argsort(-scores[wrong], kind="stable")][:_MOST_SHOWN]
    ]
    return Table(
        "Errors that the model was surest of",
        ("question", "chosen", "right", "score"),
        rows,
        caption=f"{len(wrong):,} of {len(taken):,} choices are wrong.",
    )


def _records(chosen: ChosenTexts, taken: Array) -> list[dict[str, Any]]:
    return [
        {
            "question": question,
            "choices": list(choices),
            "reference": int(reference),
            "predicted": int(number),
            "probabilities": [round(float(each), 6) for each in probabilities],
        }
        for question, choices, reference, number, probabilities in zip(
            chosen.questions,
            chosen.choices,
            chosen.references,
            taken,
            chosen.probabilities,
            strict=True,
        )
    ]
