"""What `:classify` and `:regress` ask of a signature, and make of its outputs."""

from __future__ import annotations

import numpy as np

from tfaigc.serving.statuses import invalid
from tfaigc.serving.tensors import Arrays, Signature, shape_text

INPUTS = "inputs"


def check_classification(signature: Signature) -> None:
    """Makes sure that a signature can classify.

    Args:
        signature: The signature.

    Raises:
        RequestError: It has not the one input `inputs`, or neither `classes` nor `scores`.
    """
    _check_input(signature, "classification")
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if not {"classes", "scores"} & set(signature.outputs):
        raise invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"classes" or "scores". Signature was: {signature.name}'
        )


def check_regression(signature: Signature) -> None:
    """Makes sure that a signature can regress.

    Args:
        signature: The signature.

    Raises:
        RequestError: It has not the one input `inputs` and the one output `outputs`.
    """
    _check_input(signature, "regression")
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if "outputs" not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {signature.name}")


def _check_input(signature: Signature, kind: str) -> None:
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if INPUTS not in signature.inputs:
        raise invalid(f"No {kind} inputs found in SignatureDef: {signature.name}")


def classification(outputs: Arrays, batch: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Checks what a signature answered to `:classify`.

    Args:
        outputs: Arrays by output name.
        batch: How many examples it was asked about.

    Returns:
        Labels (bytes) and scores (float32), each (batch, classes), or None where it has none.

    Raises:
        RequestError: An output is of another type or shape.
    """
    classes, scores = outputs.get("classes"), outputs.get("scores")
    for name, array, kind, dtype in (
        ("classes", classes, "DT_STRING", np.dtype(object)),
        ("scores", scores, "DT_FLOAT", np.dtype(np.float32)),
    ):
        if array is None:
            continue
        if array.ndim != 2:
            raise invalid(
                f"Expected Tensor shape: [batch_size num_classes] but got {shape_text(array.shape)}"
            )
        if array.dtype != dtype:
            raise invalid(f"Expected {name} Tensor of {kind}. Got: {array.dtype.name}")
        if len(array) != batch:
            raise invalid(f"Expected {name} output batch size of {batch}. Got: {len(array)}")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1). "
            f"Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    return classes, scores


def regression(outputs: Arrays, batch: int) -> np.ndarray:
    """Checks what a signature answered to `:regress`.

    Args:
        outputs: Arrays by output name.
        batch: How many examples it was asked about.

    Returns:
        float32, (batch,).

    Raises:
        RequestError: The output is of another type or shape.
    """
    numbers = outputs["outputs"]
    if not (numbers.ndim == 1 or (numbers.ndim == 2 and numbers.shape[1] == 1)):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{shape_text(numbers.shape)}"
        )
    if len(numbers) != batch:
        raise invalid(
            f"Input batch size did not match output batch size: {batch} vs. {len(numbers)}"
        )
    if numbers.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {numbers.dtype.name}")
    return numbers.ravel()
