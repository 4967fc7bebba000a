"""The encoder of images: patches, then blocks in which every patch sees every other."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfaigc.errors import ConfigError
from tfaigc.layers import ImageEmbeddings, LayerFactory, PaddedLayout, attention_bias
from tfaigc.models.config import TransformerConfig
from tfaigc.models.parts import make_block


class ImageEncoder(keras.layers.Layer):
    """A stack of Transformer blocks over embedded patches.

    Args:
        config: The stack's settings, with those of images.
        factory: Makes the elementary layers.
    """

    def __init__(
        self, config: TransformerConfig, *, factory: LayerFactory, name: str = "encoder"
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        assert config.image is not None
        self.config = config
        self.image = config.image
        self.embeddings = ImageEmbeddings(
            num_channels=self.image.num_channels,
            patch_size=self.image.patch_size,
            num_patches=self.image.num_patches,
            hidden_size=config.hidden_size,
            distilled=self.image.distilled,
            dropout=config.hidden_dropout,
            factory=factory,
        )
        self.blocks = [make_block(config, number, factory) for number in config.block_order()]
        self.final_norm = factory.layer_norm(config.norm_epsilon, name="final_norm")

    def build(self, input_shape: Any) -> None:
        """Builds the parts."""
        self.embeddings.build(None)
        for block in self.blocks:
            block.build(None)
        self.final_norm.build((None, self.config.hidden_size))

    def call(self, images: Any, *, training: bool = False) -> Any:
        """Encodes a batch.

        Args:
            images: float, (batch, height, width, channels), as the checkpoint's processor makes
                them.
            training: Whether dropout is active.

        Returns:
            float, (batch, tokens + patches, hidden).

        Raises:
            ConfigError: The images have another size than the checkpoint's.
        """
        expected = (*self.image.image_size, self.image.num_channels)
        came = tuple(images.shape[1:])
        if any(size not in (None, wanted) for size, wanted in zip(came, expected, strict=True)):
            raise ConfigError(
                f"images must be of shape (batch, {', '.join(map(str, expected))}) for this "
                f"checkpoint. Received: (batch, {', '.join(map(str, came))}). Resize the images."
            )
        embedded = self.embeddings(images, training=training)
        mask = ops.ones(ops.shape(embedded)[:2], dtype="int32")
        layout = PaddedLayout(mask)
        bias = attention_bias(mask, dtype=self.compute_dtype)
        rows = layout.to_rows(embedded)
        for block in self.blocks:
            rows = block(rows, layout=layout, bias=bias, training=training)
        return layout.to_grid(self.final_norm(rows))
