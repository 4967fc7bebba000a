"""Lists in the cells of tables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def as_list(value: Any) -> list[Any] | None:
    """Takes a cell to a list, or to None where it is none.

    Args:
        value: A list, a tuple or an array; or a text that holds a list as JSON, as cells of CSV
            files do.

    Example:
        >>> as_list('["a", "b"]'), as_list(("a",)), as_list("a"), as_list('{"a": 1}')
        (['a', 'b'], ['a'], None, None)
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return list(value) if isinstance(value, list | tuple) else None
