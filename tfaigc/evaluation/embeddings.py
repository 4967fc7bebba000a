"""The reports of models whose vectors tell which texts belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tfaigc.evaluation.arguments import counted
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.metrics import Array
from tfaigc.evaluation.plots.scatter import draw_scatter
from tfaigc.evaluation.regression import regression_metrics, squared_errors
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.retrieval import nearest, normalized, retrieval_metrics
from tfaigc.evaluation.sections import Figure, Section, Table

_MOST_SHOWN: Final = 10
_TITLE: Final = "Embeddings' report"


def similarity_report(
    references: Array, vectors: Array, texts: Sequence[Sequence[str]], *, title: str = _TITLE
) -> Report:
    """Compares the cosines of pairs with their scores.

    Args:
        references: float, (pairs,): the scores.
        vectors: float, (pairs, 2, width).
        texts: The two texts of each pair.
        title: The heading of the page.

    Returns:
        `pearson`, `spearman`, `mae` and `rmse`, a scatter plot, and the largest errors.
    """
    cosines = _cosines(vectors)
    metrics = regression_metrics(references[:, None].astype("float64"), cosines[:, None])
    worst = np.argsort(-np.abs(cosines - references), kind="stable")[:_MOST_SHOWN]
    rows = [(*texts[row], float(references[row]), float(cosines[row])) for row in worst]
    sections: list[Section] = [
        Figure(
            title="Cosines",
            name="scatter",
            draw=lambda: draw_scatter(references[:, None], cosines[:, None], ["cosine"]),
            description="Each pair's cosine over its score",
        ),
        Table("Largest errors", ("text", "second text", "score", "cosine"), rows),
    ]
    shown: list[str] = [name for name in ("spearman", "pearson") if name in metrics] or ["rmse"]
    examples = squared_errors(references[:, None], cosines[:, None])
    return _report(metrics, sections, texts, references, cosines, title, shown, examples)


def match_report(
    references: Array, vectors: Array, texts: Sequence[Sequence[str]], *, title: str = _TITLE
) -> Report:
    """Tells by their cosines which pairs match.

    Args:
        references: int, (pairs,): 1 where they match, else 0.
        vectors: float, (pairs, 2, width).
        texts: The two texts of each pair.
        title: The heading of the page.

    Returns:
        `accuracy` and `f1` at the threshold that is best for each on these very pairs,
        `average_precision` and `roc_auc` over all thresholds, and the surest errors.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

    cosines = _cosines(vectors)
    accuracy, threshold = _best_threshold(references, cosines)
    metrics = {"accuracy": accuracy, "threshold": threshold}
    if len(np.unique(references)) == 2:
        precision, recall, _ = precision_recall_curve(references, cosines)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        metrics["f1"] = float(f1.max())
        metrics["average_precision"] = float(average_precision_score(references, cosines))
        metrics["roc_auc"] = float(roc_auc_score(references, cosines))
    margins = np.where(references == 1, threshold - cosines, cosines - threshold)
    worst = [row for row in np.argsort(-margins, kind="stable")[:_MOST_SHOWN] if margins[row] > 0]
    rows = [(*texts[row], int(references[row]), float(cosines[row])) for row in worst]
    errors = Table("Surest errors", ("text", "second text", "match", "cosine"), rows)
    shown = [name for name in ("average_precision", "accuracy") if name in metrics]
    right = (cosines >= threshold) == (references == 1)
    examples = ExampleScores("accuracy", right, np.ones(len(right)))
    return _report(metrics, [errors], texts, references, cosines, title, shown, examples)


def pair_report(vectors: Array, texts: Sequence[Sequence[str]], *, title: str = _TITLE) -> Report:
    """Looks for each anchor's own text among all that are not anchors.

    Args:
        vectors: float, (examples, 2 or more, width): of an anchor, of what belongs to it, and of
            texts that do not.
        texts: The texts of each example.
        title: The heading of the page.

    Returns:
        The numbers of `retrieval_metrics`; with third texts also `triplet_accuracy`, the share of
        anchors that are nearer to the second text than to the third; and what was found wrongly.
    """
    candidates = [text for column in range(1, vectors.shape[1]) for text in _column(texts, column)]
    # Texts that stand there several times are one.
    unique = {text: place for place, text in reversed(list(enumerate(candidates)))}
    places = sorted(unique.values())
    flat = np.concatenate([vectors[:, column] for column in range(1, vectors.shape[1])])[places]
    number = {candidates[place]: index for index, place in enumerate(places)}
    wanted: dict[str, set[int]] = {}
    for row in texts:
        wanted.setdefault(row[0], set()).add(number[row[1]])
    relevant = [np.array(sorted(wanted[row[0]])) for row in texts]
    metrics = retrieval_metrics(vectors[:, 0], flat, relevant)
    if vectors.shape[1] > 2:
        near, far = (_cosines(vectors[:, [0, column]]) for column in (1, 2))
        metrics["triplet_accuracy"] = float(np.mean(near > far))
    best = nearest(vectors[:, 0], flat)
    right = np.array([best[row] in relevant[row] for row in range(len(vectors))])
    wrong = np.flatnonzero(~right)[:_MOST_SHOWN]
    rows = [(*texts[row][:2], candidates[places[best[row]]]) for row in wrong]
    errors = Table("Found instead", ("anchor", "its own text", "nearest text"), rows)
    return Report(
        title=title,
        metrics=metrics,
        sections=[errors],
        predictions=[
            {"anchor": row[0], "positive": row[1], "nearest": candidates[places[place]]}
            for row, place in zip(texts, best, strict=True)
        ],
        notes=[f"Measured on {counted(vectors)}, whose texts are {len(places):,} candidates."],
        headline=["accuracy_at_1", "mrr_at_10"],
        examples=ExampleScores("accuracy_at_1", right, np.ones(len(right))),
    )


def neighbour_report(
    references: Array, vectors: Array, texts: Sequence[str], *, title: str = _TITLE
) -> Report:
    """Looks for texts of the same class around each text.

    Args:
        references: int, (texts,): their classes.
        vectors: float, (texts, width).
        texts: The texts.
        title: The heading of the page.

    Returns:
        The numbers of `retrieval_metrics` over texts that are not the only ones of their class:
        `accuracy_at_1` is that of the nearest neighbour; and neighbours of other classes.
    """
    members = {label: np.flatnonzero(references == label) for label in np.unique(references)}
    rows = np.array([row for row in range(len(texts)) if len(members[references[row]]) > 1], int)
    alone = len(texts) - len(rows)
    notes = [f"Measured on {counted(references)}."]
    if alone:
        notes.append(f"{alone:,} of them are the only ones of their class; they are no queries.")
    if not len(rows):
        return Report(title=title, metrics={}, notes=notes)
    relevant = [np.setdiff1d(members[references[row]], [row]) for row in rows]
    metrics = retrieval_metrics(vectors[rows], vectors, relevant, own=rows)
    best = nearest(vectors[rows], vectors, own=rows)
    right = references[best] == references[rows]
    wrong = np.flatnonzero(~right)[:_MOST_SHOWN]
    shown = [(str(texts[rows[row]]), str(texts[best[row]])) for row in wrong]
    errors = Table("Neighbours of other classes", ("text", "nearest text"), shown)
    return Report(
        title=title,
        metrics=metrics,
        sections=[errors],
        predictions=[
            {"text": str(texts[row]), "nearest": str(texts[place])}
            for row, place in zip(rows, best, strict=True)
        ],
        notes=notes,
        headline=["accuracy_at_1", "mrr_at_10"],
        examples=ExampleScores("accuracy_at_1", right, np.ones(len(right))),
    )


def _best_threshold(references: Array, cosines: Array) -> tuple[float, float]:
    """Finds the threshold from which on pairs should count as matches, and its accuracy."""
    order = np.argsort(-cosines, kind="stable")
    matches = np.cumsum(references[order] == 1)
    taken = np.arange(1, len(order) + 1)
    right = matches + (len(order) - matches[-1]) - (taken - matches)
    # Pairs with equal cosines are taken together.
    whole = np.append(cosines[order][1:] < cosines[order][:-1], True)
    best = int(np.argmax(np.where(whole, right, -1)))
    return float(right[best] / len(order)), float(cosines[order][best])


def _column(texts: Sequence[Sequence[str]], column: int) -> list[str]:
    return [row[column] for row in texts]


def _cosines(vectors: Array) -> Array:
    """Compares the first two of each example's vectors: float, (examples,)."""
    unit = normalized(vectors.astype("float64"))
    cosines: Array = (unit[:, 0] * unit[:, 1]).sum(axis=-1)
    return cosines


def _report(
    metrics: dict[str, float],
    sections: Sequence[Section],
    texts: Sequence[Sequence[str]],
    references: Array,
    cosines: Array,
    title: str,
    headline: Sequence[str],
    examples: ExampleScores,
) -> Report:
    """Makes the report of pairs, each with its target and its cosine."""
    records: list[dict[str, Any]] = [
        {
            "text": one,
            "text_pair": two,
            "reference": round(float(true), 6),
            "cosine": round(each, 6),
        }
        for (one, two), true, each in zip(texts, references, cosines.tolist(), strict=True)
    ]
    return Report(
        title=title,
        metrics=metrics,
        sections=sections,
        predictions=records,
        notes=[f"Measured on {counted(references)}."],
        headline=headline,
        examples=examples,
    )
