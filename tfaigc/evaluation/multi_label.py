"""The report of a classifier whose examples may be of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.arguments import Array, check_texts, counted, texts_of
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.metrics import expected_calibration_error
from tfaigc.evaluation.plots.reliability import draw_reliability
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Figure, Table

_MOST_EXAMPLES_SHOWN: Final = 10


def multi_label_report(
    *,
    class_names: Sequence[str],
    references: Array,
    probabilities: Array,
    texts: Sequence[str] | None = None,
    title: str = "Classification report",
) -> Report:
    """Compares a multi-label classifier's probabilities with the truth.

    An example is taken for one of a class where its probability is above one half.

    Args:
        class_names: A name for each class.
        references: int, (examples, classes): 1 where an example is of a class, else 0.
        probabilities: float, (examples, classes), each between 0 and 1.
        texts: What was classified, for the list of errors and `predictions.jsonl`.
        title: The heading of the page.

    Returns:
        Metrics (see `multi_label_metrics`), a table per class, the decisions that the model was
        surest of and wrong about, and a reliability diagram over all decisions.

    Raises:
        DataError: The arguments do not fit together.
    """
    references, probabilities = _check(class_names, references, probabilities, texts)
    predicted = probabilities > 0.5
    correct = predicted == (references == 1)
    confidences = np.maximum(probabilities, 1 - probabilities)
    sections: list[Any] = [
        _per_class(class_names, references, predicted),
        Figure(
            title="Reliability",
            name="reliability",
            draw=lambda: draw_reliability(confidences.ravel(), correct.ravel()),
            description="Accuracy of the decisions by how sure the model was",
        ),
    ]
    if texts is not None:
        sections.append(_worst_errors(class_names, correct, confidences, predicted, texts))
    names = np.asarray(class_names, object)
    records = [
        {
            **texts_of(texts, index),
            "reference": names[references[index] == 1].tolist(),
            "predicted": names[predicted[index]].tolist(),
            "probabilities": [round(float(each), 6) for each in probabilities[index]],
        }
        for index in range(len(references))
    ]
    return Report(
        title=title,
        metrics=multi_label_metrics(references, probabilities),
        sections=sections,
        predictions=records,
        notes=[f"Measured on {counted(references)}; accuracy is that of whole sets of classes."],
        headline=("micro_f1", "macro_f1"),
        examples=ExampleScores(
            "micro_f1",
            2 * (predicted & (references == 1)).sum(axis=1),
            predicted.sum(axis=1) + (references == 1).sum(axis=1),
        ),
    )


def multi_label_metrics(references: Array, probabilities: Array) -> dict[str, float]:
    """Computes the metrics of multi-label classification, as scikit-learn does.

    Args:
        references: int, (examples, classes): 1 where an example is of a class, else 0.
        probabilities: float, (examples, classes).

    Returns:
        `accuracy` (of whole sets of classes), `hamming_accuracy` (of single decisions), F1,
        precision and recall by micro and macro average (a class without predictions counts 0),
        `samples_f1`, `ece` over all decisions, and, where each class has examples for and
        against, `macro_roc_auc` and `macro_average_precision`.

    Example:
        >>> metrics = multi_label_metrics(
        ...     np.array([[1, 0], [1, 1]]), np.array([[0.9, 0.2], [0.8, 0.3]])
        ... )
        >>> metrics["accuracy"], metrics["hamming_accuracy"], metrics["micro_f1"]
        (0.5, 0.75, 0.8)
    """
    from sklearn import metrics as scores

    predicted = (probabilities > 0.5).astype(int)
    correct = predicted == references
    confidences = np.maximum(probabilities, 1 - probabilities)
    found = {
        "accuracy": correct.all(axis=1).mean(),
        "hamming_accuracy": correct.mean(),
    }
    for average in ("micro", "macro"):
        precision, recall, f1, _ = scores.precision_recall_fscore_support(
            references, predicted, average=average, zero_division=0
        )
        found |= {
            f"{average}_f1": f1,
            f"{average}_precision": precision,
            f"{average}_recall": recall,
        }
    found["samples_f1"] = scores.f1_score(references, predicted, average="samples", zero_division=0)
    found["ece"] = expected_calibration_error(confidences.ravel(), correct.ravel())
    if all(0 < column.mean() < 1 for column in references.T):
        found["macro_roc_auc"] = scores.roc_auc_score(references, probabilities, average="macro")
        found["macro_average_precision"] = scores.average_precision_score(
            references, probabilities, average="macro"
        )
    return {name: float(value) for name, value in found.items()}


def _check(
    class_names: Sequence[str], references: Any, probabilities: Any, texts: Sequence[str] | None
) -> tuple[Array, Array]:
    references = np.asarray(references)
    probabilities = np.asarray(probabilities, np.float64)
    shape = (len(references), len(class_names))
    if references.shape != shape or probabilities.shape != shape or not len(references):
        raise DataError(
            "references and probabilities must hold one row for each of at least one example. "
            f"Received: shapes {references.shape} and {probabilities.shape} for "
            f"{len(class_names)} classes. Pass (examples, classes) twice."
        )
    if not np.isin(references, (0, 1)).all():
        raise DataError(
            f"references must be 0 or 1. Received: values from {references.min()} to "
            f"{references.max()}. Pass 1 where an example is of a class."
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError(
            "probabilities must be between 0 and 1. Received: "
            f"{probabilities.min():.4g} to {probabilities.max():.4g}. Pass logits through a "
            "sigmoid first; NaN comes from a model that diverged."
        )
    check_texts(texts, references)
    return references.astype(np.int64), probabilities


def _per_class(class_names: Sequence[str], references: Array, predicted: Array) -> Table:
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        references, predicted.astype(int), average=None, zero_division=0
    )
    rows = [
        (str(name), float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(class_names, *columns, strict=True)
    ]
    return Table("Per class", ("class", "precision", "recall", "F1", "support"), rows)


def _worst_errors(
    class_names: Sequence[str],
    correct: Array,
    confidences: Array,
    predicted: Array,
    texts: Sequence[str],
) -> Table:
    wrong = np.argwhere(~correct)
    order = np.argsort(-confidences[~correct], kind="stable")[:_MOST_EXAMPLES_SHOWN]
    rows = [
        (
            str(texts[example]),
            str(class_names[label]),
            "yes" if predicted[example, label] else "no",
            float(confidences[example, label]),
        )
        for example, label in wrong[order]
    ]
    return Table(
        "Errors that the model was surest of",
        ("text", "class", "predicted", "score"),
        rows,
        caption=f"{len(wrong):,} of {correct.size:,} decisions are wrong.",
    )
