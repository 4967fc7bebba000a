"""The JSON of `:predict`: rows (`instances`) or columns (`inputs`) of a signature's inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfaigc.serving.json_tensors import dense_array, explain, first_shape, is_base64
from tfaigc.serving.json_text import quoted
from tfaigc.serving.statuses import RequestError, invalid
from tfaigc.serving.tensors import TensorSpec

Specs = Mapping[str, TensorSpec]


def signature_name(document: dict[str, Any]) -> str:
    """Reads which signature a request is for.

    Args:
        document: The request.

    Returns:
        The name; empty for the default.

    Raises:
        RequestError: It is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {quoted(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


def read_inputs(document: dict[str, Any], specs: Specs) -> tuple[dict[str, np.ndarray], bool]:
    """Makes arrays of a request.

    Args:
        document: The request.
        specs: The signature's inputs by name.

    Returns:
        Arrays by input name, and whether the request had rows.

    Raises:
        RequestError: The request breaks one of the server's rules.
    """
    if "instances" in document:
        if "inputs" in document:
            raise invalid(
                f"JSON Value: {quoted(document)} Not formatted correctly expecting only "
                "one of 'inputs' or 'instances' keys to exist "
            )
        rows = document["instances"]
        if not isinstance(rows, list):
            raise invalid(
                f"JSON Value: {quoted(document)} Expecting 'instances' to be an list/array"
            )
        if not rows:
            raise invalid(f"JSON Value: {quoted(document)} No values in 'instances' array")
        return _read_rows(rows, specs), True
    if "inputs" in document:
        return _read_columns(document["inputs"], specs), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _is_named(row: Any) -> bool:
    return isinstance(row, dict) and not is_base64(row)


def _read_rows(rows: list[Any], specs: Specs) -> dict[str, np.ndarray]:
    named = _is_named(rows[0])
    if len(specs) > 1 and not isinstance(rows[0], dict):
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    columns = _columns_of(rows, specs) if named else {next(iter(specs)): rows}
    try:
        if columns is not None and (named or not any(map(_is_named, rows))):
            return {name: dense_array(column, specs[name]) for name, column in columns.items()}
    except RequestError as refusal:
        _explain_rows(rows, specs, named)
        raise refusal from None
    _explain_rows(rows, specs, named)
    raise invalid("Failed to process 'instances' list")


def _columns_of(rows: list[Any], specs: Specs) -> dict[str, list[Any]] | None:
    """Turns rows with names into columns, where every row has the right names."""
    names = set(specs)
    if not all(isinstance(row, dict) and row.keys() == names for row in rows):
        return None
    return {name: [row[name] for row in rows] for name in specs}


def _explain_rows(rows: list[Any], specs: Specs, named: bool) -> None:
    """Raises what is wrong with the first wrong row, as the server would put it."""
    shapes: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if named and not _is_named(row):
            raise invalid(f"Expecting object but got list at item {number} of input list")
        if not named and _is_named(row):
            raise invalid(f"Expecting value/list but got object at item {number} of input list")
        items = row.items() if named else [(next(iter(specs)), row)]
        for name, item in items:
            try:
                _explain_item(item, name, specs, shapes)
            except RequestError as refusal:
                key = f" key: {name}" if named else ""
                raise invalid(
                    f"Failed to process element: {number}{key} of 'instances' list. "
                    f"Error: {refusal.code.name}: {refusal.message}"
                ) from None
        if named and row.keys() != set(specs):
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: "
                f"{quoted(row)} keys must be equal to: {','.join(specs)}"
            )


def _explain_item(item: Any, name: str, specs: Specs, shapes: dict[str, list[int]]) -> None:
    if name not in specs:
        raise invalid(f"JSON object: does not have named input: {name}")
    shape = first_shape(item)
    explain(item, specs[name], shape, 0)
    expected = shapes.setdefault(name, shape)
    sizes = math.prod(expected), math.prod(shape)
    if sizes[0] != sizes[1]:
        raise invalid(f"Expecting tensor size: {sizes[0]} but got: {sizes[1]}")
    if expected != shape:
        raise invalid(
            f"Expecting shape [{','.join(map(str, expected))}] "
            f"but got: [{','.join(map(str, shape))}]"
        )


def _read_columns(value: Any, specs: Specs) -> dict[str, np.ndarray]:
    if not _is_named(value):
        if len(specs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        name, spec = next(iter(specs.items()))
        return {name: dense_array(value, spec)}
    arrays = {}
    for name, spec in specs.items():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        arrays[name] = dense_array(value[name], spec)
    return arrays
