"""Read files of serialized ``tf.Example`` protocol buffers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfaigc.data.faults import Fault
from tfaigc.data.table import Table
from tfaigc.errors import DataError


def read_examples_file(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads a TFRecord file, plain or with gzip, of one ``tf.Example`` a record.

    A feature with one value gives that value, one with several a list, one with none None. Bytes
    become text where they are UTF-8. A feature that has a list in one record is a list in all.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, whose rows are numbered from 1, and the records that are no ``tf.Example``.

    Raises:
        DataError: The file cannot be read, or ends within a record.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    with path.open("rb") as file:
        compression = "GZIP" if file.read(2) == b"\x1f\x8b" else ""
    rows: list[dict[str, list[Any]]] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    try:
        records = tf.data.TFRecordDataset(str(path), compression).as_numpy_iterator()
        for number, record in enumerate(records, start=1):
            try:
                example = tf.train.Example.FromString(record)
            except DecodeError:
                reason = "must be a serialized tf.Example. Received: other bytes."
                faults.append(Fault(f"{name}, record {number}", reason))
                continue
            features = example.features.feature
            rows.append({key: _values(features[key]) for key in sorted(features)})
            numbers.append(number)
    except tf.errors.OpError as error:
        raise DataError(
            f"{name} must be a whole TFRecord file. Received: {error.message}. Write it again."
        ) from error
    lists = {key for row in rows for key, values in row.items() if len(values) > 1}
    single: list[dict[str, Any]] = [
        {
            key: values if key in lists else (values[0] if values else None)
            for key, values in row.items()
        }
        for row in rows
    ]
    columns = dict.fromkeys(key for row in single for key in row)
    return Table(single, name, numbers, unit="record", columns=tuple(columns)), faults


def _values(feature: Any) -> list[Any]:
    kind = feature.WhichOneof("kind")
    if kind is None:
        return []
    values = list(getattr(feature, kind).value)
    return [as_text(value) for value in values] if kind == "bytes_list" else values


def as_text(value: Any) -> Any:
    r"""Takes bytes that are UTF-8 to text; leaves all else.

    Example:
        >>> as_text("ä".encode()), as_text(bytes([255])), as_text(1)
        ('ä', b'\xff', 1)
    """
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
