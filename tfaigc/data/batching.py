"""make_dataset: length-bucketed batches of token ids as a tf.data.Dataset."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from tfaigc.data.order import BatchOrder
from tfaigc.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

PREFETCHED = 8


class TokenArrays(Protocol):
    """Token ids of many texts, one behind the other (as `EncodedTexts` holds them)."""

    @property
    def token_ids(self) -> npt.NDArray[np.int32]:
        """int32, (tokens,)."""

    @property
    def segment_ids(self) -> npt.NDArray[np.int32]:
        """int32, (tokens,)."""

    @property
    def row_splits(self) -> npt.NDArray[np.int64]:
        """int64, (texts + 1,): text i owns tokens row_splits[i] to row_splits[i + 1]."""


def make_dataset(
    features: TokenArrays,
    order: BatchOrder,
    *,
    labels: npt.NDArray[Any] | None = None,
    weights: npt.NDArray[Any] | None = None,
    pad_token_id: int = 0,
    max_length: int | None = None,
    multiple: int = 8,
) -> tf.data.Dataset:
    """Makes a dataset of padded batches.

    A batch is as long as its longest example, rounded up to a multiple of 8 and capped by
    `max_length`: few different shapes, little padding. Each iteration takes the next epoch of
    `order`, which is the dataset's attribute `batch_order`. After `order.resume_at(epoch, step)`
    an iteration over that epoch holds `len(order) - step` batches, although the dataset's
    cardinality stays `len(order)`; `EpochOrder` ends a `fit` epoch there, and
    `dataset.take(len(order) - step)` does in a loop of one's own.

    Args:
        features: The examples' tokens, in memory or memory-mapped.
        order: Which examples form which batch.
        labels: One label per example. (examples, ...).
        weights: One weight per example, for the loss. (examples,).
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

    _check_counts(features, order, labels, weights)
    batcher = _Batcher(features, pad_token_id, max_length, multiple)
    targets = [np.asarray(array) for array in (labels, weights) if array is not None]

    def generate() -> Iterator[Any]:
        for indices in order.take_epoch():
            inputs = batcher(indices)
            yield (inputs, *(array[indices] for array in targets)) if targets else inputs

    matrix = tf.TensorSpec((None, None), tf.int32)
    spec: Any = dict.fromkeys(("token_ids", "padding_mask", "segment_ids"), matrix)
    if targets:
        spec = (spec, *(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in targets))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=spec)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(order)))
    dataset = dataset.prefetch(PREFETCHED)
    # Hashed when a checkpoint asks for it, not before: there may be gigabytes of it.
    arrays: list[npt.NDArray[Any]] = [
        features.token_ids,
        features.segment_ids,
        features.row_splits,
        *targets,
    ]
    order.fingerprint = functools.cache(lambda: _hash(arrays))
    dataset.batch_order = order
    return dataset


class _Batcher:
    """Gathers the tokens of a batch with a few NumPy calls."""

    def __init__(
        self, features: TokenArrays, pad_token_id: int, max_length: int | None, multiple: int
    ) -> None:
        # A plain view: indexing a numpy.memmap costs more than the gather itself.
        self._token_ids = np.asarray(features.token_ids)
        self._segment_ids = np.asarray(features.segment_ids)
        row_splits = np.asarray(features.row_splits)
        self._starts = row_splits[:-1]
        self._lengths = np.diff(row_splits)
        self._pad_token_id = pad_token_id
        self._max_length = max_length
        self._multiple = multiple

    def __call__(self, indices: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.int32]]:
        lengths = self._lengths[indices]
        longest = max(int(lengths.max()), 1)
        width = -(-longest // self._multiple) * self._multiple
        if self._max_length is not None:
            width = max(min(width, self._max_length), longest)
        offsets = np.arange(width)
        real = offsets < lengths[:, None]
        positions = (self._starts[indices][:, None] + offsets)[real]
        token_ids = np.full(real.shape, self._pad_token_id, np.int32)
        segment_ids = np.zeros(real.shape, np.int32)
        token_ids[real] = self._token_ids[positions]
        segment_ids[real] = self._segment_ids[positions]
        return {
            "token_ids": token_ids,
            "padding_mask": real.astype(np.int32),
            "segment_ids": segment_ids,
        }


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
) -> None:
    """Refuses arrays that do not belong together."""
    if weights is not None and labels is None:
        raise DataError("weights need labels. Received: weights alone. Pass labels=... too.")
    counts = {
        "features": len(features.row_splits) - 1,
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
