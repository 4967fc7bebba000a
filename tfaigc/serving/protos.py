"""The server's protocol buffers into arrays: requests over gRPC, and recorded ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tfaigc.serving.manager import ModelSpec
from tfaigc.serving.results import INPUTS
from tfaigc.serving.statuses import invalid

_MOST_ELEMENTS = 2**26

# Where a `TensorProto` has values, by the name of NumPy's type; halves as whole numbers.
_VALUE_FIELDS = {
    "object": "string_val",
    "bool": "bool_val",
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int_val"),
    **{name: f"{name}_val" for name in ("int64", "uint32", "uint64")},
    **dict.fromkeys(("float16", "bfloat16"), "half_val"),
    "float32": "float_val",
    "float64": "double_val",
}

DEFAULT_SIGNATURE = "serving_default"


def signature_of(request: Any) -> str:
    """Tells which signature a request is for.

    Args:
        request: A `PredictRequest`, `ClassificationRequest` or `RegressionRequest`.

    Returns:
        The signature's name.
    """
    return request.model_spec.signature_name or DEFAULT_SIGNATURE


def predict_inputs(request: Any, most_elements: int = _MOST_ELEMENTS) -> dict[str, np.ndarray]:
    """Makes arrays of a `PredictRequest`.

    Args:
        request: The request.
        most_elements: How many elements its tensors may have together.

    Returns:
        Arrays by input name.

    Raises:
        RequestError: A tensor is broken, or there are too many elements.
    """
    from tensorflow import make_ndarray

    arrays, left = {}, most_elements
    for name, proto in request.inputs.items():
        sizes = [dimension.size for dimension in proto.tensor_shape.dim]
        # A tensor may be written as one value and a shape: a small request for much memory. One
        # that is written in full takes a byte or more for each element.
        if any(size < 0 for size in sizes) or math.prod(sizes) > left:
            raise invalid(
                f"tensor parsing error: {name}: its shape is {sizes}. The inputs of a request "
                f"may have {most_elements} elements together"
            )
        left -= math.prod(sizes)
        try:
            arrays[name] = make_ndarray(proto)
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            raise invalid(f"tensor parsing error: {name}: {error}") from error
    return arrays


def example_inputs(request: Any) -> dict[str, np.ndarray]:
    """Makes the input of a `ClassificationRequest` or `RegressionRequest`.

    Args:
        request: The request.

    Returns:
        Serialized `tf.Example` as the one input.

    Raises:
        RequestError: There are no examples.
    """
    kind = request.input.WhichOneof("kind")
    if kind is None or not getattr(request.input, kind).examples:
        raise invalid("Input is empty.")
    examples = getattr(request.input, kind)
    context = b""
    if kind == "example_list_with_context":
        context = examples.context.SerializeToString()
    array = np.empty(len(examples.examples), dtype=object)
    array[:] = [context + example.SerializeToString() for example in examples.examples]
    return {INPUTS: array}


def spec_of(request: Any) -> ModelSpec:
    """Tells which model a request names.

    Args:
        request: Any request with a `model_spec`.

    Returns:
        The name, with a version or label if it has one.
    """
    spec = request.model_spec
    choice = spec.WhichOneof("version_choice")
    return ModelSpec(
        spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
    )


def fill_spec(spec: Any, model: str, version: int | str | None, signature: str) -> None:
    """Writes which model is asked, or has answered.

    Args:
        spec: The `ModelSpec` to fill.
        model: The model's name.
        version: The version's number, or its label; None for the newest.
        signature: The signature's name; empty for the default.
    """
    spec.name = model
    spec.signature_name = signature
    if isinstance(version, int):
        spec.version.value = version
    elif version is not None:
        spec.version_label = version


def tensor_proto(array: np.ndarray) -> Any:
    """Makes a `TensorProto` of an array, as the official server answers.

    Args:
        array: Numbers, or bytes in an array of dtype object.

    Returns:
        The protocol buffer. Its values stand in the field of their type, such as `float_val`, where
        clients look for them, and never packed in `tensor_content`.
    """
    import tensorflow as tf
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    dtype, field = tf.as_dtype(array.dtype), _VALUE_FIELDS.get(array.dtype.name)
    if field is None:
        return tf.make_tensor_proto(array, dtype=dtype)
    shape = tf.TensorShape(array.shape).as_proto()
    proto = TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=shape)
    values = array.view(np.uint16) if field == "half_val" else array
    getattr(proto, field).extend(values.ravel().tolist())
    return proto
