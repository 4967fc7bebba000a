"""``tfaigc evaluate``: a trained model against labelled data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tfaigc.errors import DataError
from tfaigc.evaluation.metrics import metric_title
from tfaigc.workflows.kinds import kind_of_model
from tfaigc.workflows.models import find_model, load_model
from tfaigc.workflows.run_directory import check_writable
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.splits import read_examples, stored_labels

if TYPE_CHECKING:
    from tfaigc.evaluation import Report


def evaluate(
    model: str,
    data: str,
    *,
    columns: Mapping[str, str | None] = MappingProxyType({}),
    batch_size: int = 64,
    output_dir: str | None = None,
    screen: Screen,
) -> Report:
    """Measures a model on a data file.

    Args:
        model: The model's source, usually a directory that `train` wrote.
        data: A CSV, TSV or JSONL file, or a name that recipes know.
        columns: Our names of fields to the data's columns; see ``read_examples``.
        batch_size: Texts per step.
        output_dir: A new or empty directory for the report.
        screen: Where results go.

    Returns:
        The report.

    Raises:
        TfaigcError: The model or the data cannot be used.
    """
    if output_dir is not None:
        _check_empty(Path(output_dir))
    directory = find_model(model)
    kind = kind_of_model(directory).targets
    table, _ = read_examples(
        data,
        kind,
        columns=columns,
        names=stored_labels(directory),
        screen=screen,
    )
    loaded = load_model(model, screen=screen)
    report = loaded.report(table, batch_size=batch_size)
    show_report(report, Path(data).name, len(table), screen)
    if output_dir is not None:
        report.save(output_dir)
        screen.fact("written", f"{output_dir}: report.md, metrics.json, plots")
    screen.next_command("predict", model, *loaded.asked)
    return report


def show_report(report: Any, name: str, count: int, screen: Screen) -> None:
    """Prints a report's main numbers.

    Args:
        report: The report.
        name: What was measured on.
        count: How many examples that was.
        screen: Where they go.
    """
    shown = [f"{metric_title(key)} {report.metrics[key]:.4f}" for key in report.headline]
    screen.result(f"{name}: {', '.join(shown)} on {count:,} examples")


def _check_empty(path: Path) -> None:
    check_writable(path, "output_dir")
    if path.is_dir() and any(path.iterdir()):
        raise DataError(
            f"output_dir must be a new or empty directory. Received: {str(path)!r}, which holds "
            f"{sorted(each.name for each in path.iterdir())[0]}. Pass another one."
        )
