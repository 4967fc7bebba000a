"""Normalization of each row by its own numbers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.gradients import with_gradient
from tfaigc.layers.plain_attributes import PlainAttributes


class LayerNorm(PlainAttributes, keras.layers.LayerNormalization):
    """Layer normalization over the last axis (Ba et al., arXiv:1607.06450).

    In training its gradient is written out: derived operation by operation, it would take several
    times as many passes over the activations.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Normalizes each row to mean 0 and variance 1, then scales and shifts it.

        Args:
            inputs: float, (..., width).
            training: Whether a gradient will follow.

        Returns:
            float, (..., width).
        """
        if not training:
            return super().call(inputs)
        width = inputs.shape[-1:]
        normalized = _layer_norm(
            ops.cast(inputs, "float32"),
            ops.ones(width) if self.gamma is None else ops.cast(self.gamma, "float32"),
            ops.zeros(width) if self.beta is None else ops.cast(self.beta, "float32"),
            self.epsilon,
        )
        return ops.cast(normalized, self.compute_dtype)


def _layer_norm(inputs: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    @with_gradient
    def normalize(inputs: Any, gamma: Any, beta: Any) -> tuple[Any, Any]:
        centered = inputs - ops.mean(inputs, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centered), axis=-1, keepdims=True)
        inverse = ops.rsqrt(variance + epsilon)
        unit = centered * inverse

        def gradient(upstream: Any) -> tuple[Any, Any, Any]:
            axes = tuple(range(len(upstream.shape) - 1))
            product = upstream * unit
            scaled = upstream * gamma
            mean = ops.mean(scaled, axis=-1, keepdims=True)
            slope = ops.mean(product * gamma, axis=-1, keepdims=True)
            return (
                (scaled - mean - unit * slope) * inverse,
                ops.sum(product, axis=axes),
                ops.sum(upstream, axis=axes),
            )

        return unit * gamma + beta, gradient

    return normalize(inputs, gamma, beta)


class RMSNorm(PlainAttributes, keras.layers.Layer):
    """Root-mean-square normalization over the last axis (Zhang and Sennrich, arXiv:1910.07467).

    It computes in float32; only the product with the scale is in the compute type, as in the
    networks that were trained with it.

    Args:
        epsilon: Added to the mean square.
    """

    def __init__(self, *, epsilon: float, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Makes the scale, which starts at one."""
        self.gamma = self.add_weight(
            name="gamma", shape=(input_shape[-1],), initializer="ones", autocast=True
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Scales each row to mean square 1, then each of its numbers.

        Args:
            inputs: float, (..., width).
            training: Whether a gradient will follow: it is then stated, not derived.

        Returns:
            float, (..., width).
        """
        wide = ops.cast(inputs, "float32")
        unit = (
            _stated_root_mean_square(wide, self.epsilon)
            if training
            else _unit(wide, self.epsilon)[0]
        )
        return ops.cast(self.gamma, self.compute_dtype) * ops.cast(unit, self.compute_dtype)


def _unit(inputs: Any, epsilon: float) -> tuple[Any, Any]:
    """Returns rows of mean square 1, and by what they were multiplied."""
    inverse = ops.rsqrt(ops.mean(ops.square(inputs), axis=-1, keepdims=True) + epsilon)
    return inputs * inverse, inverse


def _stated_root_mean_square(inputs: Any, epsilon: float) -> Any:
    @with_gradient
    def normalize(inputs: Any) -> tuple[Any, Any]:
        unit, inverse = _unit(inputs, epsilon)

        def gradient(upstream: Any) -> Any:
            slope = ops.mean(upstream * unit, axis=-1, keepdims=True)
            return (upstream - unit * slope) * inverse

        return unit, gradient

    return normalize(inputs)
