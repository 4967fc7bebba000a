"""Requests that a server answers when it loads a version, before anybody asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.export.comparing import SignatureCheck

PLACE = Path("assets.extra", "tf_serving_warmup_requests")

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
"""The sizes that requests come in; those that a server's batches are often allowed to have."""

# Numbers of fields in TensorFlow Serving's protocol buffers, `prediction_log.proto`,
# `predict.proto` and `model.proto`, whose package is no need of an export.
_PREDICT_LOG, _REQUEST = 6, 1
_MODEL_SPEC, _INPUTS = 1, 2
_SIGNATURE_NAME = 3
_KEY, _VALUE = 1, 2


def write_warm_up(
    version: Path, check: SignatureCheck, batch_sizes: Sequence[int] = BATCH_SIZES
) -> None:
    """Writes one request of each batch size.

    Args:
        version: The version directory.
        check: Questions that the version answers, of which the requests are made.
        batch_sizes: How many rows the requests have.
    """
    import tensorflow as tf

    path = version / PLACE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for size in batch_sizes:
            inputs = {name: _rows(values, size) for name, values in check.inputs.items()}
            writer.write(predict_log(check.signature, inputs))


def predict_log(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Makes a serialized `PredictionLog` with a request of `Predict`.

    Args:
        signature: The signature's name.
        inputs: Its inputs.

    Returns:
        The message.
    """
    import tensorflow as tf

    request = _field(_MODEL_SPEC, _field(_SIGNATURE_NAME, signature.encode()))
    for name, values in inputs.items():
        tensor = tf.make_tensor_proto(values).SerializeToString()
        request += _field(_INPUTS, _field(_KEY, name.encode()) + _field(_VALUE, tensor))
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """Encodes a field of bytes, text or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _rows(values: Any, size: int) -> np.ndarray:
    """Takes so many rows, from the first on again where there are too few."""
    array = np.asarray(values, object if isinstance(values[0], str) else None)
    return array[np.arange(size) % len(array)]
