"""What the lengths of examples are like."""

from __future__ import annotations

import numpy as np


def describe_lengths(lengths: np.ndarray, *, max_length: int) -> str:
    """Says in a line how long examples are, and how many may be cut.

    Args:
        lengths: int, (examples,): tokens of each.
        max_length: The most tokens of an example.

    Returns:
        Percentiles, and the share of examples that fill ``max_length``: the cut ones, and the few
        that fit exactly.

    Example:
        >>> describe_lengths(np.array([3, 8, 3, 5]), max_length=8)
        'half of the examples up to 3, 95 % up to 8, the longest 8; 25.0 % fill max_length'
    """
    middle, high, longest = np.percentile(lengths, [50, 95, 100], method="inverted_cdf").astype(int)
    filled = float(np.mean(lengths >= max_length))
    cut = f"; {filled:.1%} fill max_length".replace("%", " %") if filled else ""
    return (
        f"half of the examples up to {middle:,}, 95 % up to {high:,}, the longest {longest:,}{cut}"
    )
