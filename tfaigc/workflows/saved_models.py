"""Exported SavedModels, asked in a process that has TensorFlow alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfaigc.errors import ExportError
from tfaigc.export import latest_version, read_metadata
from tfaigc.export.fresh_process import run_questions


def is_saved_model(path: str) -> bool:
    """Says whether a path is an export's directory or one version of it.

    Args:
        path: What the user named.

    Returns:
        False also where there is nothing at all.
    """
    try:
        latest_version(path)
    except ExportError:
        return False
    return True


def ask_saved_model(
    directory: str, questions: Sequence[Mapping[str, str]], *, batch_size: int = 64
) -> list[dict[str, Any]]:
    """Asks an exported classifier.

    Args:
        directory: An export's directory (its newest version answers) or one version of it.
        questions: Records with ``text`` and, for models of pairs, ``text_pair``.
        batch_size: Records per call.

    Returns:
        For each record a dict with ``label``, ``score`` and ``probabilities`` by label, as the
        model's own ``infer`` gives.

    Raises:
        ExportError: It cannot be asked.
    """
    version = latest_version(directory)
    labels = list(read_metadata(version).get("labels") or [])
    batches = [questions[at : at + batch_size] for at in range(0, len(questions), batch_size)]
    fields = list(questions[0])
    asked = [
        ("serving_default", {field: [each[field] for each in batch] for field in fields})
        for batch in batches
    ]
    return [
        answer
        for outputs in run_questions(Path(version), asked)
        for answer in _rows(outputs, labels)
    ]


def _rows(outputs: Mapping[str, Any], labels: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for label, score, probabilities in zip(
        outputs["label"], outputs["score"], outputs["probabilities"], strict=True
    ):
        names = labels or [str(index) for index in range(len(probabilities))]
        rows.append(
            {
                "label": label.decode(),
                "score": float(score),
                "probabilities": dict(zip(names, map(float, probabilities), strict=True)),
            }
        )
    return rows
