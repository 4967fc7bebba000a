"""Runs that come out the same each time, at the price of some speed."""

from __future__ import annotations

import keras


def make_deterministic(seed: int) -> None:
    """Seeds every random generator, and has TensorFlow compute in the same order each time.

    On a GPU this takes other kernels, of which some are slower and some do not exist; on a CPU
    most work is done in the same order anyway. It holds for the rest of the process.

    Args:
        seed: Of Python's, NumPy's and TensorFlow's random numbers.
    """
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
