"""Elementary layers of one model, under one seed and one dtype policy."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tfaigc.errors import ConfigError
from tfaigc.layers.bias import Bias
from tfaigc.layers.dropout import Dropout, LayerDrop
from tfaigc.layers.norms import LayerNorm, RMSNorm
from tfaigc.layers.plain_attributes import PlainAttributes

# layer: centered and scaled, with weights; rms: scaled only, with weights; bare: as layer, without
# any weights.
NORM_KINDS = ("layer", "rms", "bare")


class Dense(PlainAttributes, keras.layers.Dense):
    """A dense layer."""


class Embedding(PlainAttributes, keras.layers.Embedding):
    """A table of rows."""


class LayerFactory:
    """Makes the elementary layers that the bricks of one model are built from.

    Every weight gets its own draw from the seed. Keras's initializers give equal values to equal
    shapes under one seed, which would make the query, key and value projections of a fresh model
    identical.

    Args:
        initializer_range: Standard deviation of fresh weights.
        seed: Equal seeds give equal weights and equal dropout.
        dtype: Name of a Keras dtype policy, or None for the global one.
    """

    def __init__(
        self, *, initializer_range: float = 0.02, seed: int = 0, dtype: str | None = None
    ) -> None:
        self.initializer_range = initializer_range
        self.dtype = dtype or keras.config.dtype_policy().name
        self._last_seed = seed * 1_000_003

    def dense(
        self,
        units: int,
        *,
        name: str,
        use_bias: bool = True,
        activation: Any = None,
        dtype: str | None = None,
    ) -> keras.layers.Dense:
        """Returns a dense layer; its bias starts at zero."""
        return Dense(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=self._normal(),
            name=name,
            dtype=dtype or self.dtype,
        )

    def embedding(self, size: int, width: int, *, name: str) -> keras.layers.Embedding:
        """Returns a table of ``size`` rows of ``width``."""
        return Embedding(
            size, width, embeddings_initializer=self._normal(), name=name, dtype=self.dtype
        )

    def bias(self, size: int, *, name: str) -> Bias:
        """Returns what adds a vector of ``size`` to each row; it starts as a matrix would."""
        return Bias(size, initializer=self._normal(), name=name, dtype=self.dtype)

    def patches(self, width: int, size: tuple[int, int], *, name: str) -> keras.layers.Conv2D:
        """Returns a dense layer over each patch of ``size`` pixels of an image."""
        return keras.layers.Conv2D(
            width,
            size,
            strides=size,
            data_format="channels_last",
            kernel_initializer=self._normal(),
            name=name,
            dtype=self.dtype,
        )

    def fixed_embedding(self, values: np.ndarray, *, name: str) -> keras.layers.Embedding:
        """Returns a table of given values, (size, width), that training leaves alone."""
        return Embedding(
            *values.shape,
            embeddings_initializer=lambda shape, dtype=None: keras.ops.convert_to_tensor(
                values, dtype
            ),
            trainable=False,
            name=name,
            dtype=self.dtype,
        )

    def layer_norm(self, epsilon: float, *, name: str, use_bias: bool = True) -> LayerNorm:
        """Returns a layer norm over the last axis."""
        return LayerNorm(epsilon=epsilon, center=use_bias, name=name, dtype=self.dtype)

    def norm(self, kind: str, epsilon: float, *, name: str, use_bias: bool = True) -> Any:
        """Returns a norm over the last axis.

        Args:
            kind: One of ``NORM_KINDS``.
            epsilon: Added to the variance or mean square.
            name: The layer's name.
            use_bias: Whether a layer norm has a bias.

        Returns:
            The layer, not built.

        Raises:
            ConfigError: The kind is not known.
        """
        if kind == "layer":
            return self.layer_norm(epsilon, name=name, use_bias=use_bias)
        if kind == "rms":
            return RMSNorm(epsilon=epsilon, name=name, dtype=self.dtype)
        if kind == "bare":
            return LayerNorm(
                epsilon=epsilon, center=False, scale=False, name=name, dtype=self.dtype
            )
        raise ConfigError(f"A norm must be one of {', '.join(NORM_KINDS)}. Received: {kind!r}.")

    def dropout(self, rate: float, *, name: str) -> Dropout:
        """Returns a dropout layer with a generator of its own."""
        return Dropout(rate, seed=self._draw_seed(), name=name, dtype=self.dtype)

    def layer_drop(self, rate: float, *, name: str) -> LayerDrop:
        """Returns what leaves whole blocks out, with a generator of its own."""
        return LayerDrop(rate, seed=self._draw_seed(), name=name, dtype=self.dtype)

    def _normal(self) -> keras.initializers.Initializer:
        return keras.initializers.RandomNormal(
            stddev=self.initializer_range, seed=self._draw_seed()
        )

    def _draw_seed(self) -> int:
        self._last_seed += 1
        return self._last_seed
