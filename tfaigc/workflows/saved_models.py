"""Exported SavedModels, asked in a process that has TensorFlow alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfaigc.errors import ExportError
from tfaigc.export import latest_version, read_metadata
from tfaigc.export.fresh_process import run_questions
from tfaigc.tagging import scheme_of_labels


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
    directory: str, questions: Sequence[Mapping[str, Any]], *, batch_size: int = 64
) -> list[dict[str, Any]]:
    """Asks an exported model.

    Args:
        directory: An export's directory (its newest version answers) or one version of it.
        questions: Records with what the model reads, such as ``text``; what else they have is
            not asked about.
        batch_size: Records per call.

    Returns:
        For each record what the model's own ``infer`` gives; or, of a language model, the
        SavedModel's outputs.

    Raises:
        ExportError: It cannot be asked.
    """
    version = latest_version(directory)
    metadata = read_metadata(version)
    labels = list(metadata.get("labels") or [])
    rows = _listed if metadata.get("task") == "token_classification" else _rows
    fields = metadata["export"]["signatures"]["serving_default"]["inputs"]
    if "images" in fields:
        questions = [_with_image(each) for each in questions]
    batches = [questions[at : at + batch_size] for at in range(0, len(questions), batch_size)]
    missing = [field for field in fields if field not in questions[0]]
    if missing:
        raise ExportError(
            f"This SavedModel must be asked for {', '.join(fields)}. Received: "
            f"{', '.join(questions[0])}. Give {', '.join(missing)} too."
        )
    asked = [
        ("serving_default", {field: _filled([each[field] for each in batch]) for field in fields})
        for batch in batches
    ]
    answers = [
        answer
        for outputs in run_questions(Path(version), asked)
        for answer in rows(outputs, labels)
    ]
    if "choices" in fields:
        for answer, question in zip(answers, questions, strict=True):
            del answer["probabilities"][len(question["choices"]) :]
    return answers


def _with_image(question: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the image that a question names."""
    path = Path(question.get("image", question.get("text", "")))
    if not path.is_file():
        raise ExportError(
            "This SavedModel must be asked about images. Received: no image in the file "
            f"{str(path)!r}. Check the path."
        )
    return {"images": path.read_bytes()}


def _filled(values: list[Any]) -> list[Any]:
    """Fills lists up with empty strings, to the longest."""
    if not isinstance(values[0], list):
        return values
    most = max(map(len, values))
    return [[*each, *[""] * (most - len(each))] for each in values]


def _rows(outputs: Mapping[str, Any], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Gives each row of a SavedModel's outputs the form that ``infer`` gives."""
    count = len(next(iter(outputs.values())))
    return [
        dict(_entry(name, values[row], labels) for name, values in outputs.items())
        for row in range(count)
    ]


def _listed(outputs: Mapping[str, Any], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Gives what a SavedModel lists of each text the form that ``infer`` gives."""
    name = "words" if scheme_of_labels(labels) is None else "entities"
    answers: list[dict[str, Any]] = []
    for row in range(len(outputs["label"])):
        values = {key: outputs[key][row].tolist() for key in outputs}
        pieces = [
            dict(zip(values, each, strict=True)) for each in zip(*values.values(), strict=True)
        ]
        answers.append({name: [_decoded(each) for each in pieces if each["label"]]})
    return answers


def _decoded(piece: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.decode() if isinstance(value, bytes) else value for name, value in piece.items()
    }


def _entry(name: str, value: Any, labels: Sequence[str]) -> tuple[str, Any]:
    if isinstance(value, bytes):
        return name, value.decode()
    if not isinstance(value, Sequence) and not getattr(value, "shape", ()):
        return name, value.item() if hasattr(value, "item") else float(value)
    listed = list(value)
    if listed and isinstance(listed[0], bytes):
        # Fewer names than fit are filled up with empty ones.
        return name, [each.decode() for each in listed if each]
    if not labels:
        return name, [float(each) for each in listed]
    by_name = dict(zip(labels, map(float, listed), strict=True))
    return "scores" if name == "score" else name, by_name
