"""In which form an export stores its weights, and what that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfaigc.errors import ExportError, suggestion

EXACT = "float32"
BFLOAT16 = "bfloat16-weights"
WEIGHT_DTYPES = (EXACT, BFLOAT16, "int8")


def check_weight_dtype(dtype: str) -> None:
    """Makes sure that weights can be stored so.

    Args:
        dtype: One of ``WEIGHT_DTYPES``.

    Raises:
        ExportError: It is another.

    Example:
        >>> check_weight_dtype("int4")
        Traceback (most recent call last):
        ...
        tfaigc.errors.ExportError: dtype must be one of float32, bfloat16-weights, int8. ...
    """
    if dtype not in WEIGHT_DTYPES:
        raise ExportError(
            f"dtype must be one of {', '.join(WEIGHT_DTYPES)}. Received: {dtype!r}."
            f"{suggestion(dtype, WEIGHT_DTYPES)} Pass one of them."
        )


def describe_weights(weights: Mapping[str, Any]) -> str:
    """Puts into one line how weights are stored, and what it changes.

    Args:
        weights: ``dtype``, ``bytes``, ``float32_bytes``, and ``measured_on`` with ``metrics``
            before and after, or with ``largest_changes`` and ``changed_rows`` by output.

    Returns:
        The line.

    Example:
        >>> describe_weights({
        ...     "dtype": "int8", "bytes": 23_000_000, "float32_bytes": 90_000_000,
        ...     "measured_on": "500 records",
        ...     "metrics": {"accuracy": {"float32": 0.912, "int8": 0.91}},
        ... })
        'int8, 23.0 MB instead of 90.0 MB; on 500 records: accuracy 0.9120 → 0.9100'
    """
    dtype = weights["dtype"]
    changes = [
        *(
            f"{name} {values[EXACT]:.4f} → {values[dtype]:.4f}"
            for name, values in weights.get("metrics", {}).items()
        ),
        *(
            f"{name} changed by at most {change:.2g}"
            for name, change in weights.get("largest_changes", {}).items()
        ),
        *(f"{name} changed for {count}" for name, count in weights.get("changed_rows", {}).items()),
    ]
    now, before = (weights[key] / 1e6 for key in ("bytes", "float32_bytes"))
    return (
        f"{dtype}, {now:.1f} MB instead of {before:.1f} MB; "
        f"on {weights['measured_on']}: {', '.join(changes)}"
    )
