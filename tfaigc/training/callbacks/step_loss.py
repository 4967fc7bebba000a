"""The loss of the last steps, which Keras does not tell."""

from __future__ import annotations


class StepLoss:
    """Takes the mean since the last call out of the mean since the epoch began.

    Example:
        >>> losses = StepLoss()
        >>> losses.take(1.0, batches=1), losses.take(2.0, batches=3)
        (1.0, 2.5)
    """

    def __init__(self) -> None:
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Forgets the epoch before."""
        self.batches = 0
        self._total = 0.0

    def take(self, running_mean: float, *, batches: int) -> float:
        """Computes the mean over the batches since the last call.

        Args:
            running_mean: What Keras logs: the mean over the epoch's batches so far.
            batches: Their number.

        Returns:
            The mean; the last, smaller batch counts like the others.
        """
        total = running_mean * batches
        mean = (total - self._total) / (batches - self.batches)
        self.batches, self._total = batches, total
        return mean
