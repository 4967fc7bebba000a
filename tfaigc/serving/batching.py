"""How requests share runs, and how many runs there are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from tfaigc.errors import ServingError


@dataclass(frozen=True)
class Batching:
    """How requests share runs, under the names of TensorFlow Serving's batching parameters.

    Attributes:
        max_batch_size: The most rows in a run; 1 for a run for each request.
        batch_timeout_micros: How long a row waits for others when a thread is free.
        allowed_batch_sizes: Sizes to pad to, so that few shapes are seen; empty for no padding.
        max_enqueued_batches: How many full batches may wait for each signature.
        num_batch_threads: Runs at the same time.
        max_runs_per_model: Of these, for one model, so that a slow one leaves threads to others;
            None for all.

    Raises:
        ServingError: A size is not positive, or the allowed sizes do not rise to the largest.
    """

    max_batch_size: int = 1
    batch_timeout_micros: int = 0
    allowed_batch_sizes: tuple[int, ...] = ()
    max_enqueued_batches: int = 64
    num_batch_threads: int = field(default_factory=lambda: max(2, os.cpu_count() or 2))
    max_runs_per_model: int | None = None

    def __post_init__(self) -> None:
        for name in (
            "max_batch_size",
            "max_enqueued_batches",
            "num_batch_threads",
            "max_runs_per_model",
        ):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ServingError(f"{name} must be at least 1. Received: {number}. Raise it.")
        sizes = self.allowed_batch_sizes
        if sizes and (
            list(sizes) != sorted({*sizes}) or sizes[0] < 1 or sizes[-1] != self.max_batch_size
        ):
            raise ServingError(
                "allowed_batch_sizes must rise from at least 1 to max_batch_size "
                f"({self.max_batch_size}). Received: {sizes}. Change one of them."
            )
