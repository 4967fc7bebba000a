"""Questions and answers that ride with an export, so that it can be asked again anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfaigc.errors import ExportError
from tfaigc.export.comparing import SignatureCheck
from tfaigc.export.verifier import as_array, decode, encode

PLACE = Path("assets.extra", "recorded.json")
_ROWS = 4


def first_rows(check: SignatureCheck) -> tuple[str, dict[str, Any]]:
    """Takes the first rows of a question.

    Args:
        check: The question.

    Returns:
        The signature's name, and its inputs.
    """
    return check.signature, {
        name: as_array(values)[:_ROWS] for name, values in check.inputs.items()
    }


def write_recorded(version: Path, checks: Sequence[SignatureCheck]) -> None:
    """Writes questions with their answers.

    Args:
        version: The version directory.
        checks: The questions.
    """
    listed = [
        {
            "signature": check.signature,
            "inputs": {name: encode(values) for name, values in check.inputs.items()},
            "outputs": {name: encode(values) for name, values in check.outputs.items()},
            "atol": check.atol,
        }
        for check in checks
    ]
    path = version / PLACE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(listed) + "\n", encoding="utf-8")


def read_recorded(version: Path) -> list[SignatureCheck]:
    """Reads what ``write_recorded`` wrote.

    Args:
        version: The version directory.

    Returns:
        The questions; none where nothing was recorded.

    Raises:
        ExportError: The file is broken.
    """
    path = version / PLACE
    if not path.exists():
        return []
    try:
        return [
            SignatureCheck(
                each["signature"],
                {name: decode(values) for name, values in each["inputs"].items()},
                {name: decode(values) for name, values in each["outputs"].items()},
                atol=float(each["atol"]),
            )
            for each in json.loads(path.read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(
            f"{path} must hold recorded questions. Received: {error!r}. Export the model again."
        ) from error
