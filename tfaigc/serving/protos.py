"""The server's protocol buffers into arrays: requests over gRPC, and recorded ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfaigc.serving.results import INPUTS
from tfaigc.serving.statuses import invalid

DEFAULT_SIGNATURE = "serving_default"


def signature_of(request: Any) -> str:
    """Tells which signature a request is for.

    Args:
        request: A `PredictRequest`, `ClassificationRequest` or `RegressionRequest`.

    Returns:
        The signature's name.
    """
    return request.model_spec.signature_name or DEFAULT_SIGNATURE


def predict_inputs(request: Any) -> dict[str, np.ndarray]:
    """Makes arrays of a `PredictRequest`.

    Args:
        request: The request.

    Returns:
        Arrays by input name.

    Raises:
        RequestError: A tensor is broken.
    """
    from tensorflow import make_ndarray

    arrays = {}
    for name, proto in request.inputs.items():
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
