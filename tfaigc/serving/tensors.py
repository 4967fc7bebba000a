"""The inputs and outputs of signatures, and what may be put into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tfaigc.serving.statuses import Code, RequestError, invalid

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a signature.

    Attributes:
        name: Its name in the signature.
        tensor_name: Its name in the graph.
        dtype: TensorFlow's name of its type, such as `float` or `string`.
        numpy_dtype: NumPy's type; object for strings.
        shape: Its sizes, None for one of any size; None for a shape of any rank.
    """

    name: str
    tensor_name: str
    dtype: str
    numpy_dtype: np.dtype
    shape: tuple[int | None, ...] | None

    @property
    def is_batched(self) -> bool:
        """Whether the first dimension may be of any size."""
        return bool(self.shape) and self.shape[0] is None  # type: ignore[index]

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Tells whether an array of a shape fits.

        Args:
            shape: The array's shape.

        Returns:
            Whether rank and all fixed sizes agree.
        """
        if self.shape is None:
            return True
        return len(self.shape) == len(shape) and all(
            wanted is None or wanted == came for wanted, came in zip(self.shape, shape, strict=True)
        )


@dataclass(frozen=True)
class Signature:
    """What a SavedModel takes and gives under one name.

    Attributes:
        name: Its name.
        inputs: The inputs by name, in alphabetical order.
        outputs: The outputs by name, in alphabetical order.
        defaults: What inputs are when a request leaves them out.
    """

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    defaults: Arrays

    @property
    def is_batchable(self) -> bool:
        """Whether rows of several requests may share a run."""
        return all(
            spec.is_batched for specs in (self.inputs, self.outputs) for spec in specs.values()
        )

    def check_names(self, given: Iterable[str]) -> None:
        """Refuses too many or too few inputs, and names that are none of them.

        Args:
            given: The names that a request has.

        Raises:
            RequestError: Inputs are too many, missing without having defaults, or unknown.
        """
        names, known = set(given), set(self.inputs)
        missing = known - names - set(self.defaults)
        if len(names) > len(known) or (missing and len(names) < len(known)):
            raise invalid(
                f"input size does not match signature: {len(names)}!={len(known)} "
                f"len({_listed(names)}) != len({_listed(known)}). "
                f"Sent extra: {_listed(names - known)}. "
                f"Missing but required: {_listed(missing)}."
            )
        if names - known:
            raise invalid(
                f"input tensor alias not found in signature: {min(names - known)}. "
                f"Inputs expected to be in the set {_listed(known)}."
            )

    def complete(self, given: Arrays) -> dict[str, np.ndarray]:
        """Checks a request's arrays and fills in those that have defaults.

        Args:
            given: Arrays by input name.

        Returns:
            An array for each input. A default of one row stands for each row of the request.

        Raises:
            RequestError: An input is unknown, missing, or of another type or shape.
        """
        if not all(spec.tensor_name for spec in (*self.inputs.values(), *self.outputs.values())):
            raise RequestError(
                Code.UNIMPLEMENTED,
                f"Signature {self.name!r} has sparse or ragged tensors; only dense ones are served",
            )
        self.check_names(given)
        rows, usual = example_count(given), dict(self.defaults)
        for name, array in usual.items():
            if self.inputs[name].is_batched and len(array) == 1:
                usual[name] = np.repeat(array, rows, axis=0)
        arrays = {**usual, **given}
        for name, array in given.items():
            _check(self.inputs[name], array)
        return arrays


def _listed(names: Iterable[str]) -> str:
    return f"{{{','.join(sorted(names))}}}"


def _check(spec: TensorSpec, array: np.ndarray) -> None:
    if array.dtype != spec.numpy_dtype:
        raise invalid(
            f"input {spec.name!r} must be of type {spec.dtype}. Received: {array.dtype.name}."
        )
    if not spec.accepts(array.shape):
        raise invalid(
            f"input {spec.name!r} must have the shape {shape_text(spec.shape)}. "
            f"Received: {shape_text(array.shape)}."
        )


def example_count(arrays: Arrays) -> int:
    """Counts the examples of a request: the size of the first input's first dimension.

    Args:
        arrays: Arrays by input name.

    Returns:
        The number; 1 where there is no such dimension.

    Example:
        >>> example_count({"x": np.zeros((2, 3))}), example_count({"x": np.float32(1)})
        (2, 1)
    """
    first = next(iter(arrays.values()), None)
    return len(first) if first is not None and first.ndim else 1


def byte_count(array: np.ndarray) -> int:
    """Counts the bytes of an array, those of its strings included.

    Args:
        array: Numbers, or bytes in an array of dtype object.

    Returns:
        The number of bytes.

    Example:
        >>> byte_count(np.array([b"abc", b""], dtype=object)), byte_count(np.zeros(2))
        (19, 16)
    """
    return array.nbytes + (sum(map(len, array.flat)) if array.dtype == object else 0)


def shape_text(shape: tuple[int | None, ...] | None) -> str:
    """Writes a shape, with ? for a size or rank that may be any.

    Args:
        shape: The sizes.

    Returns:
        The text.

    Example:
        >>> shape_text((None, 3)), shape_text(None)
        ('[?,3]', '[?]')
    """
    if shape is None:
        return "[?]"
    return "[" + ",".join("?" if size is None else str(size) for size in shape) + "]"
