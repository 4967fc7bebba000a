"""What a batch is learned by, beside what the network reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tensorflow as tf


class Prepare(Protocol):
    """Makes targets of a batch's own tokens, and changes them if need be.

    Attributes:
        added: Names of the inputs that it adds.
        dropped: Names of the inputs that it takes away.
    """

    added: ClassVar[tuple[str, ...]]
    dropped: ClassVar[tuple[str, ...]]

    def __call__(
        self, inputs: Mapping[str, npt.NDArray[np.int32]], *, epoch: int, step: int
    ) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int32]]:
        """Takes the inputs of a step, counted from 0 in its epoch, to inputs and targets.

        What it adds, and the targets, are int32, (batch, any number).
        """
        ...


class BatchTargets(Protocol):
    """Puts targets to the inputs of a batch."""

    @property
    def arrays(self) -> Sequence[npt.NDArray[Any]]:
        """What they are taken from."""

    def join(
        self, inputs: dict[str, Any], batch: npt.NDArray[np.int64], *, epoch: int, step: int
    ) -> Any:
        """Takes the inputs of a step, and the numbers of its examples, to an element."""
        ...

    def spec(self, inputs: dict[str, tf.TensorSpec]) -> Any:
        """Takes what inputs are to what elements are."""
        ...


class OfExamples:
    """One target per example, and perhaps a weight; or nothing.

    Args:
        arrays: Labels and weights. (examples, ...).
    """

    def __init__(self, arrays: Sequence[npt.NDArray[Any]]) -> None:
        self.arrays = arrays

    def join(
        self, inputs: dict[str, Any], batch: npt.NDArray[np.int64], *, epoch: int, step: int
    ) -> Any:
        """Takes the rows of the batch's examples; -1 stands for none."""
        examples = batch[batch >= 0]
        return (inputs, *(array[examples] for array in self.arrays)) if self.arrays else inputs

    def spec(self, inputs: dict[str, tf.TensorSpec]) -> Any:
        """Adds what the arrays' rows are."""
        return (inputs, *_rows_of(self.arrays)) if self.arrays else inputs


class OfTokens:
    """One target per token, which the batcher lays out as it does the tokens.

    Args:
        labels: int, (tokens,).
    """

    def __init__(self, labels: npt.NDArray[Any]) -> None:
        self.arrays = [np.asarray(labels, np.int32)]

    def join(
        self, inputs: dict[str, Any], batch: npt.NDArray[np.int64], *, epoch: int, step: int
    ) -> Any:
        """Takes the labels from among the inputs."""
        labels = inputs.pop("labels")
        return inputs, labels

    def spec(self, inputs: dict[str, tf.TensorSpec]) -> Any:
        """Adds a grid like that of the tokens."""
        return inputs, inputs["token_ids"]


class Prepared:
    """Targets that are made of a batch's own tokens, and perhaps one per example besides.

    Args:
        prepare: Makes them.
        arrays: No labels, or those of examples, for ``{"tokens": ..., "sentences": ...}``.
    """

    def __init__(self, prepare: Prepare, arrays: Sequence[npt.NDArray[Any]]) -> None:
        self.arrays = arrays
        self._prepare = prepare

    def join(
        self, inputs: dict[str, Any], batch: npt.NDArray[np.int64], *, epoch: int, step: int
    ) -> Any:
        """Has inputs and targets made anew."""
        made, tokens = self._prepare(inputs, epoch=epoch, step=step)
        return made, self._beside(tokens, [array[batch] for array in self.arrays])

    def spec(self, inputs: dict[str, tf.TensorSpec]) -> Any:
        """Adds what is made, leaves out what is dropped."""
        matrix = _batches_of((None,), np.int32)
        kept = {name: each for name, each in inputs.items() if name not in self._prepare.dropped}
        made = kept | dict.fromkeys(self._prepare.added, matrix)
        return made, self._beside(matrix, _rows_of(self.arrays))

    def _beside(self, tokens: Any, labels: Sequence[Any]) -> Any:
        return {"tokens": tokens, "sentences": labels[0]} if labels else tokens


def _rows_of(arrays: Sequence[npt.NDArray[Any]]) -> list[tf.TensorSpec]:
    return [_batches_of(array.shape[1:], array.dtype) for array in arrays]


def _batches_of(shape: Sequence[int | None], dtype: npt.DTypeLike) -> tf.TensorSpec:
    import tensorflow as tf

    return tf.TensorSpec((None, *shape), dtype)
