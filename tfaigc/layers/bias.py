"""A vector that is added to every row."""

from __future__ import annotations

from typing import Any

import keras


class Bias(keras.layers.Layer):
    """Adds a vector of its own to each row.

    Args:
        size: Width of the rows.
        initializer: Gives the fresh vector.
        fixed: Whether training leaves the vector alone.
        dtype: Name of a Keras dtype policy.
    """

    def __init__(
        self, size: int, *, initializer: Any = "zeros", fixed: bool = False, dtype: str, name: str
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.size = size
        self.initializer = initializer
        self.fixed = fixed
        self.bias = None

    def build(self, input_shape: Any) -> None:
        """Makes the vector."""
        self.bias = self.add_weight(
            shape=(self.size,), initializer=self.initializer, trainable=not self.fixed, name="bias"
        )

    def call(self, rows: Any) -> Any:
        """Takes (..., size) to (..., size)."""
        return rows + self.bias
