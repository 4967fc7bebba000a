"""Layer normalization."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.gradients import with_gradient


class LayerNorm(keras.layers.LayerNormalization):
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
        normalized = _layer_norm(
            ops.cast(inputs, "float32"),
            ops.cast(self.gamma, "float32"),
            ops.zeros_like(self.gamma, "float32")
            if self.beta is None
            else ops.cast(self.beta, "float32"),
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
