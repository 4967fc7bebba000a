"""A task for other runtimes than TensorFlow, which take token ids instead of strings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tfaigc.directories import what_is_there, whole_directory
from tfaigc.errors import ExportError
from tfaigc.export import SignatureCheck
from tfaigc.export.comparing import first_difference
from tfaigc.export.formats import Format, find_format
from tfaigc.export.model_card import SIGNATURES

if TYPE_CHECKING:
    from tfaigc.tasks.headed_model import HeadedModel


def convert_task(
    model: HeadedModel, directory: Path, *, file_format: str, examples: Sequence[Mapping[str, Any]]
) -> Path:
    """Writes a task's file and its tokenizer, once the file has answered as the task does.

    Args:
        model: The task.
        directory: A new or empty directory.
        file_format: One of ``FORMATS``.
        examples: Questions: records with what ``text_fields`` names.

    Returns:
        The file.

    Raises:
        ExportError: The directory is taken, the runtime lacks an operation, or the file answers
            otherwise than the task.
    """
    kind = find_format(file_format)
    if found := what_is_there(directory):
        raise ExportError(
            f"A {kind.title} export's directory must be new or empty. Received: {directory}, "
            f"which {found}. Pass another one."
        )
    twin = model.copy_in_float32(variable.value for variable in model.weights)
    # Rows keep their padding then, and so their shape.
    twin.jit_compile = True
    specs = _specs(twin, kind)
    module = tf.Module(name="converted")
    module.weights = [variable.value for variable in twin.weights]
    module.answer = tf.function(lambda **inputs: _numbers(twin, inputs, kind), autograph=False)
    content = kind.convert(module.answer, module, specs)
    inputs = _padded(model.tokenize_strings(model.stack_questions(examples)), specs)
    expected = {name: np.asarray(each) for name, each in _numbers(twin, inputs, kind).items()}
    check = SignatureCheck("tokens", inputs, expected)
    if difference := first_difference(check, kind.answer(content, inputs)):
        raise ExportError(
            f"The {kind.title} file must answer as the model does. Received: {difference}. "
            "Nothing was written; export a SavedModel instead."
        )
    _write(model, directory, kind, content, check)
    return directory / kind.file_name


def _numbers(model: HeadedModel, inputs: Mapping[str, Any], kind: Format) -> dict[str, Any]:
    """Answers in numbers: small runtimes have next to no operations on strings."""
    outputs = model.serve_inputs(inputs)
    numbers = {name: each for name, each in outputs.items() if each.dtype != tf.string}
    if not numbers:
        raise ExportError(
            f"{kind.title} files must have outputs of numbers. Received: a model that gives "
            f"strings, {', '.join(outputs)}. Export a SavedModel instead."
        )
    return numbers


def _specs(model: HeadedModel, kind: Format) -> dict[str, tf.TensorSpec]:
    """Returns what the file takes, with all sizes known."""
    specs = model.input_specs()
    if any(spec.shape.rank == 3 for spec in specs.values()):
        raise ExportError(
            f"{kind.title} files take one text at a time, of one length. Received: a model that "
            "reads several choices. Export a SavedModel instead."
        )
    sizes = (1, model.max_length)
    return {
        name: tf.TensorSpec(
            [sizes[axis] if size is None else size for axis, size in enumerate(spec.shape)],
            spec.dtype,
            name,
        )
        for name, spec in specs.items()
    }


def _padded(inputs: Mapping[str, Any], specs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Fills rows up to the length that the file takes."""
    padded = {}
    for name, spec in specs.items():
        missing = np.subtract(spec.shape[1:], np.shape(inputs[name])[1:])
        padded[name] = np.pad(inputs[name], [(0, 0), *((0, size) for size in missing)])
    return padded


def _write(
    model: HeadedModel, directory: Path, kind: Format, content: bytes, check: SignatureCheck
) -> None:
    """Writes all files, or none."""
    with whole_directory(directory) as partial:
        (partial / kind.file_name).write_bytes(content)
        save_tokenizer = getattr(model.tokenizer, "save_pretrained", None)
        if save_tokenizer is not None:
            save_tokenizer(partial)
        described = {
            side: {
                name: {"dtype": values.dtype.name, "shape": [1, *values.shape[1:]]}
                for name, values in tensors.items()
            }
            for side, tensors in (("inputs", check.inputs), ("outputs", check.outputs))
        }
        told = {"task": model.task, **model.settings(), **model.config_entries(), **described}
        text = json.dumps(told, indent=2, ensure_ascii=False)
        (partial / SIGNATURES).write_text(text + "\n", encoding="utf-8")
