"""make_dataset: length-bucketed batches of token ids as a tf.data.Dataset."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from tfaigc.data.masking import IGNORED
from tfaigc.data.order import LENGTH_STEP, BatchOrder
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


class Prepare(Protocol):
    """Makes targets of a batch's own tokens, and changes them if need be.

    Attributes:
        added: Names of the inputs that it adds.
        dropped: Names of the inputs that it takes away.
    """

    added: ClassVar[tuple[str, ...]]
    dropped: ClassVar[tuple[str, ...]]

    def __call__(
        self, inputs: Mapping[str, npt.NDArray[np.int32]], *, epoch: int, step: int
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Takes the inputs of a step, counted from 0 in its epoch, to inputs and targets.

        What it adds, and the targets, are int32, (batch, any number).
        """
        ...


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
    batcher = _Batcher(
        features,
        order.row_length,
        pad_token_id,
        max_length,
        multiple,
        token_labels,
        counts_texts=token_labels is None and prepare is None,
        groups=groups,
    )
    targets = [np.asarray(array) for array in (labels, weights) if array is not None]

    def generate() -> Iterator[Any]:
        epoch, first_step = order.epoch, order.first_step
        for step, batch in enumerate(order.take_epoch(), first_step):
            inputs: Any = batcher(batch) if rows is None else {"features": rows[batch]}
            if prepare is not None:
                made, tokens = prepare(inputs, epoch=epoch, step=step)
                yield made, _with_labels(tokens, [array[batch] for array in targets])
                continue
            if token_labels is not None:
                yield inputs, inputs.pop("labels")
                continue
            examples = batch[batch >= 0]
            yield (inputs, *(array[examples] for array in targets)) if targets else inputs

    spec: Any = {name: tf.TensorSpec(shape, tf.int32) for name, shape in batcher.shapes.items()}
    if rows is not None:
        spec = {"features": tf.TensorSpec((None, rows.shape[1]), tf.float32)}
    if prepare is not None:
        matrix = tf.TensorSpec((None, None), tf.int32)
        kept = {name: each for name, each in spec.items() if name not in prepare.dropped}
        targets_spec = _with_labels(matrix, [*map(_spec_of, targets)])
        spec = (kept | dict.fromkeys(prepare.added, matrix), targets_spec)
    elif token_labels is not None:
        targets = [np.asarray(token_labels, np.int32)]
        spec = (spec, spec["token_ids"])
    elif targets:
        spec = (spec, *map(_spec_of, targets))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=spec)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(order)))
    dataset = dataset.prefetch(PREFETCHED)
    # Hashed when a checkpoint asks for it, not before: there may be gigabytes of it.
    arrays: list[npt.NDArray[Any]] = [
        features.token_ids,
        features.segment_ids,
        features.row_splits,
        *([] if groups is None else [groups]),
        *targets,
    ]
    order.fingerprint = functools.cache(lambda: _hash(arrays))
    dataset.batch_order = order
    dataset.tokens = features
    return dataset


def _with_labels(tokens: Any, labels: list[Any]) -> Any:
    """Puts the targets of tokens and of whole examples together, where there are both."""
    return {"tokens": tokens, "sentences": labels[0]} if labels else tokens


def _spec_of(array: npt.NDArray[Any]) -> Any:
    """Says what batches of an array's rows are."""
    import tensorflow as tf

    return tf.TensorSpec((None, *array.shape[1:]), array.dtype)


class _Batcher:
    """Gathers the tokens of a batch with a few NumPy calls."""

    def __init__(
        self,
        features: TokenArrays,
        row_length: int | None,
        pad_token_id: int,
        max_length: int | None,
        multiple: int,
        token_labels: npt.NDArray[np.int32] | None = None,
        counts_texts: bool = True,
        groups: npt.NDArray[np.int64] | None = None,
    ) -> None:
        # A plain view: indexing a numpy.memmap costs more than the gather itself.
        self._token_ids = np.asarray(features.token_ids)
        self._segment_ids = np.asarray(features.segment_ids)
        row_splits = np.asarray(features.row_splits)
        self._starts = row_splits[:-1]
        self._lengths = np.diff(row_splits)
        self._row_length = row_length
        self._pad_token_id = pad_token_id
        self._max_length = max_length
        self._multiple = multiple
        self._token_labels = token_labels
        self._counts_texts = counts_texts
        self._groups = groups

    @property
    def shapes(self) -> dict[str, tuple[int | None, ...]]:
        """The shape of each input, as far as all batches share it."""
        names = ["token_ids", "padding_mask", "segment_ids"]
        if self._row_length is None:
            return dict.fromkeys(names, (None, None) if self._groups is None else (None,) * 3)
        grid = (None, self._row_length)
        shapes: dict[str, tuple[int | None, ...]] = dict.fromkeys([*names, "pack_ids"], grid)
        return shapes | ({"text_starts": (None,)} if self._counts_texts else {})

    def __call__(self, batch: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.int32]]:
        if self._groups is not None:
            return self._lay_groups(batch, self._groups)
        if self._row_length is None:
            width = self._width(batch)
            return self._lay(batch, np.arange(len(batch)) * width, (len(batch), width))
        examples, starts = batch[batch >= 0], self._shared_starts(batch, self._row_length)
        inputs = self._lay(examples, starts, (len(batch), self._row_length))
        lengths = np.maximum(self._lengths[examples], 1)
        pack_ids = np.zeros(inputs["token_ids"].size, np.int32)
        pack_ids[_counted_up(starts, lengths)] = np.repeat(np.arange(1, len(starts) + 1), lengths)
        inputs["pack_ids"] = pack_ids.reshape(inputs["token_ids"].shape)
        if self._counts_texts:
            inputs["text_starts"] = starts.astype(np.int32)
        return inputs

    def _lay_groups(
        self, batch: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]
    ) -> dict[str, npt.NDArray[np.int32]]:
        """Copies each example's texts to rows of its own: (examples, texts, length)."""
        counts = groups[batch + 1] - groups[batch]
        most = int(counts.max())
        texts = _counted_up(groups[batch], counts)
        rows = _counted_up(np.arange(len(batch)) * most, counts)
        width = self._width(texts)
        grids = self._lay(texts, rows * width, (len(batch) * most, width))
        return {name: grid.reshape(len(batch), most, width) for name, grid in grids.items()}

    def _lay(
        self, examples: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], shape: tuple[int, int]
    ) -> dict[str, npt.NDArray[np.int32]]:
        """Copies each example's tokens to the cells of a grid from its start on."""
        lengths = self._lengths[examples]
        cells = _counted_up(starts, lengths)
        sources = _counted_up(self._starts[examples], lengths)
        inputs = {}
        for name, padding, values in (
            ("token_ids", self._pad_token_id, self._token_ids[sources]),
            ("padding_mask", 0, 1),
            ("segment_ids", 0, self._segment_ids[sources]),
        ):
            grid = np.full(shape, padding, np.int32)
            grid.reshape(-1)[cells] = values
            inputs[name] = grid
        if self._token_labels is not None:
            inputs["labels"] = np.full(shape, IGNORED, np.int32)
            inputs["labels"].reshape(-1)[cells] = self._token_labels[sources]
        return inputs

    def _shared_starts(
        self, batch: npt.NDArray[np.int64], row_length: int
    ) -> npt.NDArray[np.int64]:
        """Finds the cell in which each example of a batch of shared rows begins."""
        filled = batch >= 0
        # One without any token has a cell too, so that no two begin in the same.
        lengths = np.where(filled, np.maximum(self._lengths[batch], 1), 0)
        columns = np.cumsum(lengths, axis=1) - lengths
        starts: npt.NDArray[np.int64] = columns + np.arange(len(batch))[:, None] * row_length
        return starts[filled]

    def _width(self, examples: npt.NDArray[np.int64]) -> int:
        """Rounds the longest example's length up."""
        longest = max(int(self._lengths[examples].max()), 1)
        width = -(-longest // self._multiple) * self._multiple
        return width if self._max_length is None else max(min(width, self._max_length), longest)


def _counted_up(
    starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Counts up from each start, as far as its length says."""
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(starts, lengths) + within


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
