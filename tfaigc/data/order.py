"""BatchOrder: which examples form which batch, in every epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tfaigc.data.shuffling import permutation
from tfaigc.errors import DataError

Indices = npt.NDArray[np.int64]

POOL = 50


class BatchOrder:
    """Decides which examples form which batch, in every epoch.

    With `shuffle`, each epoch is a full permutation by seed and epoch. It is cut into pools of 50
    batches; each pool is sorted by length and cut into batches, so that the examples of a batch
    are about equally long; then all batches are shuffled. Without it, examples are sorted by
    length, the longest first, in every epoch: batches pad little, and what does not fit in memory
    shows at once; or they keep their order, where `sort` is off. No example is dropped: the last
    batch cut is smaller where they do not divide, unless `drop_remainder` leaves it out.

    Args:
        lengths: Number of tokens of each example. (examples,).
        batch_size: Examples per batch.
        shuffle: Whether epochs are random.
        sort: Whether epochs that are not random go by length.
        seed: Decides the random order, with the epoch.
        drop_remainder: Whether to leave out a batch that is not full.

    Attributes:
        epoch: The epoch that the next iteration over a dataset takes; it then moves on by one.
        fingerprint: Gives a hash of the examples; `None` before a dataset is made.

    Raises:
        DataError: There are no examples, or the batch size is not positive.

    Example:
        >>> order = BatchOrder([5, 9, 7], 2)
        >>> order.batches(0)
        [array([1, 2]), array([0])]
    """

    def __init__(
        self,
        lengths: npt.ArrayLike,
        batch_size: int,
        *,
        shuffle: bool = False,
        sort: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
    ) -> None:
        self.lengths = np.asarray(lengths, np.int64)
        if not len(self.lengths):
            raise DataError("A dataset must have examples. Received: none. Check the records.")
        if batch_size < 1:
            raise DataError(
                f"batch_size must be at least 1. Received: {batch_size}. Pass batch_size=32."
            )
        if drop_remainder and batch_size > len(self.lengths):
            raise DataError(
                f"batch_size must be at most the number of examples, {len(self.lengths)}, where "
                f"batches that are not full are dropped. Received: {batch_size}. Make it smaller."
            )
        if seed < 0:
            raise DataError(f"seed must be at least 0. Received: {seed}. Pass seed=0.")
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.sort = sort
        self.seed = seed
        self.drop_remainder = drop_remainder
        self.epoch = 0
        self.fingerprint: Callable[[], str] | None = None
        self._resume = (0, 0)

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        full, rest = divmod(len(self.lengths), self.batch_size)
        return full + (rest > 0 and not self.drop_remainder)

    def batches(self, epoch: int) -> list[Indices]:
        """Lists the batches of an epoch.

        Args:
            epoch: The epoch, from 0.

        Returns:
            The positions of each batch's examples. int64, (batch,) each.
        """
        if self.shuffle:
            cut = self._shuffled(epoch)
        elif self.sort:
            cut = self._cut(np.argsort(-self.lengths, kind="stable"))
        else:
            cut = self._cut(np.arange(len(self.lengths)))
        if self.drop_remainder:
            cut = [batch for batch in cut if len(batch) == self.batch_size]
        if self.shuffle:
            return [cut[position] for position in permutation(len(cut), self.seed, epoch, 1)]
        return cut

    def _shuffled(self, epoch: int) -> list[Indices]:
        """Permutes the examples and sorts them by length, pool by pool."""
        order = permutation(len(self.lengths), self.seed, epoch, 0)
        size = POOL * self.batch_size
        cut: list[Indices] = []
        for start in range(0, len(order), size):
            pool = order[start : start + size]
            cut += self._cut(pool[np.argsort(-self.lengths[pool], kind="stable")])
        return cut

    def _cut(self, order: Indices) -> list[Indices]:
        """Cuts positions into batches."""
        return [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]

    @property
    def first_step(self) -> int:
        """The batch at which iterations over `epoch` begin; 0 unless a run resumes in it."""
        epoch, step = self._resume
        return step if epoch == self.epoch else 0

    @first_step.setter
    def first_step(self, step: int) -> None:
        self.resume_at(self.epoch, step)

    def resume_at(self, epoch: int, step: int) -> None:
        """Makes iterations over one epoch begin after the batches that a stopped run has seen.

        It holds for that epoch until the next call, however often a dataset is iterated.

        Args:
            epoch: The epoch in which the run stopped.
            step: Number of its batches that the run has seen.

        Raises:
            DataError: The epoch has no such batch.
        """
        if epoch < 0 or not 0 <= step < len(self):
            raise DataError(
                f"A run can resume at a batch from 0 to {len(self) - 1} of an epoch. Received: "
                f"batch {step} of epoch {epoch}. Resume at the next epoch's batch 0."
            )
        self.epoch = epoch
        self._resume = (epoch, step)

    def take_epoch(self) -> list[Indices]:
        """Gives the batches of the next iteration and moves on to the next epoch.

        Returns:
            The batches of `epoch`, from `first_step`.
        """
        batches = self.batches(self.epoch)[self.first_step :]
        self.epoch += 1
        return batches

    def restore(self, outputs: npt.NDArray[np.generic], epoch: int = 0) -> npt.NDArray[np.generic]:
        """Puts outputs, which come in the order of the batches, back into the examples' order.

        Args:
            outputs: One row per example, as a model's `predict` gives them. (examples, ...).
            epoch: The epoch whose batches gave them; it matters only with `shuffle`.

        Returns:
            Row i is that of example i. (examples, ...).

        Raises:
            DataError: The number of rows is not that of the examples.
        """
        if len(outputs) != len(self.lengths):
            raise DataError(
                f"outputs must have {len(self.lengths)} rows, one per example. Received: "
                f"{len(outputs)}. Predict on the whole dataset, without drop_remainder."
            )
        restored = np.empty_like(outputs)
        restored[np.concatenate(self.batches(epoch))] = outputs
        return restored
