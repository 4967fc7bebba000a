"""Blocks whose activations are computed again in the backward pass instead of being kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras

from tfaigc.layers.attention import Memory
from tfaigc.layers.repeated_seeds import drawn_seeds


def recomputed(
    block: keras.layers.Layer, rows: Any, *, memory: Memory | None = None, **given: Any
) -> Any:
    """Calls a block of which the backward pass keeps the inputs alone.

    The block is computed twice (Chen et al., arXiv:1604.06174, section 3); dropout drops the same
    both times.

    Args:
        block: A ``TransformerBlock``.
        rows: float, (rows, hidden).
        memory: The block's argument of that name.
        **given: Its other arguments. Gradients go through ``bias`` and ``distances``.

    Returns:
        float, (rows, hidden): what the block returns.
    """
    seeds: list[Any] = []
    calls = 0
    passed: dict[str, Any] = {
        name: given.pop(name) for name in ("bias", "distances") if name in given
    }
    if memory is not None:
        passed["memory"] = memory.rows

    def call(rows: Any, *values: Any) -> Any:
        nonlocal calls
        calls += 1
        tensors = dict(zip(passed, values, strict=True))
        if memory is not None:
            tensors["memory"] = replace(memory, rows=tensors["memory"])
        with drawn_seeds(seeds if calls == 1 else iter(seeds)):
            return block(rows, **tensors, **given)

    return keras.remat(call)(rows, *passed.values())
