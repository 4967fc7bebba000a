"""``tfaigc check``: whether a stock TensorFlow Serving would serve a SavedModel."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.errors import ExportError
from tfaigc.export import latest_version
from tfaigc.workflows.screen import Screen

_BATCHES = (1, 8, 32)
_RUNS = 20
# What models that record no questions are asked; a tf.Example without features is no bytes at all.
_TEXT = "A gorgeous film."
_ANY_SIZE = 8

Question = tuple[str, Mapping[str, Any]]


def check(directory: str, *, server_version: str | None = None, screen: Screen) -> None:
    """Reads a SavedModel as a server's keeper would, then runs it as a server does.

    Args:
        directory: A model's directory, whose newest version counts, or one version of it.
        server_version: The TensorFlow Serving that is to load it, such as "2.20"; None: one of
            the version that exported it.
        screen: Where findings go.

    Raises:
        ExportError: A server would fail on it, or answer otherwise than was recorded.
    """
    from tfaigc.export.fresh_process import run_questions, time_questions
    from tfaigc.export.linting import Finding, lint
    from tfaigc.export.recorded import read_recorded
    from tfaigc.export.saved_model import verify
    from tfaigc.export.warm_up import read_warm_up

    version = latest_version(directory)
    server = _parse(server_version) if server_version else _exporter(version)
    screen.result_fact("SavedModel", str(version))
    screen.result_fact("server", f"TensorFlow Serving {'.'.join(map(str, server))}")
    findings = lint(version, server=server)
    if not any(each.is_error for each in findings):
        try:
            requests, recorded = read_warm_up(version), read_recorded(version)
            run_questions(version, requests)
            screen.result_fact("warm-up", f"{len(requests)} requests answered")
            verify(version, recorded)
            screen.result_fact("recorded", f"{len(recorded)} questions answered as recorded")
        except ExportError as error:
            findings.append(Finding(True, str(error)))
    if not any(each.is_error for each in findings):
        questions, is_recorded = _questions(version, recorded)
        try:
            seconds = time_questions(version, questions, runs=_RUNS)
            screen.result_fact("latency", _latencies(questions, seconds))
        except ExportError as error:
            text = str(error) if is_recorded else f"Made-up inputs were not answered: {error}"
            findings.append(Finding(is_recorded, text))
    for finding in findings:
        screen.result_fact("error" if finding.is_error else "warning", finding.text)
    errors = sum(each.is_error for each in findings)
    if errors:
        raise ExportError(
            f"{version} must load and answer in TensorFlow Serving. Received: {errors} "
            f"error{'s' if errors > 1 else ''}, listed above. Mend the model, and export it again."
        )
    screen.result(f"{version}: no errors, {len(findings)} warnings")
    screen.next_command("serve", str(version.parent))


def _parse(text: str) -> tuple[int, int]:
    parts = text.split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isdigit() for part in parts):
        raise ExportError(
            f"server_version must be two numbers. Received: {text!r}. Pass 2.20, say."
        )
    return int(parts[0]), int(parts[1])


def _exporter(version: Path) -> tuple[int, int]:
    """Finds the version of the TensorFlow that wrote a SavedModel, or is here."""
    import tensorflow as tf

    from tfaigc.export.inspection import read_meta_graph

    try:
        made = read_meta_graph(version).meta_info_def.tensorflow_version
        return _parse(".".join(made.split(".")[:2]))
    except Exception:  # What is wrong with the file, the lines that follow say.
        return _parse(".".join(tf.__version__.split(".")[:2]))


def _questions(version: Path, recorded: Any) -> tuple[list[Question], bool]:
    """Makes questions to the default signature, of each batch size; says if they were recorded."""
    from tfaigc.export.contract import EXAMPLE_CALLS
    from tfaigc.export.inspection import describe_signatures, read_meta_graph

    signatures = describe_signatures(read_meta_graph(version))
    name = "serving_default" if "serving_default" in signatures else next(iter(signatures))
    described = signatures[name]["inputs"]
    known: Mapping[str, Any] = next(
        (each.inputs for each in recorded if each.signature == name), {}
    )
    text = b"" if name in EXAMPLE_CALLS else _TEXT
    inputs = known or {key: _made_up(each, text) for key, each in described.items()}
    questions: list[Question] = [
        (name, {key: _rows(inputs[key], described[key]["shape"], size) for key in inputs})
        for size in _BATCHES
    ]
    return questions, bool(known)


def _rows(values: Any, shape: Sequence[int | None], size: int) -> np.ndarray:
    """Takes so many rows, where an input has any number of them."""
    array = np.asarray(values)
    return array[np.arange(size) % len(array)] if shape and shape[0] is None else array


def _made_up(described: Mapping[str, Any], text: str | bytes) -> Any:
    """Makes an input; one row of it, where there may be any number."""
    sizes = described["shape"]
    shape = [_ANY_SIZE if size is None else size for size in sizes]
    if sizes and sizes[0] is None:
        shape[0] = 1
    if described["dtype"] == "string":
        return np.full(shape, text, object)
    return np.zeros(shape, described["dtype"])


def _latencies(questions: list[Question], seconds: list[list[float]]) -> str:
    shown = [
        f"{statistics.median(times) * 1e3:.1f} ms for {size}"
        for size, times in zip(_BATCHES, seconds, strict=True)
    ]
    return f"{questions[0][0]}: {', '.join(shown)} (medians of {_RUNS})"
