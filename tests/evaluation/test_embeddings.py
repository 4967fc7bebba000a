"""Reports on vectors: numbers by hand, and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

from tfaigc.evaluation import match_report, neighbour_report, pair_report, similarity_report
from tfaigc.evaluation.retrieval import retrieval_metrics


def on_circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1) * 3


def test_retrieval_by_hand() -> None:
    texts = on_circle(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110)
    relevant = [np.array([0]), np.array([2, 11]), np.array([11])]
    metrics = retrieval_metrics(on_circle(1, 12, 2), texts, relevant)
    assert metrics["accuracy_at_1"] == pytest.approx(1 / 3)
    assert metrics["accuracy_at_5"] == pytest.approx(2 / 3)
    assert metrics["recall_at_5"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    # 12 degrees: 10 comes first, then 20, the second text's.
    assert metrics["mrr_at_10"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    best = 1 + 1 / np.log2(3)
    assert metrics["ndcg_at_10"] == pytest.approx((1 + (1 / np.log2(3)) / best + 0) / 3)


def test_ndcg_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    random = np.random.default_rng(2)
    queries, texts = random.normal(size=(7, 5)), random.normal(size=(40, 5))
    gains = random.random((7, 40)) < 0.2
    metrics = retrieval_metrics(queries, texts, [np.flatnonzero(row) for row in gains])
    cosines = queries @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T
    assert metrics["ndcg_at_10"] == pytest.approx(ndcg_score(gains, cosines, k=10))


def test_scored_pairs() -> None:
    vectors = np.stack([on_circle(0, 0, 0, 0), on_circle(0, 60, 90, 180)], axis=1)
    scores = np.array([1.0, 0.4, 0.1, -1.0], np.float32)
    report = similarity_report(scores, vectors, [["a", "b"]] * 4)
    assert report.metrics["spearman"] == pytest.approx(1)
    assert report.metrics["mae"] == pytest.approx((0 + 0.1 + 0.1 + 0) / 4, abs=1e-6)
    assert report.predictions[1]["cosine"] == pytest.approx(0.5)
    assert "Largest errors" in report.to_markdown()


def test_labelled_pairs() -> None:
    vectors = np.stack([on_circle(*[0] * 5), on_circle(5, 20, 30, 80, 90)], axis=1)
    report = match_report(np.array([1, 1, 0, 1, 0]), vectors, [["a", "b"]] * 5)
    assert report.metrics["accuracy"] == pytest.approx(4 / 5)
    assert report.metrics["average_precision"] == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert report.metrics["f1"] == pytest.approx(6 / 7)
    assert report.metrics["roc_auc"] == pytest.approx(5 / 6)
    ties = match_report(np.array([1, 0]), vectors[[0, 0]], [["a", "b"]] * 2)
    assert ties.metrics["accuracy"] == pytest.approx(1 / 2)


def test_pairs_and_triplets() -> None:
    vectors = np.stack([on_circle(0, 40, 80), on_circle(1, 41, 46), on_circle(9, 8, 82)], axis=1)
    texts = [[f"{what} {row}" for what in "abc"] for row in range(3)]
    report = pair_report(vectors, texts)
    assert report.metrics["accuracy_at_1"] == pytest.approx(2 / 3)
    assert report.metrics["triplet_accuracy"] == pytest.approx(2 / 3)
    assert "| a 2 | b 2 | c 2 |" in report.to_markdown()
    # A text that several anchors have counts for each of them, and is one candidate.
    shared = pair_report(vectors[:2, :2], [["a", "x"], ["b", "x"]])
    assert shared.metrics["accuracy_at_1"] == 1
    assert "1 candidates" in shared.to_markdown()


def test_labelled_texts() -> None:
    vectors = on_circle(0, 10, 50, 60, 66, 90)
    report = neighbour_report(np.array([0, 0, 1, 1, 0, 2]), vectors, list("abcdef"))
    assert report.metrics["accuracy_at_1"] == pytest.approx(3 / 5)
    assert "1 of them are the only ones" in report.to_markdown()
    assert "| d | e |" in report.to_markdown()
    assert not neighbour_report(np.array([0, 1]), on_circle(0, 9), ["a", "b"]).metrics
