"""A table's records as a model reads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tfaigc.data import EncodedTexts


class Examples(NamedTuple):
    """What a model is trained on, measured by, or asked.

    Attributes:
        encoded: The examples' tokens.
        targets: What batches take their targets from: one argument of ``make_dataset`` by its
            name, ``labels``, ``token_labels`` or ``prepare``; empty where there are none.
        counted: How many targets the loss's mean is over, at least on average; None: one an
            example.
    """

    encoded: EncodedTexts
    targets: Mapping[str, Any] = MappingProxyType({})
    counted: float | None = None
