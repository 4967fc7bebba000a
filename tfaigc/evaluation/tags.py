"""The report of a model that tags words, as with parts of speech."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tfaigc.evaluation.arguments import Array
from tfaigc.evaluation.confusions import (
    confusion_sections,
    count_confusions,
    reliability_figure,
)
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.metrics import wilson_interval
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Table
from tfaigc.evaluation.sentences import TaggedSentences

_MOST_SHOWN: Final = 10
_CONTEXT: Final = 5


def tag_report(
    sentences: TaggedSentences, *, names: Sequence[str], title: str = "Tagging report"
) -> Report:
    """Compares the tags that a model gives words with the true ones.

    Args:
        sentences: The tagged sentences.
        names: All tags.
        title: The heading of the page.

    Returns:
        Metrics (see `tag_metrics`), a table per tag, a confusion matrix, the most frequent
        confusions, a reliability diagram, and the words that the model was surest of and wrong
        about.
    """
    places = {name: place for place, name in enumerate(names)}
    true, taken = (
        np.array([places[tag] for tags in listed for tag in tags])
        for listed in (sentences.references, sentences.predicted)
    )
    scores = np.concatenate(list(sentences.scores))
    counts = count_confusions(true, taken, len(names))
    ends = np.cumsum([len(words) for words in sentences.words])[:-1]
    right = np.array([part.sum() for part in np.split(true == taken, ends)])
    lengths = np.array([len(words) for words in sentences.words])
    return Report(
        title=title,
        metrics={**tag_metrics(counts), "sentence_accuracy": float(np.mean(right == lengths))},
        sections=[
            *confusion_sections(counts, names, unit="words"),
            reliability_figure(scores, true == taken),
            _surest_errors(sentences, scores, true != taken),
        ],
        predictions=sentences.records(),
        notes=[f"{sentences.note()}; accuracy_low and accuracy_high bound the accuracy with 95 %."],
        headline=("accuracy", "macro_f1"),
        examples=ExampleScores("accuracy", right, lengths),
    )


def tag_metrics(counts: Array) -> dict[str, float]:
    """Computes the metrics of tags.

    Args:
        counts: int, (tags, tags): words by true and predicted tag.

    Returns:
        `accuracy` with its bounds (`wilson_interval`), and `macro_f1` and `weighted_f1`, the means
        over the tags that occur among either, as scikit-learn's.

    Example:
        >>> tag_metrics(np.array([[3, 1], [0, 0]]))["accuracy"]
        0.75
    """
    support, predicted, hits = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    occurring = support + predicted > 0
    f1 = 2 * hits[occurring] / (support + predicted)[occurring]
    low, high = wilson_interval(int(hits.sum()), int(counts.sum()))
    metrics = {
        "accuracy": hits.sum() / counts.sum(),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": f1.mean(),
        "weighted_f1": (f1 * support[occurring]).sum() / support.sum(),
    }
    return {name: float(value) for name, value in metrics.items()}


def _surest_errors(sentences: TaggedSentences, scores: Array, wrong: Array) -> Table:
    places = [(row, at) for row, words in enumerate(sentences.words) for at in range(len(words))]
    surest = np.flatnonzero(wrong)
    surest = surest[np.argsort(-scores[surest], kind="stable")][:_MOST_SHOWN]
    rows = []
    for index in surest:
        row, at = places[index]
        words = sentences.words[row]
        rows.append(
            (
                " ".join(words[max(0, at - _CONTEXT) : at + _CONTEXT + 1]),
                words[at],
                sentences.references[row][at],
                sentences.predicted[row][at],
                float(scores[index]),
            )
        )
    return Table(
        "Errors that the model was surest of",
        ("text", "word", "true", "predicted", "score"),
        rows,
        caption=f"{int(wrong.sum()):,} of {len(wrong):,} tags are wrong.",
    )
