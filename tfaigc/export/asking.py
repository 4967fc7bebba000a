"""Asks an exported model in a fresh process, without the code that made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.export.fresh_process import DEFAULT_TIMEOUT, run_questions
from tfaigc.export.versions import latest_version


def ask(
    directory: str | Path,
    inputs: Mapping[str, Any],
    *,
    signature: str = "serving_default",
    timeout: float | None = DEFAULT_TIMEOUT,
) -> dict[str, list[Any]]:
    """Runs inputs through an exported SavedModel in a process with TensorFlow alone.

    Args:
        directory: An export's directory (its newest version answers) or one version of it.
        inputs: Lists or arrays by input name, batch first, such as ``{"text": ["A film."]}``.
        signature: The signature to run.
        timeout: Seconds after which the process is ended; None for no limit.

    Returns:
        The outputs by name as plain lists: floats, ints, and str (bytes where a string is not
        UTF-8).

    Raises:
        ExportError: There is no SavedModel, it cannot be run, or the inputs do not fit it.
    """
    [outputs] = run_questions(latest_version(directory), [(signature, inputs)], timeout=timeout)
    return {name: _plain(array) for name, array in sorted(outputs.items())}


def _plain(array: np.ndarray) -> list[Any]:
    """Turns an array into nested lists of Python values."""
    if array.dtype != object:
        return array.tolist()
    flat = np.empty(array.size, dtype=object)
    for position, item in enumerate(array.flat):
        flat[position] = _text(item)
    return flat.reshape(array.shape).tolist()


def _text(item: bytes) -> str | bytes:
    """Decodes UTF-8, and leaves what is not UTF-8 as it is."""
    try:
        return item.decode()
    except UnicodeDecodeError:
        return item
