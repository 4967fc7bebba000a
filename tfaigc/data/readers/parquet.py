"""Read Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfaigc.data.faults import Fault
from tfaigc.data.readers.examples import as_text
from tfaigc.data.table import Table
from tfaigc.errors import DataError


def read_parquet(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """Reads a Parquet file; bytes become text where they are UTF-8.

    Args:
        path: The file.
        name: What messages call it.

    Returns:
        The table, whose rows are numbered from 1, and no faults.

    Raises:
        DataError: The file cannot be read.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        content = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{name} must be a whole Parquet file. Received: {error}. Write it again."
        ) from error
    rows = [{name: _plain(value) for name, value in row.items()} for row in content.to_pylist()]
    numbers = range(1, len(rows) + 1)
    return Table(rows, name, numbers, unit="row", columns=tuple(content.column_names)), []


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return as_text(value)
