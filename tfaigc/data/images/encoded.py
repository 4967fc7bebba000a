"""Encoded images to pixels, in TensorFlow operations, so that a SavedModel can do it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfaigc.data.images.orientation import turn_upright


def decode_colors(encoded: Any) -> Any:
    """Decodes one image to what Pillow makes of it in RGB.

    Photographs are turned as their JPEG says, as the pipelines of ``transformers`` do. Of images
    with 16 bits a color the upper eight count; Pillow cuts grey ones off at 255.

    Args:
        encoded: string, (): JPEG, PNG, GIF (its first frame), BMP or WebP.

    Returns:
        uint8, (height, width, 3). Transparency is left out; in a GIF it is black.
    """
    colors = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: _decode_jpeg(encoded),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    return tf.ensure_shape(colors, (None, None, 3))


def _decode_jpeg(encoded: Any) -> Any:
    # As exact as Pillow; the usual method of TensorFlow is faster and less so.
    image = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
    return turn_upright(image, encoded)
