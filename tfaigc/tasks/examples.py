"""A table's records as a model reads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from tfaigc.data import EncodedTexts


class Examples(NamedTuple):
    """What a model is trained on, measured by, or asked.

    Attributes:
        encoded: The tokens of the examples' texts.
        targets: What batches take their targets from: one argument of ``make_dataset`` by its
            name, ``labels``, ``token_labels`` or ``prepare``; empty where there are none.
        counted: How many targets the loss's mean is over, at least on average; None: one an
            example.
        groups: Which texts are an example's; see ``make_dataset``. None: one each.
    """

    encoded: EncodedTexts
    targets: Mapping[str, Any] = MappingProxyType({})
    counted: float | None = None
    groups: np.ndarray | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each example, with the padding of its shorter texts."""
        of_texts = np.diff(self.encoded.row_splits)
        if self.groups is None:
            return of_texts
        return np.maximum.reduceat(of_texts, self.groups[:-1]) * np.diff(self.groups)
