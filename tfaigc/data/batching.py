"""Batches cut by length from tokenized texts, in an order that a seed and an epoch decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.data.cache import EncodedTexts
from tfaigc.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

# Lengths are rounded up to this, so that few shapes occur.
_LENGTH_STEP = 8
# Within so many batches of a shuffled epoch texts are sorted by length.
_POOL = 50


class BatchOrder:
    """Which texts make which batch, in every epoch.

    A shuffled epoch is a full permutation of the texts; runs of fifty batches of it are sorted by
    length before they are cut, and the batches are shuffled then. The last batch of an epoch's
    permutation may be smaller. Equal seeds give equal epochs.

    Args:
        lengths: int, (texts,): tokens of each text.
        batch_size: Texts in a batch.
        shuffle: Whether each epoch has an order of its own.
        sort: Whether to cut batches from the texts sorted by length, the longest first: the
            fastest order where none is wanted.
        seed: Seed of the orders.

    Attributes:
        epoch: The epoch of the next iteration; each iteration moves it on.
        first_step: Batches that the next iteration leaves out, once: where a run goes on.

    Raises:
        ConfigError: ``batch_size`` is below 1, or both orders are asked for.

    Example:
        >>> order = BatchOrder([3, 9, 4], batch_size=2, sort=True)
        >>> [batch.tolist() for batch in order.batches(0)]
        [[1, 2], [0]]
    """

    def __init__(
        self,
        lengths: Any,
        *,
        batch_size: int,
        shuffle: bool = False,
        sort: bool = False,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1. Received: {batch_size}.")
        if shuffle and sort:
            raise ConfigError("A dataset must be shuffled or sorted. Received: both. Pass one.")
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.sort = sort
        self.seed = seed
        self.epoch = 0
        self.first_step = 0

    def __len__(self) -> int:
        """Returns the number of batches in an epoch."""
        return -(-len(self.lengths) // self.batch_size)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Cuts an epoch.

        Args:
            epoch: Its number, from 0.

        Returns:
            The texts of each batch.
        """
        if not self.shuffle:
            rows = np.arange(len(self.lengths))
            if self.sort:
                rows = np.argsort(-self.lengths, kind="stable")
            return self._cut(rows)
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, epoch])))
        permutation = random.permutation(len(self.lengths))
        pool = _POOL * self.batch_size
        batches: list[np.ndarray] = []
        for start in range(0, len(permutation), pool):
            rows = permutation[start : start + pool]
            batches += self._cut(rows[np.argsort(self.lengths[rows], kind="stable")])
        return [batches[index] for index in random.permutation(len(batches))]

    def next_batches(self) -> list[np.ndarray]:
        """Cuts the epoch of the next iteration, from ``first_step`` on, and moves on."""
        batches = self.batches(self.epoch)[self.first_step :]
        self.epoch += 1
        self.first_step = 0
        return batches

    def _cut(self, rows: np.ndarray) -> list[np.ndarray]:
        return [rows[at : at + self.batch_size] for at in range(0, len(rows), self.batch_size)]


def make_dataset(
    encoded: EncodedTexts,
    targets: np.ndarray | None,
    *,
    order: BatchOrder,
    pad_token_id: int,
    max_length: int,
) -> tf.data.Dataset:
    """Makes the batches that a model trains on.

    Every batch is as long as its longest text, rounded up to a multiple of eight and at most
    ``max_length``.

    Args:
        encoded: The tokenized texts.
        targets: One row a text, or None.
        order: Which texts make which batch; it becomes the dataset's ``batch_order``.
        pad_token_id: What fills short texts up.
        max_length: Longest batch.

    Returns:
        ``token_ids``, ``padding_mask`` and ``segment_ids``, int32, (batch, length); with targets
        a pair of these and the batch's targets.
    """
    import tensorflow as tf

    def generate() -> Iterator[Any]:
        for rows in order.next_batches():
            features = pad_batch(encoded, rows, pad_token_id=pad_token_id, max_length=max_length)
            yield features if targets is None else (features, targets[rows])

    ids = tf.TensorSpec((None, None), tf.int32)
    spec: Any = {"token_ids": ids, "padding_mask": ids, "segment_ids": ids}
    if targets is not None:
        spec = (spec, tf.TensorSpec((None, *targets.shape[1:]), targets.dtype))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=spec)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(order)))
    dataset = dataset.prefetch(8)
    dataset.batch_order = order
    return dataset


def pad_batch(
    encoded: EncodedTexts, rows: np.ndarray, *, pad_token_id: int, max_length: int
) -> dict[str, np.ndarray]:
    """Lays some texts side by side.

    Args:
        encoded: The tokenized texts.
        rows: int, (batch,): which of them.
        pad_token_id: What fills short texts up.
        max_length: Most columns.

    Returns:
        ``token_ids``, ``padding_mask`` and ``segment_ids``: int32, (batch, length).
    """
    starts = encoded.row_splits[rows]
    lengths = encoded.row_splits[rows + 1] - starts
    longest = int(lengths.max(initial=1))
    width = max(longest, min(-(-longest // _LENGTH_STEP) * _LENGTH_STEP, max_length))
    mask = np.arange(width) < lengths[:, None]
    cells = (starts[:, None] + np.arange(width))[mask]
    token_ids = np.full(mask.shape, pad_token_id, np.int32)
    segment_ids = np.zeros(mask.shape, np.int32)
    token_ids[mask] = encoded.token_ids[cells]
    segment_ids[mask] = encoded.segment_ids[cells]
    return {
        "token_ids": token_ids,
        "padding_mask": mask.astype(np.int32),
        "segment_ids": segment_ids,
    }
