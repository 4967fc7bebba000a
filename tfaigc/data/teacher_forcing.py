"""What the decoder beside an encoder must write, and what it sees of it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tfaigc.data.cache import EncodedTexts
from tfaigc.data.masking import IGNORED
from tfaigc.data.order import LENGTH_STEP

Array = npt.NDArray[np.int32]

# The segment of what is to be written.
TARGET = 1


@dataclass(frozen=True)
class TeacherForcing:
    """Gives the encoder the sources of a batch, and the decoder their targets, one token later.

    Each target's token is to be guessed from those before it, whatever the model itself would have
    written (Williams & Zipser, 1989, Neural Computation 1(2), p. 276).

    Args:
        start: The token that the decoder's texts begin with; None: each one's own last token.
        pad_token_id: What stands behind texts.
        max_length: The longest that rounding up may make sources.
        max_target_length: The longest that rounding up may make targets.

    Example:
        >>> joined = np.array([[7, 8, 9, 1, 0]], np.int32)
        >>> marks = {"padding_mask": joined > 0, "segment_ids": np.array([[0, 0, 1, 1, 0]])}
        >>> teach = TeacherForcing(start=5, pad_token_id=0, max_length=2, max_target_length=2)
        >>> inputs, targets = teach({"token_ids": joined, **marks}, epoch=0, step=0)
        >>> inputs["encoder_token_ids"].tolist(), inputs["decoder_token_ids"].tolist()
        ([[7, 8]], [[5, 9]])
        >>> targets.tolist()
        [[9, 1]]
    """

    added: ClassVar[tuple[str, ...]] = (
        *("encoder_token_ids", "encoder_padding_mask"),
        *("decoder_token_ids", "decoder_padding_mask"),
    )
    dropped: ClassVar[tuple[str, ...]] = ("token_ids", "padding_mask", "segment_ids")

    start: int | None
    pad_token_id: int
    max_length: int
    max_target_length: int

    def __call__(
        self, inputs: Mapping[str, Array], *, epoch: int, step: int
    ) -> tuple[dict[str, Array], Array]:
        """Takes a batch of joined texts apart.

        Args:
            inputs: What ``join_texts`` made, as a batch: int32, (batch, length) each.
            epoch: Not looked at.
            step: Not looked at.

        Returns:
            An encoder-decoder's inputs, and the targets, int32, (batch, decoder's length):
            ``IGNORED`` where a text has ended.
        """
        is_target = inputs["segment_ids"] == TARGET
        is_source = (inputs["padding_mask"] != 0) & ~is_target
        sources, source_mask = self._lay(inputs["token_ids"], is_source, self.max_length)
        targets, target_mask = self._lay(inputs["token_ids"], is_target, self.max_target_length)
        lengths = target_mask.sum(axis=1, keepdims=True)
        first = np.take_along_axis(targets, np.maximum(lengths - 1, 0), axis=1)
        if self.start is not None:
            first = np.full_like(first, self.start)
        later = np.concatenate([first, targets[:, :-1]], axis=1)
        given = (
            *(sources, source_mask),
            *(np.where(target_mask != 0, later, self.pad_token_id), target_mask),
        )
        named = {name: part.astype(np.int32) for name, part in zip(self.added, given, strict=True)}
        return named, np.where(target_mask != 0, targets, IGNORED).astype(np.int32)

    def _lay(
        self, token_ids: Array, is_own: npt.NDArray[np.bool_], cap: int
    ) -> tuple[Array, Array]:
        """Moves some tokens of each row to its front: ids and mask, each (batch, longest)."""
        lengths = is_own.sum(axis=1)
        longest = max(int(lengths.max()), 1)
        width = max(min(-(-longest // LENGTH_STEP) * LENGTH_STEP, cap), longest)
        mask = np.arange(width) < lengths[:, None]
        laid = np.full(mask.shape, self.pad_token_id, np.int32)
        laid[mask] = token_ids[is_own]
        return laid, mask.astype(np.int32)


def join_texts(sources: EncodedTexts, targets: EncodedTexts) -> EncodedTexts:
    """Puts each target behind its source, in a segment of its own.

    Args:
        sources: The texts that an encoder reads.
        targets: As many texts that a decoder writes.

    Returns:
        One example for each pair.

    Example:
        >>> one = EncodedTexts(np.array([7, 8, 9]), np.zeros(3), np.array([0, 1, 3]))
        >>> two = EncodedTexts(np.array([4, 5]), np.zeros(2), np.array([0, 1, 2]))
        >>> joined = join_texts(one, two)
        >>> joined.token_ids.tolist(), joined.segment_ids.tolist(), joined.row_splits.tolist()
        ([7, 4, 8, 9, 5], [0, 1, 0, 0, 1], [0, 2, 5])
    """
    ends = np.asarray(sources.row_splits)[1:]
    places = np.repeat(ends, np.diff(targets.row_splits))
    return EncodedTexts(
        np.insert(np.asarray(sources.token_ids, np.int32), places, targets.token_ids),
        np.insert(np.zeros(len(sources.token_ids), np.int32), places, TARGET),
        np.asarray(sources.row_splits) + np.asarray(targets.row_splits),
    )
