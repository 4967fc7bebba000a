"""Files for other runtimes than TensorFlow, made of a traced function and asked once they are."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.errors import ExportError, suggestion

Arrays = Mapping[str, np.ndarray]

# The newest that the converter knows.
_OPSET = 18


@dataclass(frozen=True)
class Format:
    """A kind of file, for one text at a time, of one length: all sizes in it are known.

    Attributes:
        title: What people call it.
        file_name: What the file is called.
        convert: Makes the file of a `tf.function` that takes named tensors, with the module that
            holds its weights, and the tensors' specs.
        answer: Asks the file about arrays, row by row.
    """

    title: str
    file_name: str
    convert: Callable[[Any, Any, Mapping[str, Any]], bytes]
    answer: Callable[[bytes, Arrays], dict[str, np.ndarray]]


def find_format(name: str) -> Format:
    """Finds a format by its name.

    Args:
        name: One of ``FORMATS``.

    Returns:
        The format.

    Raises:
        ExportError: There is no such format.
    """
    if name not in FORMATS:
        raise ExportError(
            f"file_format must be one of {', '.join(FORMATS)}. Received: {name!r}."
            f"{suggestion(name, list(FORMATS))} Pass one of them."
        )
    return FORMATS[name]


def _to_litert(function: Any, module: Any, specs: Mapping[str, Any]) -> bytes:
    import tensorflow as tf

    concrete = function.get_concrete_function(**specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    try:
        with _silent():
            return bytes(converter.convert())
    except Exception as error:  # The converter has no exceptions of its own to rely on.
        raise _not_convertible("LiteRT", _ops_of_litert(str(error)), error) from error


def _ask_litert(content: bytes, inputs: Arrays) -> dict[str, np.ndarray]:
    import tensorflow as tf

    with _silent():
        run = tf.lite.Interpreter(model_content=content).get_signature_runner()
        return _ask_by_row(lambda row: run(**row), run.get_input_details(), inputs)


def _ask_by_row(
    run: Callable[[Arrays], Arrays], names: Iterable[str], inputs: Arrays
) -> dict[str, np.ndarray]:
    rows = range(len(next(iter(inputs.values()))))
    answers = [run({name: inputs[name][row : row + 1] for name in names}) for row in rows]
    return {name: np.concatenate([each[name] for each in answers]) for name in answers[0]}


def _ops_of_litert(message: str) -> list[str]:
    return sorted(set(re.findall(r"'tf\.([\w>]+)' op is neither", message)))


def _to_onnx(function: Any, module: Any, specs: Mapping[str, Any]) -> bytes:
    import tensorflow as tf

    onnx, tf2onnx = _onnx_packages()
    # What is wrong with the function itself is said as it is.
    function.get_concrete_function(**specs)
    names = list(specs)
    positional = tf.function(
        lambda *tensors: function(**dict(zip(names, tensors, strict=True))), autograph=False
    )
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()]
    try:
        with _silent():
            model, _ = tf2onnx.convert.from_function(
                positional,
                input_signature=signature,
                opset=_OPSET,
                custom_op_handlers={"Erfc": (_complement_of_erf, [])},
            )
    except Exception as error:  # As above.
        raise _not_convertible("ONNX", [], error) from error
    unknown = sorted({node.op_type for node in model.graph.node if not _is_known(onnx, node)})
    if unknown:
        raise _not_convertible("ONNX", unknown, None)
    return bytes(model.SerializeToString())


def _is_known(onnx: Any, node: Any) -> bool:
    return bool(onnx.defs.has(node.op_type, _OPSET, node.domain))


def _complement_of_erf(context: Any, node: Any, name: str, arguments: Any) -> None:
    """Writes ``erfc(x)``, which ONNX lacks, as ``1 - erf(x)``."""
    shapes, dtypes = node.output_shapes, node.output_dtypes
    outputs = list(node.output)
    erf = context.make_node("Erf", [node.input[0]], shapes=shapes, dtypes=dtypes)
    one = context.make_const(f"{name}/one", np.array(1, np.float32))
    context.remove_node(name)
    context.make_node(
        "Sub",
        [one.output[0], erf.output[0]],
        name=name,
        outputs=outputs,
        shapes=shapes,
        dtypes=dtypes,
    )


def _ask_onnx(content: bytes, inputs: Arrays) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs = [each.name for each in session.get_outputs()]
    return _ask_by_row(
        lambda row: dict(zip(outputs, session.run(outputs, row), strict=True)),
        [each.name for each in session.get_inputs()],
        inputs,
    )


def _onnx_packages() -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime  # noqa: F401
        import tf2onnx.convert
    except ImportError as error:
        raise ExportError(
            f"ONNX files take the extra onnx. Received: {error}. Run: pip install 'tfaigc[onnx]'"
        ) from error
    return onnx, tf2onnx


def _not_convertible(title: str, ops: list[str], error: Exception | None) -> ExportError:
    what = f"the operations {', '.join(ops)}, which it lacks" if ops else f"{error!s:.500}"
    return ExportError(
        f"{title} files can hold only what their runtime computes. Received: {what}. "
        "Export a SavedModel instead."
    )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keeps the converters' remarks, which are for their makers, away from users."""
    log = logging.getLogger("tf2onnx")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


FORMATS: dict[str, Format] = {
    "litert": Format("LiteRT", "model.tflite", _to_litert, _ask_litert),
    "onnx": Format("ONNX", "model.onnx", _to_onnx, _ask_onnx),
}
