"""One key of a recipe."""

from __future__ import annotations

from dataclasses import MISSING, field
from typing import Any

from tfaigc.recipe.kinds import Kind


def key(heading: str, kind: Kind, meaning: str, default: Any = MISSING) -> Any:
    """Makes the field of a key.

    Args:
        heading: The heading that it stands under.
        kind: What its value must be.
        meaning: What it means, in a line.
        default: Its value where a recipe has none; without one, a recipe must have it.

    Returns:
        A field of a dataclass, whose metadata hold ``heading``, ``kind`` and ``meaning``.
    """
    metadata = {"heading": heading, "kind": kind, "meaning": meaning}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)
