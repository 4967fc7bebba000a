"""What a masked language model must guess: tokens that are chosen anew in each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tfaigc.data.masked_units import check_mask_unit, choose_spans, choose_units
from tfaigc.data.shuffling import uniform
from tfaigc.errors import ConfigError

Inputs = Mapping[str, npt.NDArray[np.int32]]

# What stands where nothing is to be guessed, as in PyTorch.
IGNORED = -100
# Of the chosen tokens so many become the mask, and so many some other token.
_MASKED_SHARE = 0.8
_RANDOM_SHARE = 0.1
# Few different numbers of positions: few different shapes.
_MULTIPLE = 8


@dataclass(frozen=True, eq=False)
class Masking:
    """Hides tokens of a batch (Devlin et al., arXiv:1810.04805, section 3.1).

    Tokens that are not special are chosen by chance, each for itself or with its word or span. Of
    the chosen ones 80 % are replaced by the mask and 10 % by any token; the rest stay. This is
    decided for each token, or for each span as a whole. All depends on the seed, the epoch and the
    step alone, so that it differs in each epoch (Liu et al., arXiv:1907.11692, section 4.1) and is
    the same again where a run resumes.

    Args:
        mask_token_id: The mask.
        special: bool, (vocabulary,): the tokens that are never chosen.
        probability: The share of tokens that are chosen, on average.
        unit: What is chosen as a whole, one of ``MASK_UNITS``.
        starts_word: bool, (vocabulary,): the tokens that words begin with; None where each token
            is chosen for itself.
        seed: Decides what is chosen, with the epoch and the step.
        by_epoch: Whether epochs differ; if not, all are like the first.

    Raises:
        ConfigError: The probability is not between 0 and 1, or the unit is none.
    """

    added: ClassVar[tuple[str, ...]] = ("positions",)
    dropped: ClassVar[tuple[str, ...]] = ()

    mask_token_id: int
    special: npt.NDArray[np.bool_]
    probability: float = 0.15
    unit: str = "tokens"
    starts_word: npt.NDArray[np.bool_] | None = None
    seed: int = 0
    by_epoch: bool = True

    def __post_init__(self) -> None:
        """Checks the probability and the unit."""
        check_mlm_probability(self.probability)
        check_mask_unit(self.unit)

    def __call__(
        self, inputs: Inputs, *, epoch: int, step: int
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Hides tokens.

        Args:
            inputs: A batch: ``token_ids``, ``padding_mask`` and more, int32, (batch, length).
            epoch: The epoch, from 0.
            step: The batch's place in the epoch.

        Returns:
            The inputs with tokens replaced and ``positions``, int32, (batch, chosen): the columns
            of the chosen tokens; and these tokens, int32, (batch, chosen), ``IGNORED`` where a
            text has fewer.
        """
        token_ids = inputs["token_ids"]
        key = (self.seed, epoch if self.by_epoch else 0, step)
        draws = uniform((5 if self.unit == "spans" else 3) * token_ids.size, *key)
        draw, kind, other, *more = draws.reshape(-1, *token_ids.shape)
        free = ~self.special[token_ids] & (inputs["padding_mask"] != 0)
        begins, texts = self._words(inputs, free)
        if self.unit == "spans":
            draws = np.stack([draw, *more])
            chosen, first = choose_spans(free, begins, texts, draws, self.probability)
            kind = np.take_along_axis(kind, first, axis=1)
        else:
            chosen = choose_units(free, begins, draw, self.probability)
        any_token = (other * len(self.special)).astype(np.int32)
        replaced = np.where(kind < _MASKED_SHARE, np.int32(self.mask_token_id), any_token)
        is_replaced = chosen & (kind < _MASKED_SHARE + _RANDOM_SHARE)
        positions, targets = pick(chosen, token_ids)
        hidden = np.where(is_replaced, replaced, token_ids).astype(np.int32)
        return {**inputs, "token_ids": hidden, "positions": positions}, targets

    def _words(self, inputs: Inputs, free: Any) -> tuple[Any, Any]:
        """Finds in which columns words begin, and numbers the texts between special tokens."""
        if self.unit == "tokens":
            return np.ones_like(free), None
        assert self.starts_word is not None
        ends = ~free
        if "pack_ids" in inputs:
            ends[:, 1:] |= np.diff(inputs["pack_ids"], axis=1) != 0
        begins = self.starts_word[inputs["token_ids"]] | ends
        begins[:, 1:] |= ~free[:, :-1]
        begins[:, 0] = True
        return begins, np.cumsum(ends, axis=1)


@dataclass(frozen=True)
class FoundMasks:
    """Finds the masks that texts have already.

    Args:
        mask_token_id: The mask.
    """

    added: ClassVar[tuple[str, ...]] = ("positions",)
    dropped: ClassVar[tuple[str, ...]] = ()

    mask_token_id: int

    def __call__(
        self, inputs: Inputs, *, epoch: int, step: int
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Adds ``positions``, as ``Masking`` does; the targets are masks, or ``IGNORED``."""
        token_ids = inputs["token_ids"]
        found = (token_ids == self.mask_token_id) & (inputs["padding_mask"] != 0)
        positions, targets = pick(found, token_ids)
        return {**inputs, "positions": positions}, targets


def pick(
    chosen: npt.NDArray[np.bool_], token_ids: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Lists the chosen tokens of each text.

    Args:
        chosen: bool, (batch, length).
        token_ids: int32, (batch, length).

    Returns:
        Their columns and ids, int32, (batch, most that a text has, rounded up); behind a text's
        last one, any column and ``IGNORED``.

    Example:
        >>> positions, ids = pick(np.array([[False, True, True]]), np.array([[7, 8, 9]], np.int32))
        >>> positions[0, :2].tolist(), ids[0, :3].tolist()
        ([1, 2], [8, 9, -100])
    """
    counts = chosen.sum(axis=1, keepdims=True)
    width = -(-max(int(counts.max(initial=0)), 1) // _MULTIPLE) * _MULTIPLE
    positions = np.argsort(~chosen, axis=1, kind="stable")[:, :width]
    positions = np.pad(positions, ((0, 0), (0, width - positions.shape[1])))
    ids = np.take_along_axis(token_ids, positions, axis=1)
    ids = np.where(np.arange(width) < counts, ids, IGNORED)
    return positions.astype(np.int32), ids.astype(np.int32)


def check_mlm_probability(probability: float) -> None:
    """Refuses a chance that is none, or that leaves nothing to guess from.

    Raises:
        ConfigError: It is not between 0 and 1.
    """
    if not 0 < probability < 1:
        raise ConfigError(
            f"mlm_probability must be above 0 and below 1. Received: {probability}. 0.15 is usual."
        )
