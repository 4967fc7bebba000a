"""What a causal language model must guess: each text's next token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tfaigc.data.masking import IGNORED


@dataclass(frozen=True)
class NextTokens:
    """Makes each token the target of the one before it.

    Args:
        only_segment: The segment whose tokens are targets; None: those of all.

    Example:
        >>> ids = np.array([[7, 8, 9, 0]], np.int32)
        >>> mask = np.array([[1, 1, 1, 0]], np.int32)
        >>> inputs = {"token_ids": ids, "padding_mask": mask, "segment_ids": mask * [0, 0, 1, 0]}
        >>> NextTokens()(inputs, epoch=0, step=0)[1].tolist()
        [[8, 9, -100, -100]]
        >>> NextTokens(only_segment=1)(inputs, epoch=0, step=0)[1].tolist()
        [[-100, 9, -100, -100]]
    """

    added: ClassVar[tuple[str, ...]] = ()
    dropped: ClassVar[tuple[str, ...]] = ()

    only_segment: int | None = None

    def __call__(
        self, inputs: Mapping[str, npt.NDArray[np.int32]], *, epoch: int, step: int
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Returns the inputs as they are, and the targets.

        Args:
            inputs: A batch: int32, (batch, length) each.
            epoch: Not looked at.
            step: Not looked at.

        Returns:
            The inputs, and int32, (batch, length): the next token of the same text, ``IGNORED``
            where there is none or it is of another segment.
        """
        counts = inputs["padding_mask"] != 0
        if self.only_segment is not None:
            counts = counts & (inputs["segment_ids"] == self.only_segment)
        counts = counts[:, 1:]
        if "pack_ids" in inputs:
            counts = counts & (inputs["pack_ids"][:, 1:] == inputs["pack_ids"][:, :-1])
        targets = np.full_like(inputs["token_ids"], IGNORED)
        targets[:, :-1] = np.where(counts, inputs["token_ids"][:, 1:], IGNORED)
        return dict(inputs), targets
