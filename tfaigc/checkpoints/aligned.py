"""Memory for arrays that other libraries can go on to use without a copy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Bytes; what TensorFlow's kernels want.
ALIGNMENT = 64


def empty_aligned(shape: Sequence[int], dtype: npt.DTypeLike) -> np.ndarray:
    """Makes an array whose memory begins at a multiple of ``ALIGNMENT``.

    Args:
        shape: The shape.
        dtype: The type.

    Returns:
        The array; its content is arbitrary.

    Example:
        >>> empty_aligned((2, 3), "float32").ctypes.data % ALIGNMENT
        0
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    buffer = np.empty(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start : start + size].view(kind).reshape(shape)
