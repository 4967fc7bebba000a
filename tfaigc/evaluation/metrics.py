"""Numbers that say how good a classifier is."""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]


_ABBREVIATIONS: Final = {
    name: name.upper()
    for name in ("f1", "mae", "mse", "rmse", "ece", "roc", "auc", "bleu", "rouge", "l")
} | {"chrf": "chrF"}


def metric_title(name: str) -> str:
    """Writes a metric's name as people do.

    Example:
        >>> metric_title("macro_f1"), metric_title("rmse"), metric_title("pearson")
        ('macro F1', 'RMSE', 'Pearson')
    """
    words = [_ABBREVIATIONS.get(word, word) for word in name.split("_")]
    return " ".join(word.title() if word in ("pearson", "spearman") else word for word in words)


def classification_metrics(references: Array, probabilities: Array) -> dict[str, float]:
    """Computes the metrics of single-label classification.

    F1, precision and recall are scikit-learn's, averaged over the classes that occur among the
    references or the predictions; a class without predictions counts 0. `balanced_accuracy` is
    the mean recall of the classes among the references. `accuracy_low` and `accuracy_high` bound
    the accuracy with 95 % confidence (`wilson_interval`); `ece` is the expected calibration error
    (`calibration_bins`). With two classes, both of them among the references, there are also
    `roc_auc` and `average_precision` of the second class.

    Args:
        references: int, (examples,): the true classes.
        probabilities: float, (examples, classes).

    Returns:
        The metrics by name, as plain floats.

    Example:
        >>> metrics = classification_metrics(
        ...     np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
        ... )
        >>> round(metrics["accuracy"], 4), round(metrics["macro_f1"], 4)
        (0.6667, 0.6667)
    """
    from sklearn.metrics import precision_recall_fscore_support as scores

    predicted = probabilities.argmax(axis=1)
    correct = predicted == references
    low, high = wilson_interval(int(correct.sum()), len(correct))
    macro = scores(references, predicted, average="macro", zero_division=0)
    weighted = scores(references, predicted, average="weighted", zero_division=0)
    micro = scores(references, predicted, average="micro", zero_division=0)
    recalls = [correct[references == each].mean() for each in np.unique(references)]
    metrics = {
        "accuracy": correct.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": np.mean(recalls),
        "macro_f1": macro[2],
        "micro_f1": micro[2],
        "weighted_f1": weighted[2],
        "macro_precision": macro[0],
        "macro_recall": macro[1],
        "log_loss": log_loss(references, probabilities),
        "ece": expected_calibration_error(probabilities.max(axis=1), correct),
    }
    if probabilities.shape[1] == 2:
        metrics |= _ranking_metrics(references, probabilities[:, 1])
    return {name: float(value) for name, value in metrics.items()}


def log_loss(references: Array, probabilities: Array) -> float:
    """Computes the mean negative log-likelihood of the true classes.

    Args:
        references: int, (examples,).
        probabilities: float, (examples, classes).

    Returns:
        The loss in nats; a probability of 0 counts as the smallest that float32 tells from 0.
    """
    of_truth = np.take_along_axis(probabilities, references[:, None], axis=1)[:, 0]
    return float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean())


def wilson_interval(successes: int, trials: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Bounds a proportion by Wilson's score interval (Wilson, 1927, JASA 22).

    Unlike a bootstrap it needs no random numbers, and it stays right for few trials and for
    proportions near 0 and 1, where resampling gives an interval of no width.

    Args:
        successes: How often it happened.
        trials: How often it could have.
        z: The normal quantile of the confidence; 1.96 for 95 %.

    Returns:
        The lower and the upper bound.

    Example:
        >>> low, high = wilson_interval(90, 100)
        >>> round(low, 3), round(high, 3)
        (0.826, 0.945)
    """
    share = successes / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)


def calibration_bins(
    confidences: Array, correct: Array, *, num_bins: int = 15
) -> tuple[Array, Array, Array]:
    """Sorts predictions into bins of equal width by how sure the model was.

    Args:
        confidences: float, (examples,): the probability of the predicted class.
        correct: bool, (examples,).
        num_bins: Bins between 0 and 1; each holds its upper edge.

    Returns:
        counts, mean confidences, accuracies: (bins,) each; the last two are 0 in empty bins.
    """
    bins = np.clip(np.ceil(confidences * num_bins).astype(int) - 1, 0, num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    divisor = np.maximum(counts, 1)
    confidence = np.bincount(bins, weights=confidences, minlength=num_bins) / divisor
    accuracy = np.bincount(bins, weights=correct, minlength=num_bins) / divisor
    return counts, confidence, accuracy


def expected_calibration_error(confidences: Array, correct: Array, *, num_bins: int = 15) -> float:
    """Computes how far confidence and accuracy are apart (Guo et al., 2017, arXiv:1706.04599).

    Args:
        confidences: float, (examples,): the probability of the predicted class.
        correct: bool, (examples,).
        num_bins: Bins between 0 and 1.

    Returns:
        The mean distance over the bins, weighted by their counts.
    """
    counts, confidence, accuracy = calibration_bins(confidences, correct, num_bins=num_bins)
    return float((counts * np.abs(confidence - accuracy)).sum() / counts.sum())


def _ranking_metrics(references: Array, scores: Array) -> dict[str, float]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    if len(np.unique(references)) < 2:
        return {}
    return {
        "roc_auc": roc_auc_score(references, scores),
        "average_precision": average_precision_score(references, scores),
    }
