"""Rows of several requests in one batch, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfaigc.serving.statuses import Code, RequestError
from tfaigc.serving.tensors import Arrays


def rows_in(arrays: Arrays) -> int:
    """Counts the rows of a request.

    Args:
        arrays: Arrays by input name, the batch first in each.

    Returns:
        The size of their first dimension.

    Raises:
        RequestError: They have different sizes.

    Example:
        >>> rows_in({"a": np.zeros((2, 3)), "b": np.zeros(2)})
        2
    """
    sizes = {array.shape[0] for array in arrays.values()}
    if len(sizes) != 1:
        raise RequestError(
            Code.INVALID_ARGUMENT,
            "Batching session Run() input tensors must have equal 0th-dimension size",
        )
    return sizes.pop()


def merge(parts: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Puts the rows of several requests, or answers, below each other.

    Args:
        parts: Arrays by name; names and sizes but the first are equal.

    Returns:
        Arrays by name.

    Raises:
        RequestError: Sizes other than the first differ.
    """
    if len(parts) == 1:
        return dict(parts[0])
    try:
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    except ValueError as error:
        raise RequestError(
            Code.INVALID_ARGUMENT,
            f"The outputs of parts of a large request do not fit together: {error}",
        ) from error


def padded_size(rows: int, allowed: Sequence[int]) -> int:
    """Chooses the size that a batch is padded to.

    Args:
        rows: Its rows.
        allowed: The sizes that there are to be, if any.

    Returns:
        The smallest allowed size that holds the rows; their number where none does.

    Example:
        >>> padded_size(3, (1, 4, 8)), padded_size(9, (1, 4, 8)), padded_size(3, ())
        (4, 9, 3)
    """
    return min((size for size in allowed if size >= rows), default=rows)


def run_padded(
    run: Callable[[Arrays, float | None], Arrays], arrays: Arrays, size: int, timeout: float | None
) -> Arrays:
    """Runs a batch padded with copies of its first row, and drops the copies' answers.

    Args:
        run: Runs a signature.
        arrays: Arrays by input name.
        size: The rows to run.
        timeout: Seconds; None for no limit.

    Returns:
        Arrays by output name, a row for each of the request's.

    Raises:
        RequestError: The run fails, or an output has not a row for each of the inputs'.
    """
    rows = rows_in(arrays)
    extra = size - rows
    if extra and rows:
        arrays = {
            name: np.concatenate([array, np.repeat(array[:1], extra, axis=0)])
            for name, array in arrays.items()
        }
    else:
        size = rows
    outputs = run(arrays, timeout)
    for name, output in outputs.items():
        if output.ndim == 0 or len(output) != size:
            raise RequestError(
                Code.FAILED_PRECONDITION,
                f"Batched output tensor's 0th dimension does not equal the sum of the 0th "
                f"dimension sizes of the input tensors: {name}",
            )
    return {name: output[:rows] for name, output in outputs.items()}
