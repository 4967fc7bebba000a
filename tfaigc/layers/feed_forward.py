"""The position-wise feed-forward network of a block."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.layers.activations import activation
from tfaigc.layers.layer_factory import LayerFactory


class FeedForward(keras.layers.Layer):
    """Two dense layers with an activation between (arXiv:1706.03762, section 3.3).

    Args:
        hidden_size: Width of the rows.
        intermediate_size: Width between the two layers.
        activation_name: Name of the activation, as in ``config.json``.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        intermediate_size: int,
        activation_name: str,
        factory: LayerFactory,
        name: str = "feed_forward",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.intermediate_size = intermediate_size
        # Inside the dense layer, TensorFlow fuses product, bias and activation into one operation.
        self.inner = factory.dense(
            intermediate_size, name="inner", activation=activation(activation_name)
        )
        self.outer = factory.dense(hidden_size, name="outer")

    def build(self, input_shape: Any) -> None:
        """Builds both layers."""
        self.inner.build((None, self.hidden_size))
        self.outer.build((None, self.intermediate_size))

    def call(self, rows: Any) -> Any:
        """Takes (rows, hidden) to (rows, hidden)."""
        return self.outer(self.inner(rows))
