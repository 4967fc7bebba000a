"""Rows that cannot be used: gathered, then reported together or dropped in the open."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tfaigc.errors import DataError

logger = logging.getLogger(__name__)

SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """One row that cannot be used.

    Attributes:
        location: Where the row stands, as in "reviews.csv, line 12".
        reason: What is wrong with it.
    """

    location: str
    reason: str

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"


def settle(
    faults: Sequence[Fault],
    *,
    total: int,
    source: str,
    max_invalid_share: float = 0.0,
    known: int = 0,
) -> tuple[Fault, ...]:
    """Stops at too many bad rows, and names every one that is let go.

    Args:
        faults: The bad rows, in the order of the source.
        total: Number of rows that the source has, the bad ones included.
        source: The source's name for the message.
        max_invalid_share: Share of bad rows, from 0 to 1, up to which they are dropped.
        known: Number of faults at the front that an earlier step has named in the log.

    Returns:
        The faults, each of which the log now names.

    Raises:
        DataError: More than the allowed share of the rows is bad, or all are.

    Example:
        >>> settle([], total=10, source="reviews.csv")
        ()
    """
    if not 0.0 <= max_invalid_share <= 1.0:
        raise DataError(
            f"max_invalid_share must be between 0 and 1. Received: {max_invalid_share}. "
            "Pass 0.01 to drop up to one bad row in a hundred."
        )
    if len(faults) > max_invalid_share * total or 0 < total == len(faults):
        raise DataError(_message(faults, total, source, max_invalid_share))
    for fault in faults[known:]:
        logger.warning("Dropped %s", fault)
    return tuple(faults)


def _message(faults: Sequence[Fault], total: int, source: str, allowed: float) -> str:
    """Shows the first faults, counts the others, and says what to do."""
    rows = "row" if len(faults) == 1 else "rows"
    share = math.ceil(1000 * len(faults) / max(total, 1)) / 1000
    limit = f" (max_invalid_share is {allowed})" if allowed else ""
    lines = [
        f"{source}: every row must be usable{limit}. "
        f"Received: {len(faults):,} bad {rows} of {total:,}."
    ]
    lines += [f"  {fault}" for fault in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"  and {len(faults) - SHOWN:,} more")
    dropped = f"; a recipe drops such rows with max_invalid_share={share:g}" if share < 1 else ""
    lines.append(f"Correct the {rows}{dropped}.")
    return "\n".join(lines)
