"""The report of a model that finds entities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from tfaigc.evaluation.arguments import Array
from tfaigc.evaluation.confusions import (
    confusion_figure,
    count_confusions,
    frequent_confusions,
    reliability_figure,
    scores_table,
)
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Section, Table
from tfaigc.evaluation.sentences import TaggedSentences
from tfaigc.tagging import OUTSIDE, Span, find_spans, parse_tag

_MOST_SHOWN: Final = 10
_MOST_TYPES_IN_PLOT: Final = 60


def entity_report(sentences: TaggedSentences, *, title: str = "Entity report") -> Report:
    """Compares the entities that a model finds with the true ones.

    Args:
        sentences: Tagged in any of the schemes.
        title: The heading of the page.

    Returns:
        Metrics (see `entity_metrics`), a table per entity type, which types words were taken for,
        a reliability diagram, and the entities that the model was surest of and wrong about.
    """
    true = [find_spans(tags) for tags in sentences.references]
    found = [find_spans(tags) for tags in sentences.predicted]
    counts = _count_types(true, found)
    types = sorted(counts)
    totals = np.array([counts[label] for label in types], np.int64).reshape(-1, 3)
    names = [OUTSIDE.prefix, *types]
    places = {name: place for place, name in enumerate(names)}
    true_words, found_words = (
        np.array([places[name] for name in _word_types(tags)])
        for tags in (sentences.references, sentences.predicted)
    )
    confusions = count_confusions(true_words, found_words, len(names))
    sections: list[Section] = [scores_table("Per entity type", "type", types, *totals.T)]
    if len(names) <= _MOST_TYPES_IN_PLOT:
        sections.append(confusion_figure(confusions, names, unit="words"))
    sections.append(frequent_confusions(confusions, names, unit="words"))
    scores = _span_scores(found, sentences.scores)
    if len(scores):
        hits = np.array([span in true[i] for i, spans in enumerate(found) for span in spans])
        sections.append(reliability_figure(scores, hits))
        sections.append(_surest_errors(sentences, true, found, scores))
    return Report(
        title=title,
        metrics=entity_metrics(sentences.references, sentences.predicted),
        sections=sections,
        predictions=sentences.records(),
        notes=[
            f"{sentences.note()}, {totals[:, 0].sum():,} entities in them; f1_low and f1_high "
            "bound the F1 with 95 %, by resampling sentences."
        ],
        headline=("f1", "accuracy"),
        examples=_per_sentence(true, found),
    )


def entity_metrics(
    references: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Computes the metrics of entities, with the numbers of seqeval.

    An entity is right where its first word, its last word and its type are.

    Args:
        references: The true tags of each sentence.
        predicted: The predicted ones.

    Returns:
        `f1`, `precision` and `recall` over all entities; `macro_f1`, `macro_precision` and
        `macro_recall`, the means over the types that occur among either; `weighted_f1`, that by the
        number of true entities; `f1_low` and `f1_high`, a bootstrap interval (Efron, 1979, Ann.
        Stat. 7); and `accuracy`, of words' tags.

    Example:
        >>> metrics = entity_metrics([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])
        >>> metrics["precision"], metrics["recall"], round(metrics["accuracy"], 4)
        (0.5, 1.0, 0.6667)
    """
    pairs = list(zip(references, predicted, strict=True))
    spans = [(find_spans(true), find_spans(found)) for true, found in pairs]
    per_sentence = np.array([_compare(*pair) for pair in spans], np.int64)
    low, high = _f1_scores(per_sentence).interval()
    per_type = np.array(list(_count_types(*zip(*spans, strict=True)).values()), np.int64)
    per_type = per_type.reshape(-1, 3)
    precision, recall, f1 = _scores(per_sentence.sum(axis=0))
    macro = _scores(per_type)
    support = per_type[:, 0]
    right = sum(a == b for pair in pairs for a, b in zip(*pair, strict=True))
    metrics = {
        "f1": f1,
        "f1_low": low,
        "f1_high": high,
        "precision": precision,
        "recall": recall,
        "macro_f1": _mean(macro[2]),
        "macro_precision": _mean(macro[0]),
        "macro_recall": _mean(macro[1]),
        "weighted_f1": (macro[2] * support).sum() / max(support.sum(), 1),
        "accuracy": right / sum(len(true) for true, _ in pairs),
    }
    return {name: float(value) for name, value in metrics.items()}


def _compare(true: Sequence[Span], found: Sequence[Span]) -> tuple[int, int, int]:
    """Counts true, predicted and right entities."""
    return len(true), len(found), len(set(true) & set(found))


def _count_types(
    true: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]
) -> dict[str, tuple[int, int, int]]:
    """Counts true, predicted and right entities by type."""
    counters: tuple[Counter[str], Counter[str], Counter[str]] = Counter(), Counter(), Counter()
    for one, other in zip(true, found, strict=True):
        for counter, spans in zip(counters, (one, other, set(one) & set(other)), strict=True):
            counter.update(span.label for span in spans)
    types = sorted({*counters[0], *counters[1]})
    return {label: tuple(counter[label] for counter in counters) for label in types}  # type: ignore[misc]


def _scores(counts: Array) -> tuple[Array, Array, Array]:
    """Computes precision, recall and F1 of counts, int, (..., 3)."""
    true, found, right = np.moveaxis(counts, -1, 0)
    return (
        right / np.maximum(found, 1),
        right / np.maximum(true, 1),
        2 * right / np.maximum(true + found, 1),
    )


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _per_sentence(true: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]) -> ExampleScores:
    """Gives what each sentence adds to the F1."""
    counts = [_compare(*pair) for pair in zip(true, found, strict=True)]
    return _f1_scores(np.array(counts, np.int64))


def _f1_scores(per_sentence: Array) -> ExampleScores:
    """Takes counts of true, predicted and right entities, int, (sentences, 3), to F1."""
    true, found, right = per_sentence.T
    return ExampleScores("f1", 2 * right, true + found)


def _word_types(sentences: Sequence[Sequence[str]]) -> list[str]:
    tags = (parse_tag(name) or OUTSIDE for names in sentences for name in names)
    return [tag.label or OUTSIDE.prefix for tag in tags]


def _span_scores(found: Sequence[Sequence[Span]], scores: Sequence[Array]) -> Array:
    """Returns the mean score of each predicted entity's words, float, (entities,)."""
    return np.array(
        [
            np.mean(each[span.start : span.end])
            for spans, each in zip(found, scores, strict=True)
            for span in spans
        ]
    )


def _surest_errors(
    sentences: TaggedSentences,
    true: Sequence[Sequence[Span]],
    found: Sequence[Sequence[Span]],
    scores: Array,
) -> Table:
    flat = [(place, span) for place, spans in enumerate(found) for span in spans]
    wrong = [index for index, (place, span) in enumerate(flat) if span not in true[place]]
    missed = sum(len(set(one) - set(other)) for one, other in zip(true, found, strict=True))
    rows = []
    for index in sorted(wrong, key=lambda each: -scores[each])[:_MOST_SHOWN]:
        place, span = flat[index]
        words = sentences.words[place]
        touched = [
            f"{' '.join(words[each.start : each.end])} ({each.label})"
            for each in true[place]
            if each.start < span.end and span.start < each.end
        ]
        rows.append(
            (
                " ".join(words),
                f"{' '.join(words[span.start : span.end])} ({span.label})",
                ", ".join(touched),
                float(scores[index]),
            )
        )
    return Table(
        "Errors that the model was surest of",
        ("text", "predicted", "true", "score"),
        rows,
        caption=f"{len(wrong):,} of {len(flat):,} predicted entities are wrong; "
        f"{missed:,} true ones were missed.",
    )
