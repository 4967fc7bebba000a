"""What a frozen backbone makes of examples, computed once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tfaigc.data import BatchOrder, EncodedTexts, make_dataset
from tfaigc.tasks.examples import Examples

if TYPE_CHECKING:
    from tfaigc.tasks.task import Task

_BATCH_SIZE = 64


def with_features(model: Task, batches: tf.data.Dataset, targets: Any) -> tf.data.Dataset:
    """Takes batches of tokens to batches of what a model's head reads of each example.

    Args:
        model: A model with a frozen backbone.
        batches: What ``make_dataset`` made.
        targets: The examples' targets.

    Returns:
        The same batches with ``features``, float32, (batch, width), as input.
    """
    rows = _features(model, batches.tokens)
    return make_dataset(batches.tokens, batches.batch_order, labels=targets, rows=rows)


def _features(model: Task, encoded: EncodedTexts) -> np.ndarray:
    """Computes float32, (examples, width), in the examples' order."""
    order = BatchOrder(np.diff(encoded.row_splits), _BATCH_SIZE)
    batches = model.make_batches(Examples(encoded), order)
    compute = tf.function(
        partial(model.network.features, remove_padding=True), reduce_retracing=True
    )
    return order.restore(np.concatenate([compute(batch).numpy() for batch in batches]))
