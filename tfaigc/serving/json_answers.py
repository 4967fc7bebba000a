"""Arrays into the JSON of an answer, number for number as TensorFlow Serving writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfaigc.serving.statuses import invalid
from tfaigc.serving.tensors import TensorSpec

# How many digits tell every number of a type from its neighbors.
_DIGITS = {"float32": 9, "float64": 17}

Arrays = Mapping[str, np.ndarray]


def write_predictions(outputs: Arrays, specs: Mapping[str, TensorSpec], *, rows: bool) -> bytes:
    """Writes the answer to `:predict`.

    Args:
        outputs: Arrays by output name.
        specs: The signature's outputs.
        rows: Whether the request had rows, and the answer shall have them.

    Returns:
        JSON: ``{"predictions": [...]}`` for rows, ``{"outputs": ...}`` for columns. A single
        output stands without its name.

    Raises:
        RequestError: An output's type has no JSON, or rows are asked for and outputs have none.
    """
    names = sorted(outputs)
    if rows:
        _check_rows(outputs, names)
    columns = {name: _column(name, outputs[name], specs[name]) for name in names}
    if rows:
        count = len(outputs[names[0]])
        if len(names) == 1:
            items = columns[names[0]]
        else:
            parts = [[f"{json.dumps(name)}: {item}" for item in columns[name]] for name in names]
            inner = ",\n            "
            items = [
                f"{{\n            {inner.join(part[row] for part in parts)}\n        }}"
                for row in range(count)
            ]
        return _document("predictions", _lines(items))
    whole = {name: _whole(columns[name], outputs[name]) for name in names}
    if len(names) == 1:
        return _document("outputs", whole[names[0]])
    inner = ",\n        ".join(f"{json.dumps(name)}: {whole[name]}" for name in names)
    return _document("outputs", f"{{\n        {inner}\n    }}")


def write_classes(classes: np.ndarray | None, scores: np.ndarray | None) -> bytes:
    """Writes the answer to `:classify`.

    Args:
        classes: Labels, string, (batch, classes); None where the signature has none.
        scores: Scores, float32, (batch, classes); None where the signature has none.

    Returns:
        JSON: ``{"results": [[["label", score], ...], ...]}``.
    """
    known = classes if classes is not None else scores
    assert known is not None
    batch, count = known.shape
    labels = _strings(classes.ravel()) if classes is not None else ['""'] * (batch * count)
    numbers = _decimals(scores.ravel()) if scores is not None else ["0.0"] * (batch * count)
    pairs = [f"[{label}, {number}]" for label, number in zip(labels, numbers, strict=True)]
    items = [f"[{', '.join(pairs[row * count : (row + 1) * count])}]" for row in range(batch)]
    return _document("results", _lines(items))


def write_numbers(numbers: np.ndarray) -> bytes:
    """Writes the answer to `:regress`.

    Args:
        numbers: float32, (batch,).

    Returns:
        JSON: ``{"results": [1.5, ...]}``.
    """
    return _document("results", f"[{', '.join(_decimals(numbers))}]")


def write_error(message: str) -> bytes:
    """Writes the body of a refusal: ``{"error": "..."}``."""
    return json.dumps({"error": message}, indent=4, ensure_ascii=False).encode("utf-8", "replace")


def _document(key: str, value: str) -> bytes:
    return f'{{\n    "{key}": {value}\n}}'.encode()


def _lines(items: Sequence[str]) -> str:
    """Writes a list with a line for each item."""
    inner = ",\n        ".join(items)
    return f"[\n        {inner}\n    ]" if items else "[]"


def _check_rows(outputs: Arrays, names: Sequence[str]) -> None:
    expected = -1
    for name in names:
        if outputs[name].ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        size = len(outputs[name])
        if expected not in (-1, size):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}"
            )
        expected = size


def _column(name: str, array: np.ndarray, spec: TensorSpec) -> list[str]:
    """Writes each row of an output; a scalar is its own only row."""
    write = _writer(name, array, spec)
    leaves = write(array.ravel())
    shape = array.shape[1:]
    for size in reversed(shape):
        count = len(leaves) // size if size else int(np.prod(array.shape[: len(shape)]))
        leaves = [f"[{', '.join(leaves[at * size : (at + 1) * size])}]" for at in range(count)]
        shape = shape[:-1]
    return leaves


def _whole(rows: list[str], array: np.ndarray) -> str:
    return f"[{', '.join(rows)}]" if array.ndim else rows[0]


def _writer(name: str, array: np.ndarray, spec: TensorSpec) -> Callable[[np.ndarray], list[str]]:
    if spec.dtype == "string":
        return _base64_objects if name.endswith("_bytes") else _strings
    if array.dtype.name in _DIGITS:
        return _decimals
    if spec.dtype == "bool" or (array.dtype.kind in "iu" and spec.dtype != "uint16"):
        return _plain
    raise invalid(f"Failed to write JSON value for tensor type: {spec.dtype}")


def _plain(values: np.ndarray) -> list[str]:
    return [json.dumps(value) for value in values.tolist()]


def _strings(values: np.ndarray) -> list[str]:
    return [json.dumps(_text(value), ensure_ascii=False) for value in values]


def _text(value: Any) -> str:
    """Bytes as text; what is no UTF-8 is replaced, so that the answer stays JSON."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _base64_objects(values: np.ndarray) -> list[str]:
    return [json.dumps({"b64": base64.b64encode(value).decode()}) for value in values]


def _decimals(values: np.ndarray) -> list[str]:
    """Writes floats with six digits where those are exact, otherwise with all that count."""
    if not values.size:
        return []
    numbers = values.tolist()
    brief = ("%g " * len(numbers) % tuple(numbers)).split()
    exact = (np.array(brief, dtype=np.float64).astype(values.dtype) == values).tolist()
    form = f"%.{_DIGITS[values.dtype.name]}g"
    return [
        _decimal(text if is_exact else form % number)
        for text, is_exact, number in zip(brief, exact, numbers, strict=True)
    ]


def _decimal(text: str) -> str:
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    if text in special:
        return special[text]
    return text if "." in text or "e" in text else text + ".0"
