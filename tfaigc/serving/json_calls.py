"""The REST calls that run a signature: JSON in, a `Call` to wait for out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tfaigc.serving.examples import read_examples
from tfaigc.serving.json_answers import write_classes, write_numbers, write_predictions
from tfaigc.serving.json_predict import read_inputs, signature_name
from tfaigc.serving.json_text import parse_object
from tfaigc.serving.manager import Manager, ModelSpec
from tfaigc.serving.protos import DEFAULT_SIGNATURE
from tfaigc.serving.results import (
    INPUTS,
    check_classification,
    check_regression,
    classification,
    regression,
)
from tfaigc.serving.scheduling import Answer
from tfaigc.serving.statuses import invalid
from tfaigc.serving.tensors import Arrays, Signature, example_count


@dataclass(frozen=True)
class Call:
    """A request on its way.

    Attributes:
        answer: The arrays by output name, to come.
        render: Makes the response's body of them.
        rows: How many examples the request has.
    """

    answer: Answer
    render: Callable[[Arrays], bytes]
    rows: int


def predict(manager: Manager, spec: ModelSpec, body: bytes, deadline: float | None) -> Call:
    """Starts `:predict`.

    Args:
        manager: The loaded models.
        spec: The model that is asked.
        body: The request.
        deadline: When the answer is of no use any more, by `time.monotonic()`.

    Returns:
        The call.

    Raises:
        RequestError: The request cannot be answered.
    """
    document = parse_object(body)
    name = signature_name(document)

    with manager.lent(spec) as servable:
        signature = servable.signatures.get(name or DEFAULT_SIGNATURE)
        if signature is None:
            raise invalid(
                f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def'
            )
        if not signature.inputs:
            raise invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
        arrays, rows = read_inputs(document, signature.inputs)
        answer = servable.submit(signature.name, arrays, deadline)
    outputs = signature.outputs
    return Call(
        answer, lambda found: write_predictions(found, outputs, rows=rows), example_count(arrays)
    )


def classify(manager: Manager, spec: ModelSpec, body: bytes, deadline: float | None) -> Call:
    """Starts `:classify`; the arguments and refusals are those of `predict`."""

    def render(outputs: Arrays, batch: int) -> bytes:
        return write_classes(*classification(outputs, batch))

    return _on_examples(manager, spec, body, deadline, check_classification, render)


def regress(manager: Manager, spec: ModelSpec, body: bytes, deadline: float | None) -> Call:
    """Starts `:regress`; the arguments and refusals are those of `predict`."""

    def render(outputs: Arrays, batch: int) -> bytes:
        return write_numbers(regression(outputs, batch))

    return _on_examples(manager, spec, body, deadline, check_regression, render)


METHODS: Mapping[str, Callable[[Manager, ModelSpec, bytes, float | None], Call]] = {
    "predict": predict,
    "classify": classify,
    "regress": regress,
}


def _on_examples(
    manager: Manager,
    spec: ModelSpec,
    body: bytes,
    deadline: float | None,
    check: Callable[[Signature], None],
    render: Callable[[Arrays, int], bytes],
) -> Call:
    document = parse_object(body)
    name = signature_name(document) or DEFAULT_SIGNATURE
    examples = read_examples(document)

    with manager.lent(spec) as servable:
        if name not in servable.signatures:
            raise invalid(f"No signature was found with the name: {name}")
        check(servable.signatures[name])
        answer = servable.submit(name, {INPUTS: examples}, deadline)
    return Call(answer, lambda found: render(found, len(examples)), len(examples))
