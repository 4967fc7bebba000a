"""The report of a single-label classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.arguments import Array, check_texts, counted, texts_of
from tfaigc.evaluation.confusions import (
    confusion_sections,
    count_confusions,
    reliability_figure,
)
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.metrics import classification_metrics
from tfaigc.evaluation.plots.style import readable_labels
from tfaigc.evaluation.plots.thresholds import draw_thresholds
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Figure, Table

_MOST_EXAMPLES_SHOWN: Final = 10


def classification_report(
    *,
    class_names: Sequence[str],
    references: Sequence[int] | Array,
    probabilities: Sequence[Sequence[float]] | Array,
    texts: Sequence[str] | None = None,
    title: str = "Classification report",
) -> Report:
    """Compares a classifier's probabilities with the truth.

    Args:
        class_names: A name for each class.
        references: int, (examples,): the true classes.
        probabilities: float, (examples, classes); each row adds up to 1.
        texts: What was classified, for the list of errors and `predictions.jsonl`.
        title: The heading of the page.

    Returns:
        Metrics (see `classification_metrics`), a table per class, the most frequent confusions,
        the errors that the model was surest of, a confusion matrix, a reliability diagram, and,
        with two classes, the ROC curve and precision over recall.

    Raises:
        DataError: The arguments do not fit together.
    """
    references, probabilities = _check(class_names, references, probabilities, texts)
    predicted = probabilities.argmax(axis=1)
    scores = probabilities.max(axis=1)
    correct = predicted == references
    counts = count_confusions(references, predicted, len(class_names))
    sections = [
        *confusion_sections(counts, class_names),
        reliability_figure(scores, correct),
    ]
    if len(class_names) == 2 and len(np.unique(references)) == 2:
        sections.append(_thresholds(references, probabilities[:, 1], class_names[1]))
    if texts is not None:
        sections.append(_worst_errors(class_names, references, predicted, scores, texts))
    return Report(
        title=title,
        metrics=classification_metrics(references, probabilities),
        sections=sections,
        predictions=_records(class_names, references, probabilities, texts),
        notes=_notes(references, class_names),
        headline=("accuracy", "macro_f1"),
        examples=ExampleScores("accuracy", correct, np.ones(len(correct))),
    )


def _check(
    class_names: Sequence[str], references: Any, probabilities: Any, texts: Sequence[str] | None
) -> tuple[Array, Array]:
    references = np.asarray(references)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    expected = (len(references), len(class_names))
    if references.ndim != 1 or probabilities.shape != expected or not len(references):
        raise DataError(
            "references and probabilities must hold one row for each of at least one example. "
            f"Received: shapes {references.shape} and {probabilities.shape} for "
            f"{len(class_names)} classes. Pass (examples,) and (examples, classes)."
        )
    if references.dtype.kind not in "iu" or not (
        references.min() >= 0 and references.max() < len(class_names)
    ):
        raise DataError(
            f"references must be whole numbers from 0 to {len(class_names) - 1}. Received: "
            f"{references.dtype} from {references.min()} to {references.max()}. Pass class "
            "numbers in the order of class_names."
        )
    check_texts(texts, references)
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3) or probabilities.min() < 0:
        raise DataError(
            "Each row of probabilities must be at least 0 and add up to 1. Received: rows that "
            f"add up to {probabilities.sum(axis=1).min():.4g} and more. Pass logits through a "
            "softmax first; NaN comes from a model that diverged."
        )
    return references.astype(np.int64), probabilities


def _thresholds(references: Array, probabilities: Array, name: str) -> Figure:
    label = readable_labels(["", name])[1]
    return Figure(
        title="Thresholds",
        name="thresholds",
        draw=lambda: draw_thresholds(references, probabilities, label),
        description=f"ROC curve, and precision over recall, of {label}",
    )


def _worst_errors(
    class_names: Sequence[str],
    references: Array,
    predicted: Array,
    scores: Array,
    texts: Sequence[str],
) -> Table:
    wrong = np.flatnonzero(predicted != references)
    worst = wrong[np.argsort(-scores[wrong], kind="stable")][:_MOST_EXAMPLES_SHOWN]
    rows = [
        (
            str(texts[index]),
            str(class_names[references[index]]),
            str(class_names[predicted[index]]),
            float(scores[index]),
        )
        for index in worst
    ]
    return Table(
        "Errors that the model was surest of",
        ("text", "true", "predicted", "score"),
        rows,
        caption=f"{len(wrong):,} of {len(references):,} predictions are wrong.",
    )


def _records(
    class_names: Sequence[str],
    references: Array,
    probabilities: Array,
    texts: Sequence[str] | None,
) -> list[dict[str, Any]]:
    predicted = probabilities.argmax(axis=1)
    records = []
    for index, (true, taken) in enumerate(zip(references, predicted, strict=True)):
        record = texts_of(texts, index)
        record["reference"] = str(class_names[true])
        record["predicted"] = str(class_names[taken])
        record["score"] = round(float(probabilities[index, taken]), 6)
        record["probabilities"] = [round(float(each), 6) for each in probabilities[index]]
        records.append(record)
    return records


def _notes(references: Array, class_names: Sequence[str]) -> list[str]:
    notes = [
        f"Measured on {counted(references)}; accuracy_low and accuracy_high bound the accuracy "
        "with 95 %."
    ]
    absent = sorted(set(range(len(class_names))) - set(references.tolist()))
    if absent:
        names = ", ".join(str(class_names[index]) for index in absent[:10])
        more = f" and {len(absent) - 10} more" if len(absent) > 10 else ""
        notes.append(f"No example of: {names}{more}. Their recall and F1 say nothing.")
    return notes
