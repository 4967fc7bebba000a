"""Random permutations and numbers that stay the same across versions of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def permutation(count: int, *key: int) -> npt.NDArray[np.int64]:
    """Draws a permutation that depends on the key alone.

    NumPy may change how its generators shuffle, but not the raw bits of PCG64: so these are
    sorted instead.

    Args:
        count: How many items to permute.
        *key: Whole numbers, none negative, that decide the permutation.

    Returns:
        The numbers from 0 to `count` - 1 in random order. int64, (count,).

    Example:
        >>> permutation(5, 0)
        array([3, 2, 1, 0, 4])
    """
    bits: Any = np.random.PCG64(np.random.SeedSequence(key))
    return np.argsort(bits.random_raw(count), kind="stable").astype(np.int64)


def uniform(count: int, *key: int) -> npt.NDArray[np.float64]:
    """Draws numbers from 0 to 1 that depend on the key alone.

    Args:
        count: How many.
        *key: Whole numbers, none negative, that decide them.

    Returns:
        The numbers, none of them 1. float64, (count,).

    Example:
        >>> bool((uniform(1000, 0, 7) < 0.5).mean().round(1) == 0.5)
        True
    """
    bits: Any = np.random.PCG64(np.random.SeedSequence(key))
    # As many bits as a float64 tells apart.
    drawn: npt.NDArray[np.float64] = (bits.random_raw(count) >> np.uint64(11)) * 2.0**-53
    return drawn
