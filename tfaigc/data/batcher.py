"""Gathers the tokens of a batch into grids."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tfaigc.data.masking import IGNORED


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


class Batcher:
    """Gathers the tokens of a batch with a few NumPy calls.

    Args:
        features: The examples' tokens.
        row_length: Cells of the rows that examples share; None: each has a row of its own.
        pad_token_id: Fills `token_ids` after an example's end.
        max_length: The longest that rounding up may make a batch.
        multiple: What a batch's length is rounded up to.
        token_labels: One label per token, for a grid called ``labels``. (tokens,).
        counts_texts: Whether to tell in which cells the examples begin that share rows.
        groups: Which texts each example has; see `make_dataset`.
    """

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
        """Takes the numbers of a batch's examples, in rows that they share or one each, to grids.

        Args:
            batch: int64, (examples,); or (rows, most in a row), filled up with -1.

        Returns:
            int32, (rows, length) or, where examples have several texts, (examples, texts, length).
        """
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
