"""Medians, ratios of medians, and the Markdown that states them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from harness.contenders import CONTENDERS
from harness.machine import in_words
from harness.works import WORKS

# Figure, heading, format, and what a ratio of it is called, if one is taken. A work's table has
# those that its runs have.
FIGURES: Final = (
    ("train_per_second", "training, {unit}/s", "{:.1f}", "training"),
    (
        "whole_train_per_second",
        "with tokenizing and first step, {unit}/s",
        "{:.1f}",
        "training with tokenizing and first step",
    ),
    ("infer_per_second", "inference, {unit}/s", "{:.1f}", "inference"),
    (
        "train_cpu_ms",
        "training, CPU ms per {one}",
        "{:.1f}",
        "training, CPU time (less is better)",
    ),
    (
        "infer_cpu_ms",
        "inference, CPU ms per {one}",
        "{:.1f}",
        "inference, CPU time (less is better)",
    ),
    ("peak_memory_mib", "peak memory, MiB", "{:.0f}", "peak memory (less is better)"),
    ("first_step_seconds", "first step, s", "{:.1f}", None),
    ("train_amount", "{unit} trained on", "{:.0f}", None),
    ("steps", "optimizer steps", "{:.0f}", None),
    ("test_accuracy", "test accuracy", "{:.3f}", None),
    ("test_entity_f1", "test entity F1", "{:.3f}", None),
    ("test_loss", "test loss", "{:.3f}", None),
)
# What is told of each run as it ends.
_BRIEF: Final = ("train_per_second", "infer_per_second", "peak_memory_mib", "test_")


def in_a_line(figures: Mapping[str, float], unit: str) -> str:
    """Says the most important figures of a run.

    Example:
        >>> in_a_line({"train_per_second": 9.5, "steps": 4, "test_loss": 1.25}, "tokens")
        'training, tokens/s 9.5   test loss 1.250'
    """
    return "   ".join(
        f"{heading.format(**_units(unit))} {form.format(figures[figure])}"
        for figure, heading, form, _ in FIGURES
        if figure in figures and figure.startswith(_BRIEF)
    )


def medians(runs: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Takes runs to the median of each figure by contender, in order of appearance.

    Example:
        >>> runs = [{"contender": "tfaigc", "figures": {"test_accuracy": x}} for x in (1, 3, 2)]
        >>> medians(runs)
        {'tfaigc': {'test_accuracy': 2}}
    """
    values: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        of_contender = values.setdefault(run["contender"], {})
        for name, value in run["figures"].items():
            of_contender.setdefault(name, []).append(value)
    return {
        contender: {name: statistics.median(series) for name, series in figures.items()}
        for contender, figures in values.items()
    }


def ratios(middle: Mapping[str, Mapping[str, float]], figure: str) -> dict[str, float]:
    """Divides the first contender's median by each other one's.

    Example:
        >>> ratios({"a": {"speed": 6.0}, "b": {"speed": 4.0}}, "speed")
        {'b': 1.5}
    """
    first, *others = middle
    return {other: middle[first][figure] / middle[other][figure] for other in others}


def to_markdown(results: Mapping[str, Any]) -> str:
    """Writes the results as two tables, with the machine and the settings under them."""
    runs = results["runs"]
    if not runs:
        return "No run has ended.\n"
    middle = medians(runs)
    counts = {name: sum(run["contender"] == name for run in runs) for name in middle}
    parts = [_figures_table(runs, middle, WORKS[results["data"]].unit), ""]
    if len(middle) > 1:
        parts += [_ratios_table(middle), ""]
    parts.append(_small_print(results, min(counts.values())))
    return "\n".join(parts) + "\n"


def _figures_table(
    runs: Sequence[Mapping[str, Any]], middle: Mapping[str, Mapping[str, float]], unit: str
) -> str:
    precisions = {run["contender"]: run["notes"]["precision"] for run in runs}
    rows = [
        ["", *(CONTENDERS[name].title for name in middle)],
        ["precision", *(precisions[name] for name in middle)],
    ]
    for figure, heading, form, _ in _had(middle):
        cells = []
        for name in middle:
            series = [run["figures"][figure] for run in runs if run["contender"] == name]
            low, high = form.format(min(series)), form.format(max(series))
            spread = f" ({low} to {high})" if low != high else ""
            cells.append(form.format(middle[name][figure]) + spread)
        rows.append([heading.format(**_units(unit)), *cells])
    return _table(rows)


def _ratios_table(middle: Mapping[str, Mapping[str, float]]) -> str:
    first, *others = middle
    title = CONTENDERS[first].title
    rows = [["", *(f"{title} / {CONTENDERS[name].title}" for name in others)]]
    for figure, _, _, called in _had(middle):
        if called:
            rows.append([called, *(f"{value:.2f}" for value in ratios(middle, figure).values())])
    return _table(rows)


def _had(middle: Mapping[str, Mapping[str, float]]) -> list[tuple[str, str, str, str | None]]:
    """Lists the figures that all contenders have."""
    return [each for each in FIGURES if all(each[0] in figures for figures in middle.values())]


def _units(unit: str) -> dict[str, str]:
    return {"unit": unit, "one": unit.removesuffix("s")}


def _small_print(results: Mapping[str, Any], pairs: int) -> str:
    job = results["job"]
    whole = (
        ""
        if results["complete_data"]
        else " A part of the texts: the quality hangs on the seeds of so few batches."
    )
    return (
        f"Medians (least to most) of {pairs} interleaved runs each, ratios of medians; "
        f"{results['data']}, {results['train_rows']} to train on and "
        f"{results['test_rows']} to test, "
        f"{job['epochs']} epoch{'s' * (job['epochs'] != 1)}, batch {job['batch_size']}, "
        f"max_length {job['max_length']}, "
        f"learning rate {job['learning_rate']:g}; {in_words(results['machine'])}; "
        f"{results['started'][:10]}, revision {results['revision']}.{whole}"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(rows[0])
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:]))
