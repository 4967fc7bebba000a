"""Positions as rotations of queries and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from tfaigc.errors import ConfigError


@dataclass(frozen=True)
class RotarySettings:
    """By how much a position turns each pair of a head's numbers (Su et al., arXiv:2104.09864).

    Args:
        frequencies: Radians that each pair turns from one position to the next; numbers of a head
            beyond these pairs are not turned.
        scale: What turned numbers are multiplied with besides.

    Raises:
        ConfigError: There is no frequency.
    """

    frequencies: tuple[float, ...]
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Checks that something turns."""
        if not self.frequencies:
            raise ConfigError(
                "Rotary positions must turn at least two numbers of a head. Received: none. "
                "Correct the head's size, or the rotary share of it, in config.json."
            )

    @property
    def size(self) -> int:
        """How many of a head's numbers are turned."""
        return 2 * len(self.frequencies)


def rotary_frequencies(size: int, theta: float) -> np.ndarray:
    """Computes the frequencies whose wavelengths grow geometrically.

    Args:
        size: How many of a head's numbers are turned.
        theta: The base of the wavelengths.

    Returns:
        float32, (half of size).

    Example:
        >>> rotary_frequencies(4, 100.0).tolist()
        [1.0, 0.10000000149011612]
    """
    exponents = np.arange(0, size, 2, dtype="float32") / np.float32(size)
    # Far positions multiply every rounding error: a power rounded once is what checkpoints were
    # trained with, up to the last bit.
    wavelengths = np.float64(np.float32(theta)) ** exponents.astype("float64")
    inverse: np.ndarray = np.float32(1) / wavelengths.astype("float32")
    return inverse


def rotary_settings(
    frequencies: Sequence[float] | np.ndarray, scale: float = 1.0
) -> RotarySettings:
    """Makes settings of an array.

    Example:
        >>> rotary_settings(rotary_frequencies(2, 100.0))
        RotarySettings(frequencies=(1.0,), scale=1.0)
    """
    return RotarySettings(tuple(float(frequency) for frequency in frequencies), float(scale))


def rotary_angles(positions: Any, settings: RotarySettings) -> tuple[Any, Any]:
    """Computes the cosines and sines of each position.

    Args:
        positions: int, (batch or 1, length).
        settings: How fast each pair turns.

    Returns:
        Cosines and sines, float32, (batch or 1, 1, length, turned numbers of a head).

    Example:
        >>> settings = rotary_settings(rotary_frequencies(2, 100.0))
        >>> cosines, _ = rotary_angles(ops.array([[0, 1]]), settings)
        >>> cosines.numpy().round(1).astype("float64").round(1).tolist()
        [[[[1.0, 1.0], [0.5, 0.5]]]]
    """
    frequencies = ops.convert_to_tensor(np.asarray(settings.frequencies, "float32"))
    angles = ops.cast(positions, "float32")[:, None, :, None] * frequencies
    angles = ops.concatenate([angles, angles], axis=-1)
    cosines, sines = ops.cos(angles), ops.sin(angles)
    if settings.scale == 1.0:
        return cosines, sines
    return cosines * settings.scale, sines * settings.scale


def rotate(heads: Any, angles: tuple[Any, Any]) -> Any:
    """Turns queries or keys by their positions.

    Args:
        heads: float, (batch, heads, length, head size): of the numbers that are turned, the first
            half pairs with the second; the others come after them.
        angles: What ``rotary_angles`` returned.

    Returns:
        The same shape and type.
    """
    # Under mixed precision Keras hands them over in the narrow type.
    cosines, sines = (ops.cast(part, "float32") for part in angles)
    size = cosines.shape[-1]
    turning = heads if heads.shape[-1] == size else heads[..., :size]
    wide = ops.cast(turning, "float32")
    first, second = ops.split(wide, 2, axis=-1)
    turned = wide * cosines + ops.concatenate([-second, first], axis=-1) * sines
    turned = ops.cast(turned, heads.dtype)
    return turned if turning is heads else ops.concatenate([turned, heads[..., size:]], axis=-1)
