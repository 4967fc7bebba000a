"""Batches of images as a tf.data.Dataset, flipped and cropped at random on request."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.data.images.processor import ImageProcessor
from tfaigc.data.order import BatchOrder

_PREFETCHED = 4


@dataclass(frozen=True)
class Augmentation:
    """What is drawn anew in each epoch.

    Attributes:
        flip: Whether every other image is turned left to right.
        crop: By how many pixels an image may be moved along each axis; what is moved in is black.
        seed: Of the draws.
    """

    flip: bool = False
    crop: int = 0
    seed: int = 0

    def __call__(self, pixels: Any, moment: Any) -> Any:
        """Changes the images of a batch, each in its own way.

        Args:
            pixels: uint8, (batch, height, width, channels).
            moment: int64, (2,): the epoch and the step. Equal ones give equal draws.

        Returns:
            The same shape.
        """
        seed = tf.constant(np.random.SeedSequence(self.seed).generate_state(2).astype(np.int32))
        for number in tf.unstack(moment):
            seed = tf.random.fold_in(seed, number)
        turns, moves = tf.unstack(tf.random.split(seed))
        count = tf.shape(pixels)[0]
        if self.flip:
            drawn = tf.random.stateless_uniform((count, 1, 1, 1), turns)
            pixels = tf.where(drawn < 0.5, tf.reverse(pixels, [2]), pixels)
        if self.crop:
            most = 2 * self.crop + 1
            height, width = pixels.shape[1:3]
            shape = (2, count, 1)
            offsets = tf.random.stateless_uniform(shape, moves, maxval=most, dtype=tf.int32)
            sides = [self.crop, self.crop]
            padded = tf.pad(pixels, [[0, 0], sides, sides, [0, 0]])
            padded = tf.gather(padded, offsets[0] + tf.range(height), axis=1, batch_dims=1)
            pixels = tf.gather(padded, offsets[1] + tf.range(width), axis=2, batch_dims=1)
        return pixels


def make_image_dataset(
    pixels: np.ndarray,
    order: BatchOrder,
    processor: ImageProcessor,
    *,
    labels: np.ndarray | None = None,
    augmentation: Augmentation | None = None,
) -> tf.data.Dataset:
    """Makes a dataset of batches; see ``make_dataset`` for their order.

    Args:
        pixels: uint8, (examples, height, width, channels).
        order: Which examples form which batch.
        processor: Takes pixels to what a network reads.
        labels: One per example. (examples, ...).
        augmentation: What is drawn anew in each epoch; None: nothing.

    Returns:
        A dataset of inputs, ``{"images": float32, (batch, height, width, channels)}``, or of
        inputs and labels.
    """
    arrays = [pixels] if labels is None else [pixels, np.asarray(labels)]

    def generate() -> Iterator[Any]:
        epoch, first = order.epoch, order.first_step
        for step, batch in enumerate(order.take_epoch(), first):
            yield (np.array([epoch, step]), *(array[batch] for array in arrays))

    def prepare(moment: Any, images: Any, *targets: Any) -> Any:
        if augmentation is not None:
            images = augmentation(images, moment)
        inputs = {"images": processor.normalize(images)}
        return (inputs, *targets) if targets else inputs

    signature = (
        tf.TensorSpec((2,), tf.int64),
        *(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = dataset.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(order)))
    dataset = dataset.prefetch(_PREFETCHED)
    order.fingerprint = functools.cache(lambda: _hash(arrays))
    dataset.batch_order = order
    return dataset


def _hash(arrays: list[np.ndarray]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        for part in array:
            digest.update(part.tobytes())
    return digest.hexdigest()
