"""What the reports of all tasks ask of their arguments, and say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tfaigc.errors import DataError

Array: TypeAlias = np.ndarray[Any, Any]


def check_texts(texts: Sequence[str] | None, references: Array) -> None:
    """Checks that there is a text for each reference.

    Args:
        texts: What the model was asked, or None.
        references: One row an example.

    Raises:
        DataError: There are more or fewer texts than references.
    """
    if texts is not None and len(texts) != len(references):
        raise DataError(
            f"texts must be as many as references. Received: {len(texts)} for {len(references)}. "
            "Pass the texts that the model was asked, in the same order."
        )


def texts_of(texts: Sequence[str] | None, index: int) -> dict[str, Any]:
    """Returns the start of a line of `predictions.jsonl`: the text, where there are texts."""
    return {} if texts is None else {"text": str(texts[index])}


def counted(references: Array) -> str:
    """Says how many examples there are.

    Example:
        >>> counted(np.zeros(1200)), counted(np.zeros(1))
        ('1,200 examples', '1 example')
    """
    return "1 example" if len(references) == 1 else f"{len(references):,} examples"
