import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sklearn_metrics

from tfaigc.evaluation import classification_metrics
from tfaigc.evaluation.metrics import (
    calibration_bins,
    expected_calibration_error,
    log_loss,
    wilson_interval,
)


def example(num_classes, num_examples=300, seed=0):
    generator = np.random.default_rng(seed)
    references = generator.integers(0, num_classes, num_examples)
    logits = generator.normal(size=(num_examples, num_classes))
    logits[np.arange(num_examples), references] += 1.0
    exponents = np.exp(logits)
    return references, exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("num_classes", [2, 3, 20])
def test_equal_to_scikit_learn(num_classes):
    references, probabilities = example(num_classes)
    predicted = probabilities.argmax(axis=1)
    metrics = classification_metrics(references, probabilities)

    expected = {
        "accuracy": sklearn_metrics.accuracy_score(references, predicted),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(references, predicted),
        "log_loss": sklearn_metrics.log_loss(references, probabilities),
    }
    for average in ("macro", "micro", "weighted"):
        f1 = sklearn_metrics.f1_score(references, predicted, average=average)
        expected[f"{average}_f1"] = f1
    precision = sklearn_metrics.precision_score(references, predicted, average="macro")
    recall = sklearn_metrics.recall_score(references, predicted, average="macro")
    expected |= {"macro_precision": precision, "macro_recall": recall}
    if num_classes == 2:
        scores = probabilities[:, 1]
        expected["roc_auc"] = sklearn_metrics.roc_auc_score(references, scores)
        average_precision = sklearn_metrics.average_precision_score(references, scores)
        expected["average_precision"] = average_precision
    assert {name: metrics[name] for name in expected} == pytest.approx(expected)
    assert set(metrics) - set(expected) == {"accuracy_low", "accuracy_high", "ece"}
    assert all(type(value) is float for value in metrics.values())


def test_one_class_among_the_references():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6]])
    metrics = classification_metrics(np.array([0, 0]), probabilities)
    assert metrics["accuracy"] == metrics["balanced_accuracy"] == 0.5
    assert "roc_auc" not in metrics
    assert all(np.isfinite(value) for value in metrics.values())


def test_log_loss_of_a_certain_error_is_finite():
    assert 80 < log_loss(np.array([0]), np.array([[0.0, 1.0]])) < 90


@pytest.mark.parametrize(("successes", "trials"), [(90, 100), (0, 10), (10, 10), (1, 3)])
def test_wilson_interval_is_that_of_scipy(successes, trials):
    bounds = binomtest(successes, trials).proportion_ci(method="wilson")
    expected = (bounds.low, bounds.high)
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=1e-6)


def test_wilson_interval_covers_the_truth():
    generator = np.random.default_rng(0)
    for share, trials in ((0.9, 40), (0.5, 25)):
        counts = generator.binomial(trials, share, 2000)
        bounds = np.array([wilson_interval(int(count), trials) for count in counts])
        covered = ((bounds[:, 0] <= share) & (share <= bounds[:, 1])).mean()
        assert 0.93 < covered < 0.98


def test_calibration_by_hand():
    confidences = np.array([0.55, 0.6, 0.95, 1.0])
    correct = np.array([True, False, True, True])
    counts, confidence, accuracy = calibration_bins(confidences, correct, num_bins=10)
    assert counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert confidence[[5, 9]] == pytest.approx([0.575, 0.975])
    assert accuracy[[5, 9]] == pytest.approx([0.5, 1.0])
    error = expected_calibration_error(confidences, correct, num_bins=10)
    assert error == pytest.approx((2 * 0.075 + 2 * 0.025) / 4)


def test_the_ends_of_the_range_have_bins():
    counts, _, _ = calibration_bins(np.array([0.0, 1.0]), np.array([True, True]), num_bins=3)
    assert counts.tolist() == [1, 0, 1]
