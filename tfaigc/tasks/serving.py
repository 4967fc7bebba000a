"""A task's SavedModel: its signatures, and the questions that verify it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tfaigc.export import SignatureCheck, export_saved_model
from tfaigc.export.compact import CompactWeights
from tfaigc.export.weights import EXACT, check_weight_dtype
from tfaigc.tasks.weight_changes import measure_change

if TYPE_CHECKING:
    from tfaigc.tasks.headed_model import HeadedModel

# Texts that an export is asked about besides real ones: each has broken a tokenizer somewhere.
HARD_TEXTS = (
    "",
    " ",
    "Straße, ﬁancé, Σίσυφος, İstanbul, 中文文本, עברית, ไทย.",
    "e\u0301clair\u00a05\u202fEUR\u200b\u2028™ 👩\u200d👩\u200d👧 \ufffd",
    "[CLS] a [MASK] [SEP] b [PAD]",
    "tab\tnew\nline\r\nx" + "y" * 300,
)

_STRINGS = tf.TensorSpec((None,), tf.string)


def signatures(
    model: HeadedModel, weights: Callable[[], AbstractContextManager[None]] = nullcontext
) -> dict[str, Any]:
    """Makes a task's signatures.

    - ``serving_default``, of vectors ``embed`` too: raw strings to the task's outputs;
    - ``tokens``, of images ``pixels``: the backbone's inputs to the same outputs;
    - ``tokenize``, of images ``preprocess``: raw strings to the backbone's inputs;
    - ``classify`` or ``regress``, where the task has them: serialized ``tf.Example`` to what
      TensorFlow Serving's call of that name returns;
    - ``generate``, where the task writes: raw strings, and how each text is written, to the texts.

    Args:
        model: The task, whose floats are float32.
        weights: Makes a context within which graphs are traced; see ``CompactWeights``.

    Returns:
        Concrete functions by name.
    """
    shapes = model.string_shapes()
    strings = {field: tf.TensorSpec(shape, tf.string) for field, shape in shapes.items()}
    of_inputs, of_strings = model.input_signatures

    def function(made: Callable[..., Any], inputs: Mapping[str, tf.TensorSpec]) -> Any:
        def run(**given: Any) -> Any:
            with weights():
                return made(**given)

        return _function(run, inputs)

    # One graph each for what several signatures do: it is traced, and stored, once.
    tokenize = _function(lambda **texts: model.tokenize_in_graph(texts), strings)
    answer_inputs = function(lambda **inputs: model.serve_inputs(inputs), model.input_specs())

    def answer_texts(texts: Mapping[str, Any]) -> Any:
        inputs = tokenize(**texts)
        return answer_inputs(
            **{
                name: tf.ensure_shape(inputs[name], spec.shape)
                for name, spec in model.input_specs().items()
            }
        )

    def answer(**texts: Any) -> dict[str, Any]:
        return model.serve_texts(texts, answer_texts)

    def answer_examples(outputs: Callable[[Any], dict[str, Any]]) -> Any:
        def answer_serialized(inputs: Any) -> dict[str, Any]:
            features = {field: tf.io.FixedLenFeature((), tf.string) for field in strings}
            texts = tf.io.parse_example(inputs, features)
            return outputs(answer_texts(texts))

        return function(answer_serialized, {"inputs": _STRINGS})

    names = ("serving_default", *model.default_aliases)
    return {
        **dict.fromkeys(names, function(answer, strings)),
        of_inputs: answer_inputs,
        of_strings: tokenize,
        **{name: answer_examples(made) for name, made in model.example_signatures().items()},
        **model.further_signatures(tokenize, weights),
    }


def tokenize_in_graph(model: HeadedModel, texts: Mapping[str, Any]) -> dict[str, Any]:
    """Takes raw strings to the backbone's inputs with TensorFlow operations.

    Args:
        model: The task.
        texts: string, (batch,), under the names of ``text_fields``.

    Returns:
        ``token_ids``, ``padding_mask`` and ``segment_ids``: int32, (batch, length).
    """
    first, *second = (texts[field] for field in model.text_fields)
    if model.prefix:
        first = tf.strings.join([model.prefix, first])
    token_ids, segment_ids = model.tokenizer.in_graph(
        first,
        second[0] if second else None,
        max_length=model.served_length,
        truncation=model.truncation,
        return_segment_ids=True,
    )
    return {
        "token_ids": token_ids.to_tensor(model.tokenizer.pad_token_id or 0),
        "padding_mask": tf.sequence_mask(token_ids.row_lengths(), dtype=tf.int32),
        "segment_ids": segment_ids.to_tensor(0),
    }


def export_task(
    model: HeadedModel,
    directory: Path,
    *,
    examples: Sequence[Mapping[str, Any]],
    dtype: str = EXACT,
    records: Any = None,
) -> Path:
    """Exports a task, and asks the export what the task was asked.

    Args:
        model: The task.
        directory: The served model's directory.
        examples: Questions: records with what ``text_fields`` names.
        dtype: How large weights are stored; see ``WEIGHT_DTYPES``.
        records: With the right answers, to measure what another dtype than float32 changes; None:
            the examples' answers are compared.

    Returns:
        The version's directory.

    Raises:
        ExportError: The export does not answer as the task does, or cannot be written.
    """
    check_weight_dtype(dtype)
    # TensorFlow Serving refuses the smaller floating types.
    exact = model.in_float32()
    metadata = {"task": model.task, **model.settings(), **model.config_entries()}
    if (unknown := getattr(model.tokenizer, "unknown_token_id", None)) is not None:
        metadata["unknown_token_id"] = unknown
    # The module holds the weights alone: a model as its attribute would bring the optimizer along.
    module = tf.Module(name="serving")
    # Our own tokenizers are constants; KerasHub's hold tables.
    module.tokenizer = getattr(model.tokenizer, "layer", None)
    if dtype == EXACT:
        module.weights = [variable.value for variable in exact.weights]
        answering, functions = exact, signatures(exact)
    else:
        module.weights = weights = CompactWeights(exact, dtype=dtype)
        answering = exact.copy_in_float32(weights.widened())
        metadata["weights"] = {
            **weights.sizes(),
            **measure_change(exact, answering, dtype=dtype, examples=examples, records=records),
        }
        # A model of its own: what it has traced belongs to graphs with these weights.
        served = exact.copy_with_dtype("float32")
        functions = signatures(served, lambda: weights.standing_in(served))
    return export_saved_model(
        directory,
        module=module,
        signatures=functions,
        checks=_checks(answering, examples),
        metadata=metadata,
    )


def _checks(model: HeadedModel, examples: Sequence[Mapping[str, Any]]) -> list[SignatureCheck]:
    """Asks the model in Python, with the Rust tokenizer, what the export will be asked."""
    texts = model.stack_questions(examples)
    inputs = model.tokenize_strings(texts)
    answers = _arrays(model.serve_inputs(inputs))
    calls = model.example_signatures()
    rows = zip(*texts.values(), strict=True) if calls else ()
    of_inputs, of_strings = model.input_signatures
    serialized = [_serialized(dict(zip(texts, row, strict=True))) for row in rows]
    expected = model.expected_answers(texts, answers)
    names = ("serving_default", *model.default_aliases)
    return [
        *(SignatureCheck(name, texts, expected) for name in names),
        SignatureCheck(of_inputs, inputs, answers),
        SignatureCheck(of_strings, texts, inputs),
        *(
            SignatureCheck(name, {"inputs": serialized}, _arrays(outputs(answers)))
            for name, outputs in calls.items()
        ),
        *model.further_checks(texts, inputs),
    ]


def tokenize_strings(
    model: HeadedModel, texts: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Takes raw strings to the backbone's inputs with the Rust tokenizer.

    Args:
        model: The task.
        texts: Strings, under the names of ``text_fields``.

    Returns:
        See ``tokenize_in_graph``.
    """
    first, *second = (texts[field] for field in model.text_fields)
    encoded = model.tokenizer.encode_arrays(
        [model.prefix + text for text in first],
        second[0] if second else None,
        max_length=model.served_length,
        truncation=model.truncation,
    )
    lengths = np.diff(encoded.row_splits)
    mask = np.arange(lengths.max()) < lengths[:, None]
    inputs = {
        "token_ids": np.full(mask.shape, model.tokenizer.pad_token_id or 0, "int32"),
        "padding_mask": mask.astype("int32"),
        "segment_ids": np.zeros(mask.shape, "int32"),
    }
    inputs["token_ids"][mask] = encoded.token_ids
    inputs["segment_ids"][mask] = encoded.segment_ids
    return inputs


def _function(function: Any, inputs: Mapping[str, tf.TensorSpec]) -> Any:
    named = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()
    }
    return tf.function(function, autograph=False).get_concrete_function(**named)


def _arrays(outputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(output) for name, output in outputs.items()}


def _serialized(texts: Mapping[str, str | bytes]) -> bytes:
    """Makes a serialized ``tf.Example`` with one string a field."""
    features = {
        field: tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.compat.as_bytes(text)]))
        for field, text in texts.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString())
