"""JSON objects into serialized `tf.Example`, for `:classify` and `:regress`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfaigc.serving.json_tensors import decode_base64, encode_text, is_base64
from tfaigc.serving.json_text import quoted, type_name
from tfaigc.serving.statuses import invalid

_INT64 = 2**63


def read_examples(document: dict[str, Any]) -> np.ndarray:
    """Makes serialized examples of a request.

    Args:
        document: The request: `examples`, and maybe a `context` with features of all of them.

    Returns:
        Serialized `tf.Example`, dtype object, (examples,). The context comes first in each, so
        that an example's own features win.

    Raises:
        RequestError: The request breaks one of the server's rules.
    """
    context = b""
    if "context" in document:
        context = _serialized(document["context"])
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {quoted(document)} When method is classify, key 'examples' "
            "is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(
            f"JSON Value: {quoted(document)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise invalid(f"JSON Value: {quoted(document)} 'examples' value is an empty array")
    array = np.empty(len(examples), dtype=object)
    array[:] = [context + _serialized(example) for example in examples]
    return array


def _serialized(value: Any) -> bytes:
    from tensorflow.core.example.example_pb2 import Example

    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    example = Example()
    for name, content in value.items():
        encode_text(name)
        feature = example.features.feature[name]
        for item in content if isinstance(content, list) else [content]:
            _add(feature, name, item)
    return example.SerializeToString()


def _add(feature: Any, name: str, item: Any) -> None:
    """Adds a value; the first one fixes the kind of all."""
    kind, value = _kind_and_value(name, item)
    present = feature.WhichOneof("kind")
    if present not in (None, kind):
        spoken = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}[present]
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {spoken}")
    getattr(feature, kind).value.append(value)


def _kind_and_value(name: str, item: Any) -> tuple[str, Any]:
    if isinstance(item, str):
        return "bytes_list", encode_text(item)
    if is_base64(item):
        return "bytes_list", decode_base64(item)
    if isinstance(item, bool):
        return "int64_list", int(item)
    if isinstance(item, int) and -_INT64 <= item < 2 * _INT64:
        if item >= _INT64:
            raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        return "int64_list", item
    if isinstance(item, (int, float)):
        with np.errstate(over="ignore"):
            return "float_list", float(np.float32(item))
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(item)}")
