"""The batches of a step that went wrong, as JSON lines to look at."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

_LOGGER = logging.getLogger(__name__)


def write_batches(path: Path, *, order: Any, records: Any, epoch: int, steps: range) -> Path | None:
    """Writes which examples some steps had, with their contents where these are known.

    Args:
        path: The file.
        order: The dataset's `batch_order`; `None` where nothing is known of its batches.
        records: The table of the dataset's examples, or `None`.
        epoch: The epoch, from 0.
        steps: The steps in the epoch, from 0.

    Returns:
        The file, or `None` where the batches are not known or cannot be written.
    """
    if order is None or not hasattr(order, "batches"):
        return None
    batches = order.batches(epoch)
    lines = [
        json.dumps(
            {"epoch": epoch + 1, "step_in_epoch": step + 1, **_describe(int(example), records)},
            ensure_ascii=False,
            default=str,
        )
        for step in steps
        for example in np.ravel(batches[step])
        if example >= 0
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        _LOGGER.warning("%s cannot be written (%s).", path, error.strerror or error)
        return None
    return path


def _describe(example: int, records: Any) -> dict[str, Any]:
    if records is None:
        return {"example": example}
    return {"place": records.location(example), **records.rows[example]}
