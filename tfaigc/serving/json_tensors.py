"""JSON lists into arrays of a signature's types, by the server's strict rules."""

from __future__ import annotations

import base64
import binascii
import re
from itertools import chain
from typing import Any

import numpy as np

from tfaigc.serving.json_text import quoted, type_name
from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.tensors import TensorSpec

_WHOLE = {"int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"}
_LEAVES: dict[str, set[type]] = {
    "float": {int, float},
    "double": {int, float},
    "string": {str, dict},
    "bool": {bool},
    **{name: {int} for name in _WHOLE},
}
_MOST_DIMENSIONS = 32
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_SPACES = re.compile(rb"\s+")


class _IrregularError(Exception):
    """The value is no dense list of leaves of the right type."""


def dense_array(value: Any, spec: TensorSpec) -> np.ndarray:
    """Makes an array of a JSON value: a leaf, or lists of equal lengths nested to one depth.

    Args:
        value: What the JSON parser made.
        spec: The input that it is for; only its type counts.

    Returns:
        The array; strings are bytes in an array of dtype object.

    Raises:
        RequestError: The value is ragged, or a leaf is of another type.
    """
    try:
        shape, leaves = _flatten(value)
        return _as_array(leaves, spec).reshape(shape)
    except _IrregularError:
        sizes = first_shape(value)
        explain(value, spec, sizes, 0)
        raise invalid(f"JSON Value: {quoted(value)} is not a tensor of type {spec.dtype}") from None


def _flatten(value: Any) -> tuple[list[int], list[Any]]:
    """Takes nested lists apart level by level, which Python does at the speed of C."""
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        if set(map(type, level)) != {list} or len(shape) == _MOST_DIMENSIONS:
            raise _IrregularError
        sizes = set(map(len, level))
        if len(sizes) != 1:
            raise _IrregularError
        shape.append(sizes.pop())
        level = list(chain.from_iterable(level))
    return shape, level


def _as_array(leaves: list[Any], spec: TensorSpec) -> np.ndarray:
    allowed = _LEAVES.get(spec.dtype)
    if allowed is None or not set(map(type, leaves)) <= allowed:
        raise _IrregularError
    if spec.dtype == "string":
        array = np.empty(len(leaves), dtype=object)
        array[:] = [_as_bytes(leaf) for leaf in leaves]
        return array
    try:
        if spec.dtype in _WHOLE:
            return _whole_numbers(leaves, spec.numpy_dtype)
        with np.errstate(over="ignore"):
            return np.array(leaves, dtype=np.float64).astype(spec.numpy_dtype)
    except OverflowError:
        raise _IrregularError from None


def _whole_numbers(leaves: list[Any], dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    if leaves and not (limits.min <= min(leaves) and max(leaves) <= limits.max):
        raise _IrregularError
    return np.array(leaves, dtype=dtype)


def _as_bytes(leaf: str | dict[str, Any]) -> bytes:
    if isinstance(leaf, dict):
        return decode_base64(leaf)
    return encode_text(leaf)


def encode_text(text: str) -> bytes:
    """Encodes a JSON string as UTF-8.

    Args:
        text: The string.

    Returns:
        Its bytes.

    Raises:
        RequestError: It has half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None


def is_base64(value: Any) -> bool:
    """Tells whether a JSON value is the server's form of bytes: ``{"b64": "..."}``."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decode_base64(value: dict[str, Any]) -> bytes:
    r"""Decodes ``{"b64": "..."}``.

    Args:
        value: A JSON object.

    Returns:
        The bytes.

    Raises:
        RequestError: It is another object, or its text is not base64.

    Example:
        >>> decode_base64({"b64": "AP8"})
        b'\x00\xff'
    """
    if not is_base64(value):
        raise invalid(f"JSON Value: {quoted(value)} not formatted correctly for base64 data")
    text = _SPACES.sub(b"", encode_text(value["b64"]))
    bare = text.rstrip(b"=")
    filled = bare + b"=" * (-len(bare) % 4)
    # Padding may be left out, but not be there in part.
    if _BASE64.fullmatch(text) and text in (bare, filled):
        try:
            return base64.b64decode(filled, validate=True)
        except binascii.Error:
            pass
    raise invalid("Unable to base64 decode")


def first_shape(value: Any) -> list[int]:
    """Reads the shape of nested lists along their first elements.

    Args:
        value: What the JSON parser made.

    Returns:
        The sizes that all other elements should have.

    Raises:
        RequestError: They are nested deeper than arrays can be.
    """
    shape: list[int] = []
    while isinstance(value, list):
        if len(shape) == _MOST_DIMENSIONS:
            raise invalid(f"Lists must be nested at most {_MOST_DIMENSIONS} deep")
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def explain(value: Any, spec: TensorSpec, shape: list[int], level: int) -> None:
    """Raises what is wrong with a value, as the server would put it.

    Args:
        value: What the JSON parser made.
        spec: The input that it is for.
        shape: The sizes that lists should have.
        level: How many lists the value stands in.

    Raises:
        RequestError: The value does not fit.
    """
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {quoted(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(shape)}"
            )
        _explain_leaf(value, spec)
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for item in value:
        explain(item, spec, shape, level + 1)


def _explain_leaf(value: Any, spec: TensorSpec) -> None:
    allowed = _LEAVES.get(spec.dtype)
    if allowed is None and not isinstance(value, dict):
        raise RequestError(
            Code.UNIMPLEMENTED,
            f"Conversion of JSON Value: {quoted(value)} to type: {spec.dtype}",
        )
    try:
        if allowed is not None and type(value) in allowed:
            _as_array([value], spec)
            return
    except _IrregularError:
        pass
    raise invalid(
        f"JSON Value: {quoted(value)} Type: {type_name(value)} "
        f"is not of expected type: {spec.dtype}"
    )
