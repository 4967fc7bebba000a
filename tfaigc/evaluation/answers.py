"""The report of a model that answers questions from their contexts."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.arguments import Array
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Table

_MOST_SHOWN: Final = 10
# Words of an answer: the first of each row.
_LENGTHS: Final = (0, 1, 2, 3, 6, 11)
_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class AnsweredQuestions:
    """What a model answers, and what is right.

    Attributes:
        questions: The questions.
        references: The right answers of each; none where the context has no answer.
        answers: The model's; "" where it finds none.
        scores: Their probabilities.

    Raises:
        DataError: There are no questions, or the four differ in length.
    """

    questions: Sequence[str]
    references: Sequence[Sequence[str]]
    answers: Sequence[str]
    scores: Sequence[float]

    def __post_init__(self) -> None:
        """Checks that everything is there for every question."""
        names = ("questions", "references", "answers", "scores")
        counts = {name: len(getattr(self, name)) for name in names}
        if not self.questions or len(set(counts.values())) > 1:
            raise DataError(
                "There must be references, an answer and a score for each of some questions. "
                f"Received: {counts}. Pass the same questions four times."
            )


def answer_report(answered: AnsweredQuestions, *, title: str = "Answers' report") -> Report:
    """Compares answers with the right ones.

    Args:
        answered: The questions.
        title: The heading of the page.

    Returns:
        Metrics (see `answer_metrics`), by the length of the right answer, and the answers that
        the model was surest of and wrong about.
    """
    exact, f1 = _scores(answered.references, answered.answers)
    records = [
        {
            "question": question,
            "references": list(references),
            "answer": answer,
            "score": round(float(score), 6),
            "exact_match": hit,
            "f1": round(overlap, 6),
        }
        for question, references, answer, score, hit, overlap in zip(
            answered.questions,
            answered.references,
            answered.answers,
            answered.scores,
            exact.tolist(),
            f1.tolist(),
            strict=True,
        )
    ]
    return Report(
        title=title,
        metrics=_summed_up(exact, f1, answered.references),
        sections=[_by_length(answered.references, exact, f1), _surest_errors(answered, exact, f1)],
        predictions=records,
        notes=[
            f"Measured on {len(exact):,} questions; f1_low and f1_high bound the F1 with 95 %, by "
            "resampling questions."
        ],
        headline=("f1", "exact_match"),
        examples=ExampleScores("f1", f1, np.ones(len(f1))),
    )


def answer_metrics(
    references: Sequence[Sequence[str]], answers: Sequence[str]
) -> Mapping[str, float]:
    """Computes the metrics of SQuAD 2.0's official script, as shares of 1.

    Of several right answers the one counts that an answer comes nearest to. Answers are compared
    without case, punctuation, articles and superfluous white space; F1 is over their words.

    Args:
        references: The right answers of each question; none where the context has no answer.
        answers: The answers; "" for none.

    Returns:
        `f1` and `exact_match`; `f1_low` and `f1_high`, a bootstrap interval (Efron, 1979, Ann.
        Stat. 7); and, where some questions have no answer, `answerable_f1`,
        `answerable_exact_match` and `no_answer_accuracy`.

    Example:
        >>> metrics = answer_metrics([["the red fox"], []], ["Fox!", ""])
        >>> metrics["exact_match"], round(metrics["f1"], 4), metrics["no_answer_accuracy"]
        (0.5, 0.8333, 1.0)
    """
    return _summed_up(*_scores(references, answers), references)


def exact_match(answer: str, reference: str) -> float:
    """Says whether two answers are the same, 0 or 1; see `answer_metrics`."""
    return float(_normalized(answer) == _normalized(reference))


def token_f1(answer: str, reference: str) -> float:
    """Computes F1 over the words of two answers; see `answer_metrics`."""
    given, right = _normalized(answer).split(), _normalized(reference).split()
    if not given or not right:
        return float(given == right)
    common = sum((Counter(given) & Counter(right)).values())
    return 2 * common / (len(given) + len(right))


_SCORES: Final = (exact_match, token_f1)


def _normalized(text: str) -> str:
    lowered = text.lower().translate(_WITHOUT_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", lowered).split())


def _scores(references: Sequence[Sequence[str]], answers: Sequence[str]) -> tuple[Array, Array]:
    """Computes exact match and F1 of each answer, float, (questions,)."""
    pairs = list(zip(answers, references, strict=True))
    exact, f1 = (np.array([_best(score, *each) for each in pairs]) for score in _SCORES)
    return exact, f1


def _best(score: Callable[[str, str], float], answer: str, references: Sequence[str]) -> float:
    """Takes the best score over the references of which something is left."""
    usable = [each for each in references if _normalized(each)] or [""]
    return max(score(answer, each) for each in usable)


def _summed_up(exact: Array, f1: Array, references: Sequence[Sequence[str]]) -> dict[str, float]:
    answerable = np.array([bool(each) for each in references])
    low, high = ExampleScores("f1", f1, np.ones(len(f1))).interval()
    metrics = {"f1": f1.mean(), "exact_match": exact.mean(), "f1_low": low, "f1_high": high}
    if not answerable.all():
        metrics["no_answer_accuracy"] = exact[~answerable].mean()
        if answerable.any():
            metrics["answerable_f1"] = f1[answerable].mean()
            metrics["answerable_exact_match"] = exact[answerable].mean()
    return {name: float(value) for name, value in metrics.items()}


def _by_length(references: Sequence[Sequence[str]], exact: Array, f1: Array) -> Table:
    lengths = np.array([len(each[0].split()) if each else 0 for each in references])
    bins = np.digitize(lengths, _LENGTHS) - 1
    rows = []
    for number, first in enumerate(_LENGTHS):
        own = bins == number
        if own.any():
            name = _length_name(first, [*_LENGTHS, 0][number + 1] - 1)
            rows.append((name, int(own.sum()), float(exact[own].mean()), float(f1[own].mean())))
    return Table(
        "By the length of the right answer", ("words", "questions", "exact match", "F1"), rows
    )


def _length_name(first: int, last: int) -> str:
    if first == 0:
        return "no answer"
    if last < first:
        return f"{first} or more"
    return str(first) if first == last else f"{first} to {last}"


def _surest_errors(answered: AnsweredQuestions, exact: Array, f1: Array) -> Table:
    scores = np.asarray(answered.scores, np.float64)
    wrong = np.flatnonzero(exact == 0)
    rows: list[tuple[Any, ...]] = []
    for index in wrong[np.argsort(-scores[wrong], kind="stable")][:_MOST_SHOWN]:
        right = "; ".join(dict.fromkeys(answered.references[index]))
        cells = (answered.questions[index], answered.answers[index], right)
        rows.append((*cells, float(f1[index]), float(scores[index])))
    return Table(
        "Errors that the model was surest of",
        ("question", "answer", "right", "F1", "score"),
        rows,
        caption=f"{len(wrong):,} of {len(exact):,} answers are not exactly right.",
    )
