"""The reports of models that score the tokens of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Section, Table

Array: TypeAlias = np.ndarray[Any, Any]

# A rank below this one is among the first five.
_FEW: Final = 5


@dataclass(frozen=True)
class TokenScores:
    """What a model thinks of tokens that it had to guess.

    Attributes:
        example: int, (tokens,): each one's text, by place.
        target: int, (tokens,): its id.
        log_likelihood: float, (tokens,): the natural logarithm of its probability.
        rank: int, (tokens,): how many tokens have a higher one.
        best: int, (tokens,): the likeliest token.
        probability: float, (tokens,): that token's probability.
        column: int, (tokens,): where in its text it stands.
        shown: int, (tokens,): what stood there in the model's input.
    """

    example: Array
    target: Array
    log_likelihood: Array
    rank: Array
    best: Array
    probability: Array
    column: Array
    shown: Array

    def __len__(self) -> int:
        return len(self.target)


def token_metrics(log_likelihoods: Array, ranks: Array) -> dict[str, float]:
    """Computes what language models are measured by.

    Args:
        log_likelihoods: float, (tokens,): natural logarithms.
        ranks: int, (tokens,): how many tokens are likelier.

    Returns:
        `loss`, the mean cross-entropy; `perplexity`, its exponential; `accuracy`; and
        `top_5_accuracy`, the share of tokens that are among the five likeliest.

    Raises:
        DataError: There is no token.

    Example:
        >>> metrics = token_metrics(np.log([0.5, 0.125]), np.array([0, 7]))
        >>> {name: round(value, 4) for name, value in metrics.items()}
        {'loss': 1.3863, 'perplexity': 4.0, 'accuracy': 0.5, 'top_5_accuracy': 0.5}
    """
    if not len(ranks):
        raise DataError(
            "There must be at least one token to guess. Received: none. Take more or longer texts."
        )
    loss = float(-np.asarray(log_likelihoods, np.float64).mean())
    return {
        "loss": loss,
        "perplexity": float(np.exp(min(loss, 700.0))),
        "accuracy": float((ranks == 0).mean()),
        "top_5_accuracy": float((ranks < _FEW).mean()),
    }


def language_model_report(
    scores: TokenScores,
    *,
    texts: Sequence[str],
    sections: Sequence[Section] = (),
    title: str = "Language model's report",
) -> Report:
    """Says how well a model guesses tokens.

    Args:
        scores: What it thinks of them.
        texts: The texts that they are of.
        sections: What there is to show besides.
        title: The heading of the page.

    Returns:
        Metrics (see `token_metrics`), over all tokens and, in `predictions.jsonl`, for each text.

    Raises:
        DataError: There is no token.
    """
    metrics = token_metrics(scores.log_likelihood, scores.rank)
    order = np.argsort(scores.example, kind="stable")
    cuts = np.searchsorted(scores.example[order], np.arange(len(texts) + 1))
    records = []
    for index, text in enumerate(texts):
        own = order[cuts[index] : cuts[index + 1]]
        measured = token_metrics(scores.log_likelihood[own], scores.rank[own]) if len(own) else {}
        short = {name: round(measured[name], 6) for name in ("loss", "accuracy") if measured}
        records.append({"text": str(text), "tokens": len(own), **short})
    return Report(
        title=title,
        metrics=metrics,
        sections=sections,
        predictions=records,
        notes=[f"Measured on {len(scores):,} tokens of {len(texts):,} texts."],
        headline=("perplexity", "accuracy"),
        examples=_per_text(scores, len(texts)),
    )


def _per_text(scores: TokenScores, count: int) -> ExampleScores:
    """Gives what each text adds to the perplexity."""
    losses = np.bincount(scores.example, weights=-scores.log_likelihood, minlength=count)
    tokens = np.bincount(scores.example, minlength=count)
    return ExampleScores("perplexity", losses, tokens, "exponential", lower_is_better=True)


def by_kind(scores: TokenScores, kinds: Array, *, title: str, column: str) -> Table:
    """Measures tokens of several kinds apart.

    Args:
        scores: What a model thinks of them.
        kinds: str, (tokens,): the kind of each.
        title: The table's heading.
        column: What the kinds are of.

    Returns:
        A row for each kind that occurs.
    """
    rows = []
    for kind in dict.fromkeys(sorted(map(str, kinds))):
        own = kinds == kind
        measured = token_metrics(scores.log_likelihood[own], scores.rank[own])
        rows.append((kind, int(own.sum()), measured["accuracy"], measured["perplexity"]))
    return Table(title, (column, "tokens", "accuracy", "perplexity"), rows)
