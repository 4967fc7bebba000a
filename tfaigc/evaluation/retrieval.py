"""How well texts are found by the direction of their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tfaigc.evaluation.metrics import Array

CUTS: Final = (1, 5, 10)
_DEPTH: Final = 10
# So many queries are compared with all texts at once.
_BLOCK: Final = 512


def normalized(vectors: Array) -> Array:
    """Scales vectors, (texts, width), to length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)


def retrieval_metrics(
    queries: Array, texts: Array, relevant: Sequence[Array], *, own: Array | None = None
) -> dict[str, float]:
    """Ranks texts by their cosine to each query.

    Args:
        queries: float, (queries, width).
        texts: float, (texts, width).
        relevant: For each query int, (any,): the texts that should be found; at least one.
        own: int, (queries,): a text that does not count, such as the query itself.

    Returns:
        Means over the queries: `accuracy_at_K`, whether one of the first K is relevant;
        `recall_at_K`, the share of the relevant among the first K; `mrr_at_10`, one over the place
        of the first relevant of 10; `ndcg_at_10` (Järvelin and Kekäläinen 2002, binary gains).

    Example:
        >>> one, two = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.1]])
        >>> retrieval_metrics(one, two, [np.array([0])])["mrr_at_10"]
        0.5
    """
    ranked = _rank(normalized(queries), normalized(texts), own)
    hits = np.stack([np.isin(row, wanted) for row, wanted in zip(ranked, relevant, strict=True)])
    counts = np.array([len(wanted) for wanted in relevant])
    metrics = {}
    for cut in CUTS:
        found = hits[:, :cut].sum(axis=1)
        metrics[f"accuracy_at_{cut}"] = (found > 0).mean()
        metrics[f"recall_at_{cut}"] = (found / counts).mean()
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)
    discounts = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    best = np.cumsum(discounts)[np.minimum(counts, hits.shape[1]) - 1]
    metrics |= {"mrr_at_10": first.mean(), "ndcg_at_10": ((hits * discounts).sum(1) / best).mean()}
    return {name: float(value) for name, value in metrics.items()}


def nearest(queries: Array, texts: Array, *, own: Array | None = None) -> Array:
    """Finds the text with the greatest cosine to each query: int, (queries,)."""
    found: Array = _rank(normalized(queries), normalized(texts), own)[:, 0]
    return found


def _rank(queries: Array, texts: Array, own: Array | None) -> Array:
    """Lists each query's nearest texts, the nearest first: int, (queries, up to 10)."""
    depth = min(_DEPTH, len(texts) - (own is not None))
    parts = []
    for start in range(0, len(queries), _BLOCK):
        scores = queries[start : start + _BLOCK] @ texts.T
        if own is not None:
            scores[np.arange(len(scores)), own[start : start + _BLOCK]] = -np.inf
        # Of equal ones the first counts, on every machine.
        parts.append(np.argsort(-scores, axis=1, kind="stable")[:, :depth])
    return np.concatenate(parts)
