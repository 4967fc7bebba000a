"""What a signature must answer, and the first place where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.export.verifier import as_array


@dataclass(frozen=True)
class SignatureCheck:
    """Inputs for one signature with the outputs that it must give.

    Args:
        signature: The signature's name.
        inputs: Arrays or lists by input name, batch first.
        outputs: Arrays or lists by output name. An array's dtype must be met; a list's need not.
        atol: By how much a float may differ.
    """

    signature: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    atol: float = 1e-5


def first_difference(check: SignatureCheck, received: Mapping[str, np.ndarray]) -> str | None:
    """Finds the first output that is not as expected.

    Strings and integers must be equal, floats within ``atol``; NaN equals NaN.

    Args:
        check: The inputs and the expected outputs.
        received: The outputs by name.

    Returns:
        Signature, output, row, what was expected and what came; None where all agree.

    Example:
        >>> check = SignatureCheck(signature="serving_default", inputs={}, outputs={"n": [1, 2]})
        >>> first_difference(check, {"n": np.array([1, 3])})
        "signature 'serving_default', output 'n', row 1: expected 2, received 3"
    """
    place = f"signature {check.signature!r}"
    if set(check.outputs) != set(received):
        return f"{place}: expected the outputs {sorted(check.outputs)}, received {sorted(received)}"
    for name in sorted(check.outputs):
        difference = _difference(check.outputs[name], received[name], check.atol)
        if difference is None:
            continue
        row, words = difference
        if row is None:
            return f"{place}, output {name!r}: {words}"
        return f"{place}, output {name!r}, row {row}: {words}{_row_text(check.inputs, row)}"
    return None


def _difference(expected: Any, received: np.ndarray, atol: float) -> tuple[int | None, str] | None:
    """Compares one output; gives the row, where there is one, and the words."""
    wanted, came = as_array(expected), as_array(received)
    if not _same_dtype(expected, wanted, came):
        return None, f"expected dtype {_name(wanted)}, received {_name(came)}"
    if wanted.shape != came.shape:
        return None, f"expected shape {wanted.shape}, received {came.shape}"
    if wanted.dtype == object:
        wanted, came = _as_bytes(wanted), _as_bytes(came)
    unequal = np.argwhere(_unequal(wanted, came, atol))
    if not len(unequal):
        return None
    index = tuple(int(place) for place in unequal[0])
    here = f" at {list(index[1:])}" if len(index) > 1 else ""
    words = f"expected {wanted[index]!s:.200}, received {came[index]!s:.200}{here}"
    if wanted.dtype.kind == "f":
        words += f" (may differ by {atol:g})"
    return index[0] if index else None, words


def _unequal(wanted: np.ndarray, came: np.ndarray, atol: float) -> np.ndarray:
    if wanted.dtype.kind != "f" and came.dtype.kind != "f":
        return np.asarray(wanted != came)
    # In float64, so that the subtraction itself adds no rounding.
    wide_wanted, wide_came = wanted.astype(np.float64), came.astype(np.float64)
    return ~np.isclose(wide_came, wide_wanted, rtol=0.0, atol=atol, equal_nan=True)


def _same_dtype(expected: Any, wanted: np.ndarray, came: np.ndarray) -> bool:
    """Tells whether dtypes agree: exactly for arrays, in kind for lists."""
    if hasattr(expected, "dtype"):
        return wanted.dtype == came.dtype
    return wanted.size == 0 or wanted.dtype.kind == came.dtype.kind


def _name(array: np.ndarray) -> str:
    return "string" if array.dtype == object else array.dtype.name


def _as_bytes(array: np.ndarray) -> np.ndarray:
    result = np.empty(array.shape, dtype=object)
    for index, item in np.ndenumerate(array):
        result[index] = item.encode() if isinstance(item, str) else item
    return result


def _row_text(inputs: Mapping[str, Any], row: int) -> str:
    """Quotes the strings that went into a row, so that the case can be found again."""
    quoted = []
    for name, values in inputs.items():
        array = as_array(values)
        if array.dtype == object and array.ndim == 1 and row < len(array):
            quoted.append(f"{name}={array[row]!r:.200}")
    return f" for {', '.join(quoted)}" if quoted else ""
