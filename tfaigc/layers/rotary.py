"""Positions as rotations of queries and keys."""

from __future__ import annotations

from typing import Any

from keras import ops


def rotary_angles(positions: Any, *, head_size: int, theta: float) -> tuple[Any, Any]:
    """Computes by how much each pair of a head's numbers is turned (Su et al., arXiv:2104.09864).

    Args:
        positions: int, (batch or 1, length).
        head_size: Width of a head; even.
        theta: The base of the wavelengths.

    Returns:
        Cosines and sines, float32, (batch or 1, 1, length, head size).

    Example:
        >>> cosines, _ = rotary_angles(ops.array([[0, 1]]), head_size=2, theta=100.0)
        >>> cosines.numpy().round(1).astype("float64").round(1).tolist()
        [[[[1.0, 1.0], [0.5, 0.5]]]]
    """
    exponents = ops.arange(0, head_size, 2, dtype="float32") / head_size
    frequencies = 1.0 / ops.power(ops.cast(theta, "float32"), exponents)
    angles = ops.cast(positions, "float32")[:, None, :, None] * frequencies
    angles = ops.concatenate([angles, angles], axis=-1)
    return ops.cos(angles), ops.sin(angles)


def rotate(heads: Any, angles: tuple[Any, Any]) -> Any:
    """Turns queries or keys by their positions.

    Args:
        heads: float, (batch, heads, length, head size): the first half of a head's numbers pairs
            with the second.
        angles: What ``rotary_angles`` returned.

    Returns:
        The same shape and type.
    """
    # Under mixed precision Keras hands them over in the narrow type.
    cosines, sines = (ops.cast(part, "float32") for part in angles)
    wide = ops.cast(heads, "float32")
    first, second = ops.split(wide, 2, axis=-1)
    turned = wide * cosines + ops.concatenate([-second, first], axis=-1) * sines
    return ops.cast(turned, heads.dtype)
