"""BatchOrder: which examples form which batch, in every epoch."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tfaigc.data.cutting import cut_by_tokens
from tfaigc.data.packing import pack_rows
from tfaigc.data.shuffling import permutation
from tfaigc.errors import DataError

Indices = npt.NDArray[np.int64]

POOL = 50
# What the lengths of batches are multiples of: few different shapes.
LENGTH_STEP = 8
_LONGEST_ROW = 2**16


class BatchOrder:
    """Decides which examples form which batch, in every epoch.

    With `shuffle`, each epoch is a full permutation by seed and epoch. It is cut into pools of 50
    batches; each pool is sorted by length and cut into batches, so that the examples of a batch
    are about equally long; then all batches are shuffled. Without it, examples are sorted by
    length, the longest first, in every epoch: batches pad little, and what does not fit in memory
    shows at once; or they keep their order, where `sort` is off. No example is dropped: the last
    batch cut is smaller where they do not divide, unless `drop_remainder` leaves it out.

    With `batch_tokens`, batches of long examples have fewer of them. With `row_length`, several
    examples share a row (`pack_rows`). Epochs differ then in which of the examples of like length
    stands where, so that they all have equally many batches.

    Args:
        lengths: Number of tokens of each example. (examples,).
        batch_size: Examples in a batch; rows, with `row_length`.
        batch_tokens: Most tokens in a batch, padding included; instead of `batch_size`.
        row_length: Tokens in a row that examples share; None: each has a row of its own.
        shuffle: Whether epochs are random.
        sort: Whether epochs that are not random go by length; rows that are shared always do.
        seed: Decides the random order, with the epoch.
        drop_remainder: Whether to leave out a batch that is not full; only with `batch_size`.

    Attributes:
        epoch: The epoch that the next iteration over a dataset takes; it then moves on by one.
        fingerprint: Gives a hash of the examples; `None` before a dataset is made.
        usual_weight: Weight of the examples of a batch, on average: where batches differ in it by
            design, a step counts by the share of it that its batch has. `None`: all steps count
            alike.

    Raises:
        DataError: There are no examples, or an argument is out of its range.

    Example:
        >>> order = BatchOrder([5, 9, 7], 2)
        >>> order.batches(0)
        [array([1, 2]), array([0])]
        >>> BatchOrder([5, 9, 7], batch_tokens=16).batches(0)
        [array([1]), array([0, 2])]
        >>> BatchOrder([5, 9, 7], 1, row_length=16).batches(0)
        [array([[1, 2]]), array([[ 0, -1]])]
    """

    def __init__(
        self,
        lengths: npt.ArrayLike,
        batch_size: int | None = None,
        *,
        batch_tokens: int | None = None,
        row_length: int | None = None,
        shuffle: bool = False,
        sort: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
    ) -> None:
        self.lengths = np.asarray(lengths, np.int64)
        self.batch_size = batch_size
        self.batch_tokens = batch_tokens
        self.row_length = row_length
        self.shuffle = shuffle
        self.sort = sort
        self.seed = seed
        self.drop_remainder = drop_remainder
        self.epoch = 0
        self.fingerprint: Callable[[], str] | None = None
        self._resume = (0, 0)
        self._check()
        self._by_length = shuffle or sort
        # What examples are sorted by. Those that are equal in it change places from epoch to
        # epoch, which changes nothing in the sizes of batches.
        self._key = self.lengths
        if batch_tokens is not None and row_length is None:
            self._key = -(-np.maximum(self.lengths, 1) // LENGTH_STEP) * LENGTH_STEP
        self._rows: Indices | None = None
        if row_length is not None:
            self._rows = pack_rows(np.maximum(np.sort(self.lengths)[::-1], 1), row_length)
        self._cuts = self._where_to_cut()
        self.usual_weight: float | None = None
        if batch_size is None or row_length is not None:
            self.usual_weight = self.examples_per_batch

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return len(self._cuts) - 1

    @property
    def examples_per_batch(self) -> float:
        """Number of examples of a batch, on average."""
        return len(self.lengths) / len(self)

    @property
    def most_rows(self) -> int:
        """Number of rows of the largest batch."""
        return int(np.diff(self._cuts).max())

    def batches(self, epoch: int) -> list[Indices]:
        """Lists the batches of an epoch.

        Args:
            epoch: The epoch, from 0.

        Returns:
            The positions of each batch's examples. int64, (batch,) each; with `row_length`
            (rows, slots): those of each row, and -1 where it has no more.
        """
        drawn = np.arange(len(self.lengths))
        if self.shuffle:
            drawn = permutation(len(self.lengths), self.seed, epoch, 0)
        rows = self._sorted(drawn)
        if self._rows is not None:
            rows = np.where(self._rows < 0, -1, rows[self._rows])
            if self.shuffle:
                rows = rows[permutation(len(rows), self.seed, epoch, 1)]
            # Batches of one shape, for compilers that want it.
            missing = self._cuts[-1] - len(rows)
            rows = np.pad(rows, ((0, missing), (0, 0)), constant_values=-1)
        cut = [rows[begin:end] for begin, end in itertools.pairwise(self._cuts)]
        if self.shuffle and self._rows is None:
            return [cut[position] for position in permutation(len(cut), self.seed, epoch, 1)]
        return cut

    def _sorted(self, order: Indices) -> Indices:
        """Sorts examples by length, all together or pool by pool."""
        if not self._by_length and self._rows is None:
            return order
        size = len(order)
        if self.shuffle and self.batch_size is not None and self._rows is None:
            size = POOL * self.batch_size
        pools = (order[start : start + size] for start in range(0, len(order), size))
        return np.concatenate([pool[np.argsort(-self._key[pool], kind="stable")] for pool in pools])

    def _where_to_cut(self) -> Indices:
        """Finds the row that each batch begins with, and the one behind the last batch."""
        if self._rows is not None:
            assert self.row_length is not None
            size = self.batch_size or (self.batch_tokens or 0) // self.row_length
            return np.arange(-(-len(self._rows) // size) + 1) * size
        if self.batch_size is None:
            assert self.batch_tokens is not None
            order = self._sorted(np.arange(len(self.lengths)))
            return cut_by_tokens(self._key[order], self.batch_tokens)
        count = len(self.lengths)
        cuts = np.append(np.arange(0, count, self.batch_size), count)
        return cuts[:-1] if self.drop_remainder and count % self.batch_size else cuts

    def _check(self) -> None:
        """Refuses arguments that cannot be honoured."""
        if not len(self.lengths):
            raise DataError("A dataset must have examples. Received: none. Check the records.")
        if (self.batch_size is None) == (self.batch_tokens is None):
            raise DataError(
                "Either batch_size or batch_tokens must be given. "
                f"Received: batch_size={self.batch_size}, batch_tokens={self.batch_tokens}. "
                "Pass one of them."
            )
        if self.batch_size is not None and self.batch_size < 1:
            raise DataError(
                f"batch_size must be at least 1. Received: {self.batch_size}. Pass batch_size=32."
            )
        if self.seed < 0:
            raise DataError(f"seed must be at least 0. Received: {self.seed}. Pass seed=0.")
        self._check_room()
        self._check_remainder()

    def _check_room(self) -> None:
        """Refuses rows and batches that have no room for the longest example."""
        longest = int(self.lengths.max())
        if self.row_length is not None and not longest <= self.row_length <= _LONGEST_ROW:
            raise DataError(
                f"row_length must be at least that of the longest example, {longest}, and at most "
                f"{_LONGEST_ROW}. Received: {self.row_length}. Truncate examples with max_length."
            )
        least = self.row_length or max(1, -(-longest // LENGTH_STEP)) * LENGTH_STEP
        if self.batch_tokens is not None and self.batch_tokens < least:
            raise DataError(
                f"batch_tokens must be at least {least}, so that the longest example has room. "
                f"Received: {self.batch_tokens}. Pass more, or truncate examples with max_length."
            )

    def _check_remainder(self) -> None:
        """Refuses to drop what is no remainder, or all there is."""
        if self.drop_remainder and (self.batch_size is None or self.row_length is not None):
            raise DataError(
                "drop_remainder needs batches of a number of examples. Received: "
                "batch_tokens or row_length. Leave drop_remainder out."
            )
        if self.drop_remainder and (self.batch_size or 0) > len(self.lengths):
            raise DataError(
                f"batch_size must be at most the number of examples, {len(self.lengths)}, where "
                f"batches that are not full are dropped. Received: {self.batch_size}. "
                "Make it smaller."
            )

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
        restored[np.concatenate([batch[batch >= 0] for batch in self.batches(epoch)])] = outputs
        return restored
