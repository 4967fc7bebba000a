"""Runs the verifier script on a SavedModel in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.errors import ExportError
from tfaigc.export.verifier import decode, encode

VERIFIER = Path(__file__).with_name("verifier.py")
DEFAULT_TIMEOUT = 600.0


def run_questions(
    saved_model: Path,
    questions: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    timeout: float | None = DEFAULT_TIMEOUT,
) -> list[dict[str, np.ndarray]]:
    """Loads a SavedModel in a fresh process and runs inputs through its signatures.

    Args:
        saved_model: The version directory.
        questions: Pairs of a signature's name and its inputs by name.
        timeout: Seconds after which the process is ended; None for no limit.

    Returns:
        The outputs by name of each question; strings are bytes in arrays of dtype object.

    Raises:
        ExportError: The process crashed, took too long, or a question does not fit the model.
    """
    result = _ask(saved_model, questions, timeout=timeout)
    return [
        {name: decode(value) for name, value in outputs.items()} for outputs in result["answers"]
    ]


def time_questions(
    saved_model: Path,
    questions: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    runs: int,
    timeout: float | None = DEFAULT_TIMEOUT,
) -> list[list[float]]:
    """Measures how long a SavedModel takes for questions, in a fresh process; see `run_questions`.

    Args:
        saved_model: The version directory.
        questions: Pairs of a signature's name and its inputs by name.
        runs: How often each is asked, once it has been asked.
        timeout: Seconds after which the process is ended; None for no limit.

    Returns:
        For each question the seconds of each run.

    Raises:
        ExportError: The process crashed, took too long, or a question does not fit the model.
    """
    found: list[list[float]] = _ask(saved_model, questions, runs=runs, timeout=timeout)["seconds"]
    return found


def _ask(
    saved_model: Path,
    questions: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    runs: int = 0,
    timeout: float | None,
) -> dict[str, Any]:
    """Has the verifier answer; see its `answer_all`."""
    with tempfile.TemporaryDirectory(prefix="tfaigc-verify-") as folder:
        request, answers = Path(folder, "request.json"), Path(folder, "answers.json")
        content = {
            "saved_model": str(saved_model.absolute()),
            "questions": [
                {"signature": name, "inputs": _encode_inputs(inputs)} for name, inputs in questions
            ],
            "runs": runs,
        }
        request.write_text(json.dumps(content), encoding="utf-8")
        _run([sys.executable, str(VERIFIER), str(request), str(answers)], folder, timeout)
        result: dict[str, Any] = json.loads(answers.read_text(encoding="utf-8"))
    if "fault" in result:
        raise ExportError(result["fault"])
    return result


def _encode_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Encodes the inputs of one question."""
    encoded = {}
    for name, values in inputs.items():
        try:
            encoded[name] = encode(values)
        except (TypeError, ValueError) as error:
            raise ExportError(
                f"Input {name!r} must be numbers or strings, in lists of equal length. "
                f"Received: {error}. Make every row of one kind and one length."
            ) from error
    return encoded


def clean_environment() -> dict[str, str]:
    """Makes the environment of the fresh process: no GPU, quiet, no Python settings of ours.

    Returns:
        A copy of this process's environment with those changes.
    """
    environment = dict(os.environ)
    for name in ("PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONOPTIMIZE"):
        environment.pop(name, None)
    # A relative entry would mean another folder there. Absolute ones stay: on clusters they are
    # where TensorFlow itself comes from. The verifier shuts tfaigc and Keras out by name.
    entries = environment.pop("PYTHONPATH", "").split(os.pathsep)
    absolute = [entry for entry in entries if os.path.isabs(entry)]
    if absolute:
        environment["PYTHONPATH"] = os.pathsep.join(absolute)
    environment["PYTHONSAFEPATH"] = "1"
    environment["CUDA_VISIBLE_DEVICES"] = "-1"
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return environment


def _run(command: list[str], folder: str, timeout: float | None) -> None:
    """Runs the verifier; its output matters only when it fails."""
    try:
        finished = _finish(command, folder, timeout)
    except subprocess.TimeoutExpired as error:
        raise ExportError(
            f"The SavedModel must answer within {timeout:g} seconds in a fresh process. "
            "Received: no answer. Pass a larger timeout, or fewer and shorter examples."
        ) from error
    if finished.returncode != 0:
        raise ExportError(
            "The SavedModel must load and run in a fresh process that has TensorFlow and "
            f"tensorflow_text only. Received: {_ending(finished.returncode)}. Read the process's "
            f"last words and mend the exported functions:\n{_last_words(finished.stderr)}"
        )


def _finish(
    command: list[str], folder: str, timeout: float | None
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command in a clean environment to its end."""
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def _ending(return_code: int) -> str:
    """Says how a process ended."""
    if return_code >= 0:
        return f"exit status {return_code}"
    try:
        name = signal.Signals(-return_code).name
    except ValueError:
        name = f"signal {-return_code}"
    hint = " (often too little memory)" if name == "SIGKILL" else ""
    return f"an end by {name}{hint}"


def _last_words(stderr: bytes, lines: int = 20, width: int = 500) -> str:
    """Takes the end of what a process wrote to its error stream."""
    words = [line[:width] for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(words[-lines:]) or "(it wrote nothing)"
