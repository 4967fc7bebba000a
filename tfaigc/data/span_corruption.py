"""Texts with spans left out, which a model must write: how T5 is pretrained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tfaigc.data.shuffling import uniform
from tfaigc.data.teacher_forcing import TARGET, TeacherForcing
from tfaigc.errors import ConfigError

Array = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

SENTINELS = tuple(f"<extra_id_{number}>" for number in range(100))
"""The tokens that stand for the spans of a text, the first for the first."""


@dataclass(frozen=True)
class Noise:
    """How much of a text is left out (Raffel et al., arXiv:1910.10683, section 3.1.4).

    Args:
        density: The share of a text's tokens.
        mean_span_length: How many of them stand together, on average.

    Raises:
        ConfigError: They are out of their range.
    """

    density: float = 0.15
    mean_span_length: float = 3.0

    def __post_init__(self) -> None:
        """Checks both."""
        if not 0 < self.density < 1 or self.mean_span_length < 1:
            raise ConfigError(
                "noise_density must be above 0 and below 1, and mean_noise_span_length at least 1. "
                f"Received: {self.density} and {self.mean_span_length}. 0.15 and 3 are usual."
            )

    def count(self, length: int) -> tuple[int, int]:
        """Says how many tokens of a text are left out, and in how many spans.

        Example:
            >>> Noise().count(512)
            (77, 26)
        """
        length = max(length, 2)
        tokens = min(max(round(length * self.density), 1), length - 1)
        spans = max(round(tokens / self.mean_span_length), 1)
        return tokens, min(spans, tokens, length - tokens)

    def lengths(self, length: int) -> tuple[int, int]:
        """Says how many tokens are left of a text with its sentinels, and how many are to write.

        The special tokens at the ends are not counted.

        Example:
            >>> Noise().lengths(568)
            (511, 113)
        """
        tokens, spans = self.count(length)
        return length - tokens + spans, tokens + spans

    def longest(self, *, source: int, target: int) -> int:
        """Finds the longest text of which no more is left, and no more is to write, than this.

        Example:
            >>> Noise().longest(source=511, target=127)
            568
        """
        length = 2
        while all(np.less_equal(self.lengths(length + 1), (source, target))):
            length += 1
        return length

    def mask(self, length: int, draws: npt.NDArray[np.float64]) -> Mask:
        """Chooses the tokens of a text that are left out.

        What stays and what does not take turns, beginning with what stays. All ways to cut either
        into so many spans are equally likely.

        Args:
            length: Number of the text's tokens.
            draws: From 0 to 1, (2, ``length`` or more).

        Returns:
            bool, (length,).
        """
        tokens, spans = self.count(length)
        kept = max(length, 2) - tokens
        parts = np.stack([_cut(kept, spans, draws[0]), _cut(tokens, spans, draws[1])], axis=1)
        return np.repeat(np.arange(2 * spans) % 2 == 1, parts.reshape(-1))[:length]


@dataclass(frozen=True, eq=False)
class SpanCorruption:
    """Leaves spans out of the texts of a batch, for an encoder-decoder to write.

    Which ones depends on the seed, the epoch and the step alone, so that it differs in each epoch
    and is the same again where a run resumes.

    Args:
        noise: How much.
        sentinels: int32, (spans,): tokens that stand for what is left out, in their order.
        affixes: How many tokens of each example stand before its text, and how many behind it.
        teach: Lays what is read and what is to be written out for the network.
        seed: Decides what is left out, with the epoch and the step.
        by_epoch: Whether epochs differ; if not, all are like the first.
    """

    added: ClassVar[tuple[str, ...]] = TeacherForcing.added
    dropped: ClassVar[tuple[str, ...]] = TeacherForcing.dropped

    noise: Noise
    sentinels: Array
    affixes: tuple[int, int]
    teach: TeacherForcing
    seed: int = 0
    by_epoch: bool = True

    def __call__(
        self, inputs: Mapping[str, Array], *, epoch: int, step: int
    ) -> tuple[dict[str, Array], Array]:
        """Takes a batch of texts to an encoder-decoder's inputs and targets.

        Args:
            inputs: ``token_ids`` and ``padding_mask``: int32, (batch, length).
            epoch: The epoch, from 0.
            step: The batch's place in the epoch.

        Returns:
            See ``TeacherForcing``.
        """
        rows, width = inputs["token_ids"].shape
        key = (self.seed, epoch if self.by_epoch else 0, step)
        # A text of a single token counts as one of two.
        draws = uniform(rows * 2 * (width + 1), *key).reshape(rows, 2, width + 1)
        lengths = inputs["padding_mask"].sum(axis=1)
        texts = [
            self._corrupt(ids[:length], drawn)
            for ids, length, drawn in zip(inputs["token_ids"], lengths, draws, strict=True)
        ]
        joined = [np.concatenate(text) for text in texts]
        grid = np.zeros((3, rows, max(map(len, joined))), np.int32)
        for row, (text, (source, _)) in enumerate(zip(joined, texts, strict=True)):
            grid[0, row, : len(text)] = text
            grid[1, row, : len(text)] = 1
            grid[2, row, len(source) : len(text)] = TARGET
        names = ("token_ids", "padding_mask", "segment_ids")
        return self.teach(dict(zip(names, grid, strict=True)), epoch=epoch, step=step)

    def _corrupt(self, ids: Array, draws: npt.NDArray[np.float64]) -> tuple[Array, Array]:
        """Takes an example to what is left of it, and to what is to be written."""
        before, behind = self.affixes
        first, text, last = np.split(ids, [before, len(ids) - behind])
        mask = self.noise.mask(len(text), draws)
        left, written = (replace_spans(text, each, self.sentinels) for each in (mask, ~mask))
        return np.concatenate([first, left, last]), np.concatenate([written, last])


def replace_spans(ids: Array, mask: Mask, sentinels: Array | Sequence[int]) -> Array:
    """Puts one token in the place of each span.

    Args:
        ids: int32, (tokens,).
        mask: bool, (tokens,): the tokens of spans.
        sentinels: What stands for the first span, for the second, and so on.

    Returns:
        int32, (fewer tokens,).

    Example:
        >>> mask = np.array([False, True, True, False, True])
        >>> [replace_spans(np.arange(5), each, [90, 91]).tolist() for each in (mask, ~mask)]
        [[0, 90, 3, 91], [90, 1, 2, 91, 4]]
    """
    begins = mask & ~np.concatenate([[False], mask[:-1]])
    numbers = np.maximum(np.cumsum(begins) - 1, 0)
    found = np.where(begins, np.asarray(sentinels)[numbers], ids)
    return found[begins | ~mask].astype(np.int32)


def _cut(total: int, parts: int, draws: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Cuts a number into so many, none of them 0: int64, (parts,)."""
    ends = np.sort(np.argsort(draws[: total - 1], kind="stable")[: parts - 1]) + 1
    return np.diff(np.concatenate([[0], ends, [total]]))
