"""Seeds that are drawn once and used twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras

_DRAWN: ContextVar[Iterator[Any] | list[Any] | None] = ContextVar("drawn", default=None)


class SeedsInTurn(keras.random.SeedGenerator):
    """Draws seeds, or gives again those that were drawn when the activations were first computed.

    Args:
        generator: Draws them.
    """

    def __init__(self, generator: keras.random.SeedGenerator) -> None:
        # No state of its own, so nothing of the class is set up.
        self._generator = generator

    def next(self, ordered: bool = True) -> Any:
        """Returns the next seed."""
        drawn = _DRAWN.get()
        if drawn is None:
            return self._generator.next(ordered)
        if isinstance(drawn, list):
            drawn.append(self._generator.next(ordered))
            return drawn[-1]
        return next(drawn)


@contextmanager
def drawn_seeds(seeds: Iterator[Any] | list[Any]) -> Iterator[None]:
    """Has every ``SeedsInTurn`` note in a list what it draws, or give what an iterator gives."""
    token = _DRAWN.set(seeds)
    try:
        yield
    finally:
        _DRAWN.reset(token)
