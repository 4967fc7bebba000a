"""Dropout of activations, which draws 16 random bits for each, and of whole blocks."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.plain_attributes import PlainAttributes
from tfaigc.layers.repeated_seeds import SeedsInTurn

_DRAWN_AT_ONCE = 8
_LEVELS = 2**16


class Dropout(PlainAttributes, keras.layers.Dropout):
    """Dropout (Srivastava et al., 2014), at half the usual cost in random numbers.

    On CPUs the random numbers are what dropout costs. Two activations share one random number of
    32 bits, so that the rate is rounded to a multiple of 1 / 65,536.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Sets a random share of the activations to zero, and scales up the others.

        Args:
            inputs: float, (...).
            training: Whether dropout is active.

        Returns:
            float, (...): the inputs themselves when dropout is not active.
        """
        if not training or self.rate == 0:
            return inputs
        threshold = round(self.rate * _LEVELS)
        if threshold == _LEVELS:
            return ops.zeros_like(inputs)
        scale = _LEVELS / (_LEVELS - threshold)
        kept = self._random_levels(ops.shape(inputs)) >= threshold - _LEVELS // 2
        zero, scale = (ops.cast(value, inputs.dtype) for value in (0.0, scale))
        return inputs * ops.where(kept, scale, zero)

    def _random_levels(self, shape: Any) -> Any:
        """Draws int16 of a shape, every value equally likely."""
        size: Any = 1
        for extent in shape:
            size = size * extent
        draws = keras.random.randint(
            ((size + _DRAWN_AT_ONCE - 1) // _DRAWN_AT_ONCE, _DRAWN_AT_ONCE // 2),
            minval=-(2**31),
            maxval=2**31 - 1,
            dtype="int32",
            seed=SeedsInTurn(self.seed_generator),
        )
        return ops.reshape(ops.reshape(ops.view(draws, "int16"), (-1,))[:size], shape)


class LayerDrop(PlainAttributes, keras.layers.Layer):
    """Leaves whole blocks out in training (Fan et al., arXiv:1909.11556).

    Args:
        rate: Chance that a block is left out.
        seed: Equal seeds give equal choices.
    """

    def __init__(self, rate: float, *, seed: int, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, after: Any, before: Any, training: bool = False) -> Any:
        """Chooses between what a block gave and what it was given, anew at each call.

        Args:
            after: float, (...).
            before: float, (...).
            training: Whether a block may be left out.

        Returns:
            float, (...): one of the two.
        """
        if not training:
            return after
        is_kept = keras.random.uniform((), seed=self.seed_generator) >= self.rate
        return ops.where(is_kept, after, before)
