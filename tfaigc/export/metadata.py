"""The JSON file that tells what an exported SavedModel is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfaigc.errors import ExportError
from tfaigc.export.versions import latest_version

_PLACE = Path("assets.extra", "tfaigc.json")


def write_metadata(version: Path, metadata: Mapping[str, Any]) -> None:
    """Writes the metadata of a version.

    Args:
        version: The version directory.
        metadata: What JSON can hold.

    Raises:
        ExportError: The metadata is not plain JSON.
    """
    try:
        text = json.dumps(metadata, ensure_ascii=False, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"metadata must hold what JSON can hold. Received: {error}. "
            "Pass strings, numbers, lists and dicts."
        ) from error
    path = version / _PLACE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def read_metadata(directory: str | Path) -> dict[str, Any]:
    """Reads the metadata of an export.

    Args:
        directory: An export's directory (its newest version counts) or one version of it.

    Returns:
        The metadata.

    Raises:
        ExportError: There is no SavedModel, or it was not exported by tfaigc.
    """
    path = latest_version(directory) / _PLACE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(
            f"An export must have a readable {_PLACE}. Received: {path}: {error}. "
            "Export the model again."
        ) from error
    return content
