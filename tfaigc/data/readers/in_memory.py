"""Take records that are in memory: strings, dicts, a pandas DataFrame."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from tfaigc.data.faults import Fault
from tfaigc.data.table import Table, place
from tfaigc.errors import DataError

if TYPE_CHECKING:
    import pandas


def read_sequence(records: Iterable[object], name: str = "records") -> tuple[Table, list[Fault]]:
    """Takes strings (each a `text`) and dicts.

    Args:
        records: Strings and dicts.
        name: What messages call them.

    Returns:
        The table, and the items that are neither string nor dict.
    """
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    columns: dict[str, None] = {}
    for number, record in enumerate(records):
        if isinstance(record, str):
            row: dict[str, Any] = {"text": str(record)}
        elif isinstance(record, Mapping):
            row = {str(key): value for key, value in record.items()}
        else:
            kind = type(record).__name__
            reason = f"must be a string or a dict. Received: {kind}."
            faults.append(Fault(place(name, "", number), reason))
            continue
        rows.append(row)
        numbers.append(number)
        columns.update(dict.fromkeys(row))
    return Table(rows, name, numbers, unit="", columns=tuple(columns)), faults


def is_data_frame(records: object) -> TypeGuard[pandas.DataFrame]:
    """Says whether something is a pandas DataFrame, without importing pandas.

    Args:
        records: Anything.

    Returns:
        True for a DataFrame.

    Example:
        >>> is_data_frame([{"text": "Fine."}])
        False
    """
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(records, pandas.DataFrame)


def read_data_frame(frame: pandas.DataFrame, name: str = "DataFrame") -> tuple[Table, list[Fault]]:
    """Takes a DataFrame's rows; NaN, NaT and NA become None.

    Args:
        frame: The DataFrame.
        name: What messages call it.

    Returns:
        The table, whose numbers are the DataFrame's index, and no faults.

    Raises:
        DataError: Two columns have one name.
    """
    columns = tuple(str(column) for column in frame.columns)
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise DataError(
            f"{name}: every column must have a name of its own. Received: {twice!r} twice. "
            "Rename one of them."
        )
    objects = frame.astype(object).where(frame.notna(), None)
    values = [objects.iloc[:, position].tolist() for position in range(len(columns))]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    return Table(rows, name, frame.index.tolist(), unit="index", columns=columns), []
