"""Takes images to one row for each patch, behind rows of their own."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.layers.layer_factory import LayerFactory


class ImageEmbeddings(keras.layers.Layer):
    """Cuts images into patches and embeds each, after Dosovitskiy et al. (arXiv:2010.11929).

    Args:
        num_channels: Channels of an image.
        patch_size: Height and width of a patch, in pixels.
        num_patches: Patches of an image.
        hidden_size: Width of the rows.
        distilled: Whether a second row of its own follows the class's (arXiv:2012.12877).
        dropout: Share of the rows' activations that training drops.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        *,
        num_channels: int,
        patch_size: tuple[int, int],
        num_patches: int,
        hidden_size: int,
        distilled: bool,
        dropout: float,
        factory: LayerFactory,
        name: str = "embeddings",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.num_channels = num_channels
        self.hidden_size = hidden_size
        self.patches = factory.patches(hidden_size, patch_size, name="patches")
        tokens = ["class_token", "distillation_token"] if distilled else ["class_token"]
        self.tokens = [factory.embedding(1, hidden_size, name=token) for token in tokens]
        self.position = factory.embedding(num_patches + len(tokens), hidden_size, name="position")
        self.dropout = factory.dropout(dropout, name="dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the parts."""
        self.patches.build((None, None, None, self.num_channels))
        for part in (*self.tokens, self.position):
            part.build(None)

    def call(self, images: Any, *, training: bool = False) -> Any:
        """Embeds a batch.

        Args:
            images: float, (batch, height, width, channels).
            training: Whether dropout is active.

        Returns:
            float, (batch, tokens + patches, hidden).
        """
        patches = self.patches(ops.cast(images, self.compute_dtype))
        batch = ops.shape(patches)[0]
        patches = ops.reshape(patches, (batch, -1, self.hidden_size))
        tokens = [
            ops.broadcast_to(
                ops.cast(token.embeddings, self.compute_dtype)[None], (batch, 1, self.hidden_size)
            )
            for token in self.tokens
        ]
        rows = ops.concatenate([*tokens, patches], axis=1)
        positions = ops.cast(self.position.embeddings, self.compute_dtype)
        return self.dropout(rows + positions[None], training=training)
