"""Requests that a server answers when it loads a version, before anybody asks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.errors import ExportError
from tfaigc.export.comparing import SignatureCheck

PLACE = Path("assets.extra", "tf_serving_warmup_requests")

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
"""The sizes that requests come in; those that a server's batches are often allowed to have."""

MOST_RECORDS = 1000
"""A server does not load a version with more requests."""

# Numbers of fields in TensorFlow Serving's protocol buffers, `prediction_log.proto`,
# `predict.proto`, `classification.proto`, `regression.proto`, `input.proto`, `model.proto`, whose
# package is no need of an export.
_PREDICT_LOG, _EXAMPLE_LOGS, _REQUEST = 6, (1, 2), 1
_MODEL_SPEC, _INPUTS = 1, 2
_EXAMPLE_LISTS, _EXAMPLES, _CONTEXT = (1, 2), 1, 2
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


def read_warm_up(version: Path) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Reads a version's warm-up requests.

    Args:
        version: The version directory.

    Returns:
        For each its signature's name and its inputs.

    Raises:
        ExportError: The file is broken, or has too many requests.
    """
    import tensorflow as tf

    path = version / PLACE
    if not path.exists():
        return []
    try:
        dataset = tf.data.TFRecordDataset(str(path)).take(MOST_RECORDS + 1)
        records = list(dataset.as_numpy_iterator())
        if len(records) > MOST_RECORDS:
            raise ValueError(f"more than {MOST_RECORDS} requests")
        return [request for record in records for request in _parse(record)]
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise ExportError(
            f"{path} must hold warm-up requests. Received: {error!s:.200}. Write them again."
        ) from error


def _parse(record: bytes) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Takes a `PredictionLog` apart; runs of sessions, which it may hold too, are no requests."""
    import tensorflow as tf
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    for log in _fields(record, _PREDICT_LOG):
        [request] = _fields(log, _REQUEST)
        inputs = {}
        for entry in _fields(request, _INPUTS):
            [key], [value] = _fields(entry, _KEY), _fields(entry, _VALUE)
            inputs[key.decode()] = tf.make_ndarray(TensorProto.FromString(value))
        yield _signature(request), inputs
    for log in (log for number in _EXAMPLE_LOGS for log in _fields(record, number)):
        [request] = _fields(log, _REQUEST)
        yield _signature(request), {"inputs": np.array(_examples(request), object)}


def _signature(request: bytes) -> str:
    """Finds the name of the signature that a request asks."""
    names = [
        name for spec in _fields(request, _MODEL_SPEC) for name in _fields(spec, _SIGNATURE_NAME)
    ]
    return names[0].decode() if names and names[0] else "serving_default"


def _examples(request: bytes) -> list[bytes]:
    """Finds the serialized examples of a request, each behind what all have in common."""
    [content] = _fields(request, _INPUTS)
    lists = [found for number in _EXAMPLE_LISTS for found in _fields(content, number)]
    return [
        b"".join(_fields(found, _CONTEXT)) + example
        for found in lists
        for example in _fields(found, _EXAMPLES)
    ]


def _fields(message: bytes, wanted: int) -> list[bytes]:
    """Finds the contents of a field of bytes, text or messages.

    Raises:
        ValueError: These are no fields.
        IndexError: The message ends within one.
    """
    found, place = [], 0
    while place < len(message):
        key, place = _read_varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            _, place = _read_varint(message, place)
            continue
        sizes = {1: 8, 5: 4}
        if kind == 2:
            size, place = _read_varint(message, place)
        elif kind in sizes:
            size = sizes[kind]
        else:
            raise ValueError(f"a field of kind {kind}")
        if place + size > len(message):
            raise IndexError("the record ends within a field")
        if kind == 2 and number == wanted:
            found.append(message[place : place + size])
        place += size
    return found


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    """Reads a number, and gives the place behind it."""
    number, shift = 0, 0
    while True:
        byte = message[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place


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
