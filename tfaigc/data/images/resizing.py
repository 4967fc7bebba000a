"""Resizing to the pixel as Pillow does, in TensorFlow operations, so that a SavedModel can do it.

Pillow's ``resize`` filters rows, rounds to whole numbers, then filters columns and rounds again,
each with weights in units of 2 ** -22. So it is here, in float64, which holds all sums exactly.
From version 13 on Pillow filters the columns of images first that get much lower and less narrower,
which rounds otherwise here and there; here, the order stays the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_UNIT = 2.0**22


def _triangle(x: Any) -> Any:
    return tf.maximum(1.0 - tf.abs(x), 0.0)


def _cubic(x: Any) -> Any:
    """Keys's kernel (1981) with a = -0.5."""
    x = tf.abs(x)
    near = ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * -0.5
    return tf.where(x < 1.0, near, tf.where(x < 2.0, far, tf.zeros_like(x)))


Kernel = Callable[[Any], Any]
# By Pillow's numbers: the kernel, and how far it reaches.
KERNELS: dict[int, tuple[Kernel, float]] = {2: (_triangle, 1.0), 3: (_cubic, 2.0)}
"""What ``resample`` in ``preprocessor_config.json`` may be: bilinear, bicubic.

A kernel with steps, such as a box, would depend on how a graph orders its sums.
"""


def resize(image: Any, height: Any, width: Any, *, resample: int) -> Any:
    """Resizes one image.

    Args:
        image: uint8, (height, width, channels).
        height: The new height, a number or a tensor.
        width: The new width.
        resample: One of ``KERNELS``.

    Returns:
        uint8, (new height, new width, channels).
    """
    columns = tf.transpose(image, (1, 0, 2))
    rows = tf.transpose(_resize_first(columns, width, resample), (1, 0, 2))
    return _resize_first(rows, height, resample)


def _resize_first(image: Any, size: Any, resample: int) -> Any:
    """Resizes the first of three axes."""
    shape = tf.shape(image)
    size = tf.convert_to_tensor(size)
    flat = tf.cast(tf.reshape(image, (shape[0], shape[1] * shape[2])), tf.float64)
    weights = tf.sparse.from_dense(_weights(shape[0], size, resample))
    sums = tf.sparse.sparse_dense_matmul(weights, flat)
    rounded = tf.clip_by_value(tf.floor((sums + _UNIT / 2) / _UNIT), 0.0, 255.0)
    return tf.cast(tf.reshape(rounded, (size, shape[1], shape[2])), tf.uint8)


def _weights(old: Any, new: Any, resample: int) -> Any:
    """Computes how much each old place counts in each new one: float64, (new, old)."""
    kernel, reach = KERNELS[resample]
    scale = tf.cast(old, tf.float64) / tf.cast(new, tf.float64)
    stretch = tf.maximum(scale, 1.0)
    centers = (tf.range(tf.cast(new, tf.float64), dtype=tf.float64)[:, None] + 0.5) * scale
    places = tf.range(tf.cast(old, tf.float64), dtype=tf.float64)[None, :]
    first = tf.floor(tf.maximum(centers - reach * stretch + 0.5, 0.0))
    last = tf.floor(centers + reach * stretch + 0.5)
    found = kernel((places - centers + 0.5) * (1.0 / stretch))
    found = tf.where((places >= first) & (places < last), found, tf.zeros_like(found))
    found /= tf.reduce_sum(found, axis=1, keepdims=True)
    # Halves go away from zero.
    return tf.sign(found) * tf.floor(tf.abs(found) * _UNIT + 0.5)
