"""What TensorFlow Serving asks of a signature, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tfaigc.errors import ExportError, suggestion
from tfaigc.export.comparing import SignatureCheck

DEFAULT_SIGNATURE = "serving_default"

# The server's calls on serialized tf.Example, each a signature of that name here, and the outputs
# that they may have: their types and ranks.
EXAMPLE_CALLS = {
    "classify": {"classes": ("string", 2), "scores": ("float32", 2)},
    "regress": {"outputs": ("float32", 1)},
}

# The server's JSON knows no half floats; what else it knows, the models here do not need.
OUTPUT_DTYPES = ("float32", "int32", "int64", "string")
INPUT_DTYPES = (*OUTPUT_DTYPES, "bool", "uint8")

_PLAIN_NAME = re.compile("[a-z][a-z0-9_]*")
_NUMBERED_NAME = re.compile("(output|args|kwargs|unknown)_?[0-9]*")


def concrete_signatures(signatures: Mapping[str, Any]) -> dict[str, Any]:
    """Checks signatures against the server's contract.

    Args:
        signatures: A `tf.function` with an input signature, or a concrete function, by name.

    Returns:
        The concrete functions by name.

    Raises:
        ExportError: A signature breaks a rule; the message names it.

    Example:
        >>> concrete_signatures({})
        Traceback (most recent call last):
        ...
        tfaigc.errors.ExportError: An export must have the signature 'serving_default'. ...
    """
    if DEFAULT_SIGNATURE not in signatures:
        raise ExportError(
            f"An export must have the signature {DEFAULT_SIGNATURE!r}. "
            f"Received: {sorted(signatures)}. Add it to signatures."
        )
    functions = {}
    for name, function in signatures.items():
        _check_name(name, "a signature")
        functions[name] = _concrete(name, function)
        inputs = _check_inputs(name, functions[name])
        outputs = _check_outputs(name, functions[name])
        if name in EXAMPLE_CALLS:
            _check_example_call(name, inputs, outputs)
    return functions


def require_checks(names: Sequence[str], checks: Sequence[SignatureCheck]) -> None:
    """Makes sure that every signature is checked on at least one example.

    Args:
        names: The signatures' names.
        checks: The checks.

    Raises:
        ExportError: A check names no signature, or a signature has no check.
    """
    for check in checks:
        if check.signature not in names:
            raise ExportError(
                f"A check's signature must be one of {sorted(names)}. "
                f"Received: {check.signature!r}.{suggestion(check.signature, names)} Rename it."
            )
    unchecked = sorted(set(names) - {check.signature for check in checks})
    if unchecked:
        raise ExportError(
            "Every signature must have a check. "
            f"Received: none for {', '.join(map(repr, unchecked))}. Add a SignatureCheck for each."
        )


def _concrete(name: str, function: Any) -> Any:
    """Traces a function that is not yet concrete."""
    if hasattr(function, "structured_input_signature"):
        return function
    if not hasattr(function, "get_concrete_function"):
        raise ExportError(
            f"Signature {name!r} must be a tf.function or a concrete function. "
            f"Received: {type(function).__name__}. Wrap it in tf.function."
        )
    if function.input_signature is None:
        raise ExportError(
            f"Signature {name!r} must have fixed input dtypes and shapes. Received: a tf.function "
            "without input_signature. Pass tf.function an input_signature of tf.TensorSpec."
        )
    return function.get_concrete_function()


def _check_inputs(signature: str, function: Any) -> dict[str, Any]:
    """Checks the inputs of a signature; gives their specs by name."""
    import tensorflow as tf

    positional, named = function.structured_input_signature
    specs = [(str(getattr(spec, "name", "")), spec) for spec in tf.nest.flatten(positional)]
    specs += list(named.items())
    if not specs:
        raise ExportError(
            f"Signature {signature!r} must have at least one input. Received: none. "
            "Give its function a tensor argument."
        )
    for name, spec in specs:
        place = f"Input {name!r} of signature {signature!r}"
        if not isinstance(spec, tf.TensorSpec):
            raise ExportError(
                f"{place} must be a dense tensor. Received: {type(spec).__name__}. "
                "Take a tf.TensorSpec and build other kinds inside the function."
            )
        _check_name(name, f"an input of signature {signature!r}")
        _check_tensor(place, spec, INPUT_DTYPES)
    return dict(specs)


def _check_outputs(signature: str, function: Any) -> dict[str, Any]:
    """Checks the outputs of a signature; gives them by name."""
    import tensorflow as tf

    outputs = function.structured_outputs
    if not isinstance(outputs, Mapping) or not outputs:
        raise ExportError(
            f"Signature {signature!r} must return a dict of tensors, so that its outputs have "
            f"names. Received: {type(outputs).__name__}. Return {{'name': tensor}}."
        )
    for name, tensor in outputs.items():
        place = f"Output {name!r} of signature {signature!r}"
        if not isinstance(tensor, (tf.Tensor, tf.TensorSpec)):
            raise ExportError(
                f"{place} must be a dense tensor: the server refuses all others. "
                f"Received: {type(tensor).__name__}. Pad it, as with to_tensor()."
            )
        _check_name(name, f"an output of signature {signature!r}")
        _check_tensor(place, tensor, OUTPUT_DTYPES)
    return dict(outputs)


def _check_name(name: Any, what: str) -> None:
    """Checks that a name says something and can be typed."""
    plain = isinstance(name, str) and _PLAIN_NAME.fullmatch(name) is not None
    if not plain or _NUMBERED_NAME.fullmatch(name):
        raise ExportError(
            f"The name of {what} must be a word in lower case that says what it is, such as "
            f"'text' or 'score'. Received: {name!r}. Rename it."
        )


def _check_tensor(place: str, tensor: Any, dtypes: Sequence[str]) -> None:
    """Checks dtype and batch dimension."""
    if tensor.dtype.name not in dtypes:
        raise ExportError(
            f"{place} must have one of the dtypes {', '.join(dtypes)}. "
            f"Received: {tensor.dtype.name}. Cast it with tf.cast."
        )
    if tensor.shape.rank is None:
        raise ExportError(
            f"{place} must have a known number of dimensions. Received: an unknown rank. "
            "State it with tf.ensure_shape."
        )
    if tensor.shape.rank == 0 or tensor.shape[0] is not None:
        raise ExportError(
            f"{place} must have a first dimension of any size, the batch. "
            f"Received: shape {tuple(tensor.shape)}. Make its first dimension None."
        )


def _check_example_call(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Checks the form that the server's classify and regress calls require."""
    if list(inputs) != ["inputs"] or not _is(inputs["inputs"], "string", 1):
        raise ExportError(
            f"Signature {name!r} must take one input, 'inputs', string of shape (None,): "
            f"serialized tf.Example records. Received: {_describe(inputs)}. Change its function."
        )
    allowed = EXAMPLE_CALLS[name]
    if not all(key in allowed and _is(tensor, *allowed[key]) for key, tensor in outputs.items()):
        forms = [f"{key!r} ({dtype}, rank {rank})" for key, (dtype, rank) in allowed.items()]
        raise ExportError(
            f"Signature {name!r} must return nothing but {', '.join(forms)}, batch first. "
            f"Received: {_describe(outputs)}. Change its function."
        )


def _is(tensor: Any, dtype: str, rank: int) -> bool:
    return tensor.dtype.name == dtype and tensor.shape.rank == rank


def _describe(tensors: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name!r} ({tensor.dtype.name}, {tuple(tensor.shape)})" for name, tensor in tensors.items()
    )
