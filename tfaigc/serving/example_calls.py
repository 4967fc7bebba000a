"""The calls on serialized `tf.Example` over gRPC: Classify, Regress, and several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tfaigc.serving.protos import signature_of
from tfaigc.serving.results import (
    check_classification,
    check_regression,
    classification,
    regression,
)
from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.tensors import Arrays, Signature


class ExampleCall(NamedTuple):
    """What a call asks of a signature, and makes of its outputs.

    Attributes:
        check: Refuses signatures that cannot answer.
        fill: Writes outputs, to a number of examples, into a result.
    """

    check: Callable[[Signature], None]
    fill: Callable[[Any, Arrays, int], None]


class Task(NamedTuple):
    """One part of a `MultiInferenceRequest`.

    Attributes:
        signature: The signature that is asked.
        call: How.
        result: The field of the answer that is filled.
    """

    signature: str
    call: ExampleCall
    result: str


def _fill_classes(result: Any, outputs: Arrays, batch: int) -> None:
    """Fills a `ClassificationResult`."""
    classes, scores = classification(outputs, batch)
    count = (classes if classes is not None else scores).shape[1]  # type: ignore[union-attr]
    for row in range(batch):
        each = result.classifications.add()
        for column in range(count):
            found = each.classes.add()
            if classes is not None:
                found.label = classes[row, column].decode("utf-8", "replace")
            if scores is not None:
                found.score = scores[row, column]


def _fill_numbers(result: Any, outputs: Arrays, batch: int) -> None:
    """Fills a `RegressionResult`."""
    for number in regression(outputs, batch).tolist():
        result.regressions.add().value = number


EXAMPLE_CALLS = {
    "Classify": ExampleCall(check_classification, _fill_classes),
    "Regress": ExampleCall(check_regression, _fill_numbers),
}

_TASKS = {
    "tensorflow/serving/classify": ("Classify", "classification_result"),
    "tensorflow/serving/regress": ("Regress", "regression_result"),
}


def read_tasks(request: Any, signatures: dict[str, Signature]) -> list[Task]:
    """Reads what a request with several tasks asks of a model.

    Args:
        request: A `MultiInferenceRequest`.
        signatures: The model's.

    Returns:
        The tasks, in their order.

    Raises:
        RequestError: A task names another model, a signature that is not there or a second time,
            or a method that is none of a call on examples.
    """
    tasks: list[Task] = []
    model = request.tasks[0].model_spec.name
    for task in request.tasks:
        name = signature_of(task)
        if task.model_spec.name != model:
            raise invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        if name in {each.signature for each in tasks}:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        if name not in signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in _TASKS:
            raise RequestError(
                Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}"
            )
        api, result = _TASKS[task.method_name]
        EXAMPLE_CALLS[api].check(signatures[name])
        tasks.append(Task(name, EXAMPLE_CALLS[api], result))
    return tasks
