"""The position-wise feed-forward network of a block."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.layers.activations import activation
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.plain_attributes import PlainAttributes


class FeedForward(PlainAttributes, keras.layers.Layer):
    """Two dense layers with an activation between (arXiv:1706.03762, section 3.3).

    With a gate, a third layer's outputs are multiplied with the activations (arXiv:2002.05202).

    Args:
        hidden_size: Width of the rows.
        intermediate_size: Width between the two layers.
        activation_name: Name of the activation, as in ``config.json``.
        factory: Makes the elementary layers.
        use_bias: Whether the dense layers have biases.
        gated: Whether there is a gate.
        inner_dropout: Share of the activations that training drops between the layers.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        intermediate_size: int,
        activation_name: str,
        factory: LayerFactory,
        use_bias: bool = True,
        gated: bool = False,
        inner_dropout: float = 0.0,
        name: str = "feed_forward",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.intermediate_size = intermediate_size
        self.activation_name = activation_name
        activation(activation_name)
        self.inner = factory.dense(intermediate_size, name="inner", use_bias=use_bias)
        self.gate = (
            factory.dense(intermediate_size, name="gate", use_bias=use_bias) if gated else None
        )
        self.outer = factory.dense(hidden_size, name="outer", use_bias=use_bias)
        self.dropout = factory.dropout(inner_dropout, name="dropout") if inner_dropout else None

    def build(self, input_shape: Any) -> None:
        """Builds the layers."""
        self.inner.build((None, self.hidden_size))
        if self.gate is not None:
            self.gate.build((None, self.hidden_size))
        self.outer.build((None, self.intermediate_size))

    def call(self, rows: Any, *, training: bool = False) -> Any:
        """Takes (rows, hidden) to (rows, hidden)."""
        inner = activation(self.activation_name, training=training)(self.inner(rows))
        if self.gate is not None:
            inner = inner * self.gate(rows)
        if self.dropout is not None:
            inner = self.dropout(inner, training=training)
        return self.outer(inner)
