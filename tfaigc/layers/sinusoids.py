"""Positions as waves, computed instead of learned."""

from __future__ import annotations

import numpy as np


def sinusoids(num_positions: int, width: int) -> np.ndarray:
    """Computes a table of positions: all sines, then all cosines (arXiv:1706.03762, section 3.5).

    Args:
        num_positions: Number of rows.
        width: Width of a row.

    Returns:
        float32, (positions, width).

    Example:
        >>> sinusoids(2, 4).astype(float).round(2).tolist()
        [[0.0, 0.0, 1.0, 1.0], [0.84, 0.01, 0.54, 1.0]]
    """
    column = np.arange(width)
    # In float64, as the checkpoints that store the table were made.
    angles = np.arange(num_positions)[:, None] / np.power(10000, 2 * (column // 2) / width)
    waves = [np.sin(angles[:, 0::2]), np.cos(angles[:, 1::2])]
    return np.concatenate(waves, axis=1).astype("float32")
