"""Records with images: where they come from, and which of them cannot be read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.data.checks import EncodedLabels, check_labels, leave_out
from tfaigc.data.records import read_records
from tfaigc.data.table import Table


def image_table(records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
    """Reads records that have an ``image``: a path, encoded bytes, an image of Pillow, or an array.

    Args:
        records: Whatever ``read_records`` takes; a directory with a sub-directory for each class;
            or a list of images. Strings count as paths.
        columns: Our field names to the source's column names.

    Returns:
        The table.

    Raises:
        DataError: There are no images.
    """
    if isinstance(records, Sequence) and not isinstance(records, str | bytes):
        records = [{"image": each} if _is_image(each) else each for each in records]
    is_read = isinstance(records, Table) and not columns
    table = records if is_read else read_records(records, columns=columns)
    if "image" not in table.columns and "text" in table.columns:
        renamed = {**table.renamed, "image": table.column_name("text")}
        table = replace(table.rename({"image": "text"}), renamed=renamed)
    return table.require("image")


def check_images(table: Table, *, max_invalid_share: float = 0.0) -> Table:
    """Checks that every record has an image that can be decoded.

    Args:
        table: The records.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, which its ``rejected`` lists.

    Raises:
        DataError: More than the allowed share of the records cannot be used.
    """
    # TensorFlow loads here, and not before.
    from tfaigc.data.images.decoding import find_faults

    return leave_out(table.require("image"), find_faults(table), max_invalid_share)


def check_labelled_images(
    table: Table, *, labels: Sequence[str] | None = None, max_invalid_share: float = 0.0
) -> tuple[Table, EncodedLabels]:
    """Checks images and labels; see ``check_images`` and ``check_labels``."""
    kept = check_images(image_table(table), max_invalid_share=max_invalid_share)
    return check_labels(kept, labels, max_invalid_share=max_invalid_share)


def is_pillow_image(value: object) -> bool:
    """Says whether something is an image of Pillow, without importing it."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)


def _is_image(value: object) -> bool:
    return isinstance(value, bytes | str | Path | np.ndarray) or is_pillow_image(value)
