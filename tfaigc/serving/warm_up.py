"""Recorded requests that a version answers before it is asked by anyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.serving.protos import example_inputs, predict_inputs, signature_of
from tfaigc.serving.saved_model import SavedModel
from tfaigc.serving.statuses import Code, RequestError, invalid

RECORDS = Path("assets.extra", "tf_serving_warmup_requests")
MOST_RECORDS = 1000

# The kinds of a `PredictionLog`, and what makes inputs of their requests.
_KINDS: Mapping[str, Callable[[Any], dict[str, np.ndarray]]] = {
    "predict_log": predict_inputs,
    "classify_log": example_inputs,
    "regress_log": example_inputs,
}


def warm_up(model: SavedModel, directory: Path) -> int:
    """Runs the recorded requests of a version, if it has any.

    Args:
        model: The loaded version.
        directory: Its directory.

    Returns:
        How many requests there were.

    Raises:
        RequestError: The file is broken, has too many records, or one of them fails.
    """
    path = directory / RECORDS
    count = 0
    if not path.is_file():
        return count
    for count, record in enumerate(_records(path), start=1):
        if count > MOST_RECORDS:
            raise invalid(
                f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {path}"
            )
        try:
            _run(model, record)
        except RequestError as error:
            raise RequestError(error.code, f"{path}, record {count}: {error.message}") from error
    return count


def _records(path: Path) -> Iterator[Any]:
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield PredictionLog.FromString(record)
    except tf.errors.OpError as error:
        raise RequestError(Code(error.error_code), f"{path}: {error.message}") from error
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record from {path}: {error}") from error


def _run(model: SavedModel, record: Any) -> None:
    kind = record.WhichOneof("log_type")
    if kind not in _KINDS:
        raise RequestError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
    request = getattr(record, kind).request
    name = signature_of(request)
    if name not in model.signatures:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    model.run(name, model.signatures[name].complete(_KINDS[kind](request)))
