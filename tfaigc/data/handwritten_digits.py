"""Digits that 43 people wrote by hand (Alpaydin and Kaynak, 1998), which ride in scikit-learn."""

from __future__ import annotations

import numpy as np

from tfaigc.data.table import Table

# How scikit-learn counts the ink in a pixel.
_MOST_INK = 16


def handwritten_digits() -> Table:
    """Reads images of digits as records with an ``image`` and a ``label``.

    An image is uint8, (8, 8), from 0 for paper to 255 for ink; its label is from "0" to "9".

    Returns:
        1,797 records.

    Example:
        >>> table = handwritten_digits()
        >>> table.rows[0]["image"].shape, table.column("label")[:4]
        ((8, 8), ['0', '1', '2', '3'])
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / _MOST_INK)).astype(np.uint8)
    rows = [
        {"image": image, "label": str(label)}
        for image, label in zip(images, digits.target, strict=True)
    ]
    numbers = range(1, len(rows) + 1)
    return Table(rows, "handwritten_digits", numbers, unit="row", columns=("image", "label"))
