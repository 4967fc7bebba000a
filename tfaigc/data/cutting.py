"""Where batches of a bounded number of tokens begin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cut_by_tokens(lengths: npt.NDArray[np.int64], budget: int) -> npt.NDArray[np.int64]:
    """Cuts examples into batches that hold as many as fit.

    Args:
        lengths: Number of tokens of each example, in their order, none of them above the budget.
            (examples,).
        budget: Most tokens of a batch, which is as long as its longest example.

    Returns:
        The example that each batch begins with, and their number. int64, (batches + 1,).

    Example:
        >>> cut_by_tokens(np.array([16, 8, 8, 8, 8]), 32)
        array([0, 2, 5])
    """
    cuts = [0]
    most = max(1, budget // int(lengths.min()))
    while cuts[-1] < len(lengths):
        longest = np.maximum.accumulate(lengths[cuts[-1] : cuts[-1] + most])
        fitting = np.count_nonzero(longest * np.arange(1, len(longest) + 1) <= budget)
        cuts.append(cuts[-1] + int(fitting))
    return np.array(cuts)
