"""Takes the tokens' activations to one vector for each text, as sentence-transformers does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfaigc.errors import ConfigError

# In the order in which several are laid side by side.
POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken")


class SentencePooling(keras.layers.Layer):
    """Pools tokens, after Reimers and Gurevych (arXiv:1908.10084).

    Args:
        modes: Some of ``POOLING_MODES``; the vectors of several are laid side by side. ``cls``
            and ``lasttoken`` take one token, ``max`` the greatest value of each feature,
            ``mean`` their mean, ``mean_sqrt_len`` their sum over the square root of their number,
            ``weightedmean`` a mean in which the n-th token counts n times (arXiv:2202.08904).
        normalize: Whether vectors are scaled to length 1.

    Raises:
        ConfigError: There is no mode, or one is not known.

    Example:
        >>> pooling = SentencePooling(["mean"], normalize=True)
        >>> activations = ops.convert_to_tensor([[[6.0, 4.0], [0.0, 4.0], [9.0, 9.0]]])
        >>> [round(float(x), 3) for x in pooling(activations, padding_mask=[[1, 1, 0]])[0]]
        [0.6, 0.8]
    """

    def __init__(
        self,
        modes: Sequence[str] = ("mean",),
        *,
        normalize: bool = False,
        dtype: str | None = None,
        name: str = "pooling",
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not modes or set(modes) - set(POOLING_MODES):
            raise ConfigError(
                f"Pooling modes must be some of {', '.join(POOLING_MODES)}. "
                f"Received: {', '.join(modes) or 'none'}."
            )
        self.modes = tuple(mode for mode in POOLING_MODES if mode in modes)
        self.normalize = normalize

    def call(self, sequence: Any, *, padding_mask: Any = None) -> Any:
        """Pools a batch.

        Args:
            sequence: float, (batch, length, hidden).
            padding_mask: int, (batch, length), or None where no text is padded.

        Returns:
            float32, (batch, modes * hidden).
        """
        sequence = ops.cast(sequence, "float32")
        mask = ops.ones_like(sequence[:, :, 0]) if padding_mask is None else padding_mask
        mask = ops.cast(mask, "float32")
        vectors = ops.concatenate([_pool(mode, sequence, mask) for mode in self.modes], axis=-1)
        if not self.normalize:
            return vectors
        length = ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True))
        return vectors / ops.maximum(length, 1e-12)

    def get_config(self) -> dict[str, Any]:
        """Returns what a layer of the same kind is made from."""
        return {**super().get_config(), "modes": list(self.modes), "normalize": self.normalize}


def _pool(mode: str, sequence: Any, mask: Any) -> Any:
    """Takes (batch, length, hidden) and its mask to (batch, hidden)."""
    if mode == "cls":
        return sequence[:, 0]
    if mode == "max":
        return ops.max(ops.where(mask[:, :, None] > 0, sequence, -1e9), axis=1)
    columns = ops.arange(ops.shape(mask)[1], dtype="float32")[None, :]
    if mode == "lasttoken":
        last = ops.argmax(columns * mask, axis=1)
        return ops.take_along_axis(sequence, last[:, None, None], axis=1)[:, 0]
    if mode == "weightedmean":
        mask = mask * (columns + 1)
    total = ops.sum(sequence * mask[:, :, None], axis=1)
    count = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1e-9)
    return total / (ops.sqrt(count) if mode == "mean_sqrt_len" else count)
