"""Sections about which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tfaigc.evaluation.arguments import Array
from tfaigc.evaluation.plots.confusion_matrix import draw_confusion_matrix
from tfaigc.evaluation.plots.reliability import draw_reliability
from tfaigc.evaluation.sections import Figure, Section, Table

_MOST_CLASSES_IN_PLOT: Final = 60
_MOST_SHOWN: Final = 10


def count_confusions(references: Array, predicted: Array, num_classes: int) -> Array:
    """Counts by true and predicted class.

    Args:
        references: int, (examples,): the true classes.
        predicted: int, (examples,): the predicted ones.
        num_classes: Number of classes.

    Returns:
        int, (classes, classes).
    """
    cells = references * num_classes + predicted
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def confusion_sections(
    counts: Array, class_names: Sequence[str], *, unit: str = "examples"
) -> list[Section]:
    """Makes a table per class, a confusion matrix and the most frequent confusions.

    Args:
        counts: int, (classes, classes), as ``count_confusions`` gives it.
        class_names: A name for each class.
        unit: What was counted.

    Returns:
        The sections; no matrix of many classes, no confusions of two.
    """
    sections: list[Section] = [_per_class(counts, class_names)]
    if len(class_names) <= _MOST_CLASSES_IN_PLOT:
        sections.append(confusion_figure(counts, class_names, unit=unit))
    if len(class_names) > 2:
        sections.append(frequent_confusions(counts, class_names, unit=unit))
    return sections


def confusion_figure(counts: Array, class_names: Sequence[str], *, unit: str) -> Figure:
    """Makes a confusion matrix; see ``confusion_sections``."""
    return Figure(
        title="Confusion matrix",
        name="confusion_matrix",
        draw=lambda: draw_confusion_matrix(counts, class_names),
        description=f"{unit.capitalize()} by true class and predicted class",
    )


def frequent_confusions(counts: Array, class_names: Sequence[str], *, unit: str) -> Table:
    """Lists the most frequent confusions; see ``confusion_sections``."""
    errors = counts - np.diag(counts.diagonal())
    order = np.argsort(-errors, axis=None, kind="stable")[:_MOST_SHOWN]
    cells = zip(*np.unravel_index(order, errors.shape), strict=True)
    support = counts.sum(axis=1)
    rows = [
        (
            str(class_names[true]),
            str(class_names[taken]),
            int(errors[true, taken]),
            float(errors[true, taken] / support[true]),
        )
        for true, taken in cells
        if errors[true, taken]
    ]
    return Table(
        "Most frequent confusions", ("true", "predicted", unit, "share of the true class"), rows
    )


def reliability_figure(scores: Array, correct: Array) -> Figure:
    """Makes a reliability diagram.

    Args:
        scores: float, (examples,): the probability of each prediction.
        correct: bool, (examples,): whether it is right.

    Returns:
        The figure.
    """
    return Figure(
        title="Reliability",
        name="reliability",
        draw=lambda: draw_reliability(scores, correct),
        description="Accuracy of the predictions by how sure the model was",
    )


def _per_class(counts: Array, class_names: Sequence[str]) -> Table:
    support, predicted, hits = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    return scores_table("Per class", "class", class_names, support, predicted, hits)


def scores_table(
    title: str, column: str, names: Sequence[str], support: Array, predicted: Array, hits: Array
) -> Table:
    """Makes a table of precision, recall and F1.

    Args:
        title: Its heading.
        column: What the names are of.
        names: The names, one a row.
        support: int, (names,): how many there are.
        predicted: int, (names,): how many were predicted.
        hits: int, (names,): how many of these are right.

    Returns:
        The table.
    """
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    rows = [
        (str(name), float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
        for i, name in enumerate(names)
    ]
    return Table(title, (column, "precision", "recall", "F1", "support"), rows)
