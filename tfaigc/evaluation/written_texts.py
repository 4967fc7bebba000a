"""The reports of models that write a text for each text: translations, summaries, spellings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Table

_SHOWN = 10
# Our names of ROUGE's kinds, and the package's.
_ROUGE = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}


@dataclass(frozen=True)
class WrittenTexts:
    """What a model writes for texts, and what is right.

    Attributes:
        sources: What it reads.
        references: What it should write.
        written: What it writes.

    Raises:
        DataError: There are no texts, or not as many of each.
    """

    sources: Sequence[str]
    references: Sequence[str]
    written: Sequence[str]

    def __post_init__(self) -> None:
        """Checks that everything is there for every text."""
        counts = [len(each) for each in (self.sources, self.references, self.written)]
        if not counts[0] or len(set(counts)) > 1:
            raise DataError(
                "There must be a source, a reference and a written text for each record. Received: "
                f"{counts[0]}, {counts[1]} and {counts[2]} of them. Pass as many of each."
            )

    def distances(self, *, of_words: bool = False) -> np.ndarray:
        """Counts the edits from each written text to its reference (Levenshtein, 1966).

        Args:
            of_words: Whether words are inserted, deleted and replaced, rather than characters.

        Returns:
            int64, (texts,).
        """
        from rapidfuzz.distance import Levenshtein

        pairs = zip(self.written, self.references, strict=True)
        if of_words:
            pairs = ((one.split(), other.split()) for one, other in pairs)  # type: ignore[assignment]
        return np.array([Levenshtein.distance(one, other) for one, other in pairs], np.int64)

    def records(self) -> list[dict[str, Any]]:
        """Returns the lines of `predictions.jsonl`."""
        columns = zip(self.sources, self.references, self.written, strict=True)
        return [
            {"source": source, "target": reference, "written": written}
            for source, reference, written in columns
        ]


def written_metrics(texts: WrittenTexts) -> dict[str, float]:
    """Compares written texts with their references.

    Args:
        texts: The texts.

    Returns:
        `bleu` and `chrf`, from 0 to 100, as sacreBLEU computes them (Post, arXiv:1804.08771);
        `rouge_1`, `rouge_2` and `rouge_l`, F1 with stems, as the package rouge-score does (Lin,
        2004), which counts Latin letters and digits alone; `exact_match`; `edit_distance`, the
        mean number of characters; `character_error_rate` and `word_error_rate`, all edits over
        the length of all references.

    Example:
        >>> texts = WrittenTexts(["a", "b"], ["the film", "a plot"], ["the film", "a pot"])
        >>> metrics = written_metrics(texts)
        >>> metrics["exact_match"], metrics["edit_distance"], metrics["word_error_rate"]
        (0.5, 0.5, 0.25)
    """
    import sacrebleu

    references = [list(texts.references)]
    distances = texts.distances()
    words = sum(len(each.split()) for each in texts.references)
    exact = [one == other for one, other in zip(texts.written, texts.references, strict=True)]
    return {
        "bleu": float(sacrebleu.corpus_bleu(list(texts.written), references).score),
        "chrf": float(sacrebleu.corpus_chrf(list(texts.written), references).score),
        **_rouge(texts),
        "exact_match": float(np.mean(exact)),
        "edit_distance": float(distances.mean()),
        "character_error_rate": float(distances.sum() / max(1, sum(map(len, texts.references)))),
        "word_error_rate": float(texts.distances(of_words=True).sum() / max(1, words)),
    }


def written_report(texts: WrittenTexts, *, tokens: dict[str, float]) -> Report:
    """Says how near a model's texts come to what is right.

    Args:
        texts: The texts.
        tokens: How well the model guesses the references' tokens; see `token_metrics`.

    Returns:
        Metrics (see `written_metrics`) with those of the tokens, samples, and the worst errors.
    """
    columns = ("source", "target", "model writes")
    rows = list(zip(texts.sources, texts.references, texts.written, strict=True))
    distances = texts.distances()
    lengths = np.maximum([len(each) for each in texts.references], 1)
    worst = np.argsort(-distances / lengths, kind="stable")[:_SHOWN]
    errors = [(*rows[index], int(distances[index])) for index in worst if distances[index]]
    return Report(
        title="Writer's report",
        metrics={**written_metrics(texts), **tokens},
        sections=[
            Table("Samples", columns, rows[:_SHOWN]),
            Table("Farthest from what is right", (*columns, "edits"), errors),
        ],
        predictions=texts.records(),
        notes=[f"Measured on {len(texts.sources):,} texts."],
        headline=("bleu", "chrf", "rouge_l", "exact_match"),
        examples=ExampleScores(
            "character_error_rate",
            distances,
            np.array([len(each) for each in texts.references]),
            lower_is_better=True,
        ),
    )


def _rouge(texts: WrittenTexts) -> dict[str, float]:
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(list(_ROUGE.values()), use_stemmer=True)
    pairs = zip(texts.references, texts.written, strict=True)
    found = [scorer.score(reference, written) for reference, written in pairs]
    return {
        ours: float(np.mean([each[theirs].fmeasure for each in found]))
        for ours, theirs in _ROUGE.items()
    }
