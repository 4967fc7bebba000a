"""make_dataset: length-bucketed batches of token ids as a tf.data.Dataset."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tfaigc.data.batch_targets import BatchTargets, OfExamples, OfTokens, Prepare, Prepared
from tfaigc.data.batcher import Batcher, TokenArrays
from tfaigc.data.order import LENGTH_STEP, BatchOrder
from tfaigc.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

PREFETCHED = 8


def make_dataset(
    features: TokenArrays,
    order: BatchOrder,
    *,
    labels: npt.NDArray[Any] | None = None,
    weights: npt.NDArray[Any] | None = None,
    token_labels: npt.NDArray[np.int32] | None = None,
    prepare: Prepare | None = None,
    rows: npt.NDArray[np.float32] | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    pad_token_id: int = 0,
    max_length: int | None = None,
    multiple: int = LENGTH_STEP,
) -> tf.data.Dataset:
    """Makes a dataset of padded batches.

    A batch is as long as its longest example, rounded up to a multiple of 8 and capped by
    `max_length`: few different shapes, little padding. Each iteration takes the next epoch of
    `order`, which is the dataset's attribute `batch_order`. After `order.resume_at(epoch, step)`
    an iteration over that epoch holds `len(order) - step` batches, although the dataset's
    cardinality stays `len(order)`; `EpochOrder` ends a `fit` epoch there, and
    `dataset.take(len(order) - step)` does in a loop of one's own.

    Where examples share rows, all batches have one shape, and `pack_ids`, int32, (rows, length),
    which number a batch's examples from 1, with 0 in padding. With `labels` also `text_starts`,
    int32, (examples,): the cell in which each example begins, counted row by row.

    Args:
        features: The examples' tokens, in memory or memory-mapped.
        order: Which examples form which batch.
        labels: One label per example. (examples, ...).
        weights: One weight per example, for the loss. (examples,).
        token_labels: One label per token, instead of `labels`; padding has `IGNORED`. (tokens,).
        prepare: Makes the labels, where they are tokens of the batch. With `labels` too, targets
            are `{"tokens": those, "sentences": labels}`.
        rows: What was made of each example, for inputs `features` instead of tokens.
            (examples, width).
        groups: Where examples have several texts each: example i has those from groups[i] up to
            groups[i + 1]. Inputs get an axis of texts behind that of examples; what has fewer
            than others of its batch is filled up with padding. (examples + 1,).
        pad_token_id: Fills `token_ids` after an example's end.
        max_length: The longest that rounding up may make a batch.
        multiple: What a batch's length is rounded up to.

    Returns:
        A dataset of inputs, (inputs, labels) or (inputs, labels, weights). The inputs are
        {"token_ids", "padding_mask", "segment_ids"}, int32, (batch, length) each.

    Raises:
        DataError: Features, order, labels and weights differ in their number of examples.
    """
    import tensorflow as tf

    _check_counts(features, order, labels, weights, groups)
    batcher = Batcher(
        features,
        order.row_length,
        pad_token_id,
        max_length,
        multiple,
        token_labels,
        counts_texts=token_labels is None and prepare is None,
        groups=groups,
    )
    of_examples = [np.asarray(array) for array in (labels, weights) if array is not None]
    targets = _targets(of_examples, token_labels, prepare)

    def generate() -> Iterator[Any]:
        epoch, first_step = order.epoch, order.first_step
        for step, batch in enumerate(order.take_epoch(), first_step):
            inputs: Any = batcher(batch) if rows is None else {"features": rows[batch]}
            yield targets.join(inputs, batch, epoch=epoch, step=step)

    inputs = {name: tf.TensorSpec(shape, tf.int32) for name, shape in batcher.shapes.items()}
    if rows is not None:
        inputs = {"features": tf.TensorSpec((None, rows.shape[1]), tf.float32)}
    dataset = tf.data.Dataset.from_generator(generate, output_signature=targets.spec(inputs))
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(order)))
    dataset = dataset.prefetch(PREFETCHED)
    arrays: list[npt.NDArray[Any]] = [
        *(features.token_ids, features.segment_ids, features.row_splits),
        *([] if groups is None else [groups]),
        *targets.arrays,
    ]
    # Hashed when a checkpoint asks for it, not before: there may be gigabytes of it.
    order.fingerprint = functools.cache(lambda: _hash(arrays))
    dataset.batch_order = order
    dataset.tokens = features
    return dataset


def _targets(
    of_examples: list[npt.NDArray[Any]],
    of_tokens: npt.NDArray[np.int32] | None,
    prepare: Prepare | None,
) -> BatchTargets:
    if prepare is not None:
        return Prepared(prepare, of_examples)
    if of_tokens is not None:
        return OfTokens(of_tokens)
    return OfExamples(of_examples)


def _hash(arrays: Iterable[npt.NDArray[Any]]) -> str:
    """Hashes what a dataset holds."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()


def _check_counts(
    features: TokenArrays,
    order: BatchOrder,
    labels: npt.NDArray[Any] | None,
    weights: npt.NDArray[Any] | None,
    groups: npt.NDArray[np.int64] | None,
) -> None:
    """Refuses arrays that do not belong together."""
    if weights is not None and labels is None:
        raise DataError("weights need labels. Received: weights alone. Pass labels=... too.")
    if groups is not None and order.row_length is not None:
        raise DataError(
            "Examples of several texts cannot share rows. Received: groups and row_length. "
            "Leave row_length out."
        )
    counts = {
        "features": len(features.row_splits if groups is None else groups) - 1,
        "order": len(order.lengths),
        "labels": None if labels is None else len(labels),
        "weights": None if weights is None else len(weights),
    }
    present = {name: count for name, count in counts.items() if count is not None}
    if len(set(present.values())) > 1:
        raise DataError(
            f"All parts of a dataset must have the same number of examples. Received: {present}. "
            "Select the same rows from each."
        )
