"""The report of a model that predicts numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tfaigc.errors import DataError
from tfaigc.evaluation.arguments import Array, check_texts, counted, texts_of
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.plots.scatter import draw_scatter
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Figure, Section, Table

_MOST_EXAMPLES_SHOWN: Final = 10


def regression_report(
    *,
    names: Sequence[str],
    references: Array,
    predictions: Array,
    texts: Sequence[str] | None = None,
    title: str = "Regression report",
) -> Report:
    """Compares predicted numbers with the true ones.

    Args:
        names: A name for each number of an example.
        references: float, (examples, numbers).
        predictions: float, (examples, numbers).
        texts: What the numbers are about, for the list of errors and `predictions.jsonl`.
        title: The heading of the page.

    Returns:
        Metrics (see `regression_metrics`), a scatter plot and the largest errors; with several
        numbers also a table of each one's metrics.

    Raises:
        DataError: The arguments do not fit together.
    """
    references, predictions = _check(names, references, predictions, texts)
    sections: list[Section] = []
    if len(names) > 1:
        sections.append(_per_number(names, references, predictions))
    sections.append(
        Figure(
            title="Predictions",
            name="scatter",
            draw=lambda: draw_scatter(references, predictions, names),
            description="Each example's prediction over its true value",
        )
    )
    if texts is not None:
        sections.append(_largest_errors(names, references, predictions, texts))
    records = [
        {
            **texts_of(texts, index),
            "reference": _plain(references[index]),
            "predicted": _plain(predictions[index]),
        }
        for index in range(len(references))
    ]
    metrics = regression_metrics(references, predictions)
    return Report(
        title=title,
        metrics=metrics,
        sections=sections,
        predictions=records,
        notes=[f"Measured on {counted(references)}."],
        headline=[name for name in ("rmse", "pearson") if name in metrics],
        examples=squared_errors(references, predictions),
    )


def squared_errors(references: Array, predictions: Array) -> ExampleScores:
    """Gives what each example adds to `rmse`, or with several numbers to `mse`.

    Args:
        references: float, (examples, numbers).
        predictions: float, (examples, numbers).
    """
    errors = np.mean((predictions - references) ** 2, axis=1)
    metric, scale = ("mse", "linear") if references.shape[1] > 1 else ("rmse", "root")
    return ExampleScores(metric, errors, np.ones(len(errors)), scale, lower_is_better=True)


def regression_metrics(references: Array, predictions: Array) -> dict[str, float]:
    """Computes errors and correlations.

    Args:
        references: float, (examples, numbers).
        predictions: float, (examples, numbers).

    Returns:
        `mae`, `mse`, `rmse`, `r2`, `pearson` and `spearman` (scipy's), each the mean over the
        numbers. What is not defined, as the correlation with numbers that are all the same, is
        left out.

    Example:
        >>> metrics = regression_metrics(np.array([[0.0], [1.0]]), np.array([[0.5], [1.0]]))
        >>> metrics["mae"], round(metrics["pearson"], 4)
        (0.25, 1.0)
    """
    errors = predictions - references
    metrics = {
        "mae": np.abs(errors).mean(),
        "mse": (errors**2).mean(),
        "rmse": np.sqrt((errors**2).mean(axis=0)).mean(),
    }
    if all(len(np.unique(column)) > 1 for column in references.T):
        metrics["r2"] = (1 - (errors**2).mean(axis=0) / references.var(axis=0)).mean()
        if all(len(np.unique(column)) > 1 for column in predictions.T):
            metrics |= _correlations(references, predictions)
    return {name: float(value) for name, value in metrics.items()}


def _correlations(references: Array, predictions: Array) -> dict[str, float]:
    from scipy.stats import pearsonr, spearmanr

    pairs = list(zip(references.T, predictions.T, strict=True))
    return {
        "pearson": float(np.mean([pearsonr(*pair).statistic for pair in pairs])),
        "spearman": float(np.mean([spearmanr(*pair).statistic for pair in pairs])),
    }


def _check(
    names: Sequence[str], references: Any, predictions: Any, texts: Sequence[str] | None
) -> tuple[Array, Array]:
    references = np.asarray(references, np.float64)
    predictions = np.asarray(predictions, np.float64)
    if (
        references.ndim != 2
        or references.shape != predictions.shape
        or references.shape[1] != len(names)
        or not len(references)
    ):
        raise DataError(
            "references and predictions must hold one row for each of at least one example. "
            f"Received: shapes {references.shape} and {predictions.shape} for {len(names)} "
            "numbers. Pass (examples, numbers) twice."
        )
    for name, values in (("references", references), ("predictions", predictions)):
        if not np.isfinite(values).all():
            raise DataError(
                f"{name} must be finite numbers. Received: "
                f"{int((~np.isfinite(values)).sum())} that are not. NaN in predictions comes from "
                "a model that diverged: lower its learning rate."
            )
    check_texts(texts, references)
    return references, predictions


def _per_number(names: Sequence[str], references: Array, predictions: Array) -> Table:
    columns = ("mae", "rmse", "r2", "pearson", "spearman")
    rows = []
    for index, name in enumerate(names):
        own = regression_metrics(references[:, [index]], predictions[:, [index]])
        rows.append((str(name), *(own.get(column) for column in columns)))
    return Table("Per number", ("number", *columns), rows)


def _largest_errors(
    names: Sequence[str], references: Array, predictions: Array, texts: Sequence[str]
) -> Table:
    errors = np.abs(predictions - references)
    worst = np.argsort(-errors, axis=None, kind="stable")[:_MOST_EXAMPLES_SHOWN]
    cells = zip(*np.unravel_index(worst, errors.shape), strict=True)
    rows = [
        (
            str(texts[example]),
            *((str(names[number]),) if len(names) > 1 else ()),
            float(references[example, number]),
            float(predictions[example, number]),
        )
        for example, number in cells
    ]
    columns = ("text", *(("number",) if len(names) > 1 else ()), "true", "predicted")
    return Table("Largest errors", columns, rows)


def _plain(row: Array) -> float | list[float]:
    numbers = [round(float(each), 6) for each in row]
    return numbers[0] if len(numbers) == 1 else numbers
