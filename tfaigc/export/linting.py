"""What a stock TensorFlow Serving would not like about a SavedModel, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfaigc.errors import ExportError
from tfaigc.export.contract import DEFAULT_SIGNATURE, EXAMPLE_CALLS
from tfaigc.export.inspection import check_ops, check_variables, op_names
from tfaigc.export.newer_ops import NEWER_OPS

# What the server's JSON can hold; see `json_tensor.cc` in its sources.
_JSON_DTYPES = frozenset(
    f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
) | {"float32", "float64", "bool", "string"}


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes:
        is_error: Whether a server would fail, or answer wrongly; else it works, with a drawback.
        text: What is the matter, and what to do.
    """

    is_error: bool
    text: str


def lint(version: Path, *, server: tuple[int, int]) -> list[Finding]:
    """Reads a SavedModel without running it.

    Args:
        version: The directory with `saved_model.pb`.
        server: The major and minor version of the TensorFlow Serving that is to load it.

    Returns:
        What is the matter with it.
    """
    found = _served_graph(version)
    if isinstance(found, Finding):
        return [found]
    return [
        *_files(version, found),
        *_operations(found, server),
        *_signatures(found),
    ]


def _served_graph(version: Path) -> Any:
    """Parses the graph that a server loads, or says why there is none."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        content = (version / "saved_model.pb").read_bytes()
        graphs = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    except (OSError, DecodeError) as error:
        return Finding(True, f"saved_model.pb cannot be read: {error}. Export the model again.")
    served = [each for each in graphs if "serve" in each.meta_info_def.tags]
    if not served:
        tags = [sorted(each.meta_info_def.tags) for each in graphs]
        return Finding(True, f"A graph must have the tag 'serve'. Received: {tags}. Save it so.")
    return served[0]


def _files(version: Path, meta_graph: Any) -> Iterator[Finding]:
    """Looks for files that the graph names, and for variables that are there twice."""
    for asset in meta_graph.asset_file_def:
        if not (version / "assets" / asset.filename).is_file():
            yield Finding(True, f"assets/{asset.filename} is missing. Copy the whole directory.")
    variables = version / "variables"
    if not (variables / "variables.index").is_file():
        if any(op.startswith(("VarHandleOp", "Variable")) for op in op_names(meta_graph)):
            yield Finding(True, "variables/ is missing. Copy the whole directory.")
        return
    shards = sorted(variables.glob("variables.data-*"))
    count = int(shards[0].name.rpartition("-of-")[2]) if shards else 0
    if not shards or len(shards) != count:
        there = len(shards)
        yield Finding(True, f"variables/ has {there} of {count or 'its'} files. Copy all of them.")
        return
    try:
        check_variables(version, meta_graph)
    except ExportError as error:
        yield Finding(True, str(error))
    except Exception as error:
        yield Finding(True, f"variables/ cannot be read: {error!s:.300}. Copy it again.")


def _operations(meta_graph: Any, server: tuple[int, int]) -> Iterator[Finding]:
    """Looks for operations that a stock server does not have, or refuses to run."""
    from tensorflow.python.framework import op_def_registry

    try:
        check_ops(meta_graph)
    except ExportError as error:
        yield Finding(True, str(error))
    import tensorflow_text  # noqa: F401

    names = op_names(meta_graph)
    local = {each.signature.name for each in meta_graph.graph_def.library.function}
    unknown = [
        name
        for name in names
        if name not in local and op_def_registry.get(name) is None and not name.startswith("_")
    ]
    if unknown:
        yield Finding(
            True,
            "Every operation must be one of TensorFlow or TensorFlow Text. "
            f"Received: {', '.join(unknown[:5])}. Build them into the server, or do without.",
        )
    newer = [name for name in names if server < NEWER_OPS.get(name, server)]
    if newer:
        yield Finding(
            True,
            f"TensorFlow Serving {_dotted(server)} lacks {', '.join(newer)}. "
            f"Take {_dotted(max(NEWER_OPS[name] for name in newer))} or newer.",
        )
    made = meta_graph.meta_info_def.tensorflow_version
    exporter = tuple(int(part) for part in made.split(".")[:2] if part.isdigit())
    if len(exporter) == 2 and server < exporter:
        yield Finding(
            False,
            f"A server should not be older than the TensorFlow that exported, {made}. "
            f"Received: {_dotted(server)}. Take a newer one, or try it out well.",
        )


def _signatures(meta_graph: Any) -> Iterator[Finding]:
    """Looks for signatures that cannot be asked, or not in batches."""
    named = {
        name: definition
        for name, definition in sorted(meta_graph.signature_def.items())
        if not name.startswith("__")
    }
    if not named:
        yield Finding(True, "There must be a signature. Received: none. Save the model with some.")
    elif DEFAULT_SIGNATURE not in named:
        yield Finding(
            False,
            f"Requests that name no signature need {DEFAULT_SIGNATURE!r}. Received: "
            f"{', '.join(named)}. Name one so.",
        )
    for name, definition in named.items():
        for side in ("inputs", "outputs"):
            for key, info in sorted(getattr(definition, side).items()):
                place = f"signature {name!r}, {side[:-1]} {key!r}"
                yield from _tensor(place, side, info)
        yield from _padding(name, definition)
        if name in EXAMPLE_CALLS:
            yield from _example_call(name, definition)


def _example_call(name: str, definition: Any) -> Iterator[Finding]:
    """Looks at a signature that the server's call on ``tf.Example`` of that name would ask."""
    import tensorflow as tf

    allowed = EXAMPLE_CALLS[name]
    inputs = {key: tf.as_dtype(info.dtype).name for key, info in definition.inputs.items()}
    if inputs != {"inputs": "string"}:
        yield Finding(
            False,
            f"signature {name!r} must take 'inputs' alone, serialized tf.Example, for the server's "
            f"call of that name. Received: {_listed(inputs)}. Rename it.",
        )
    outputs = {key: tf.as_dtype(info.dtype).name for key, info in definition.outputs.items()}
    known = {key: dtype for key, (dtype, _) in allowed.items()}
    if not outputs.items() <= known.items():
        yield Finding(
            False,
            f"signature {name!r} must give nothing but {_listed(known)} for the server's call of "
            f"that name. Received: {_listed(outputs)}. Rename it.",
        )
    method = f"tensorflow/serving/{name}"
    if definition.method_name != method:
        yield Finding(
            False,
            f"signature {name!r} should have the method name {method}, which strict servers look "
            f"for. Received: {definition.method_name}. Set it with MethodNameUpdater.",
        )


def _listed(tensors: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in sorted(tensors.items()))


def _tensor(place: str, side: str, info: Any) -> Iterator[Finding]:
    """Looks at one input or output."""
    import tensorflow as tf

    if info.WhichOneof("encoding") != "name":
        kind = "ragged or sparse"
        yield Finding(True, f"{place}: must be dense. Received: {kind}. Use to_tensor() or so.")
        return
    dtype = tf.as_dtype(info.dtype).name
    if dtype not in _JSON_DTYPES:
        yield Finding(
            True, f"{place}: REST cannot hold {dtype}. Cast it to float32, or ask by gRPC alone."
        )
    shape = tf.TensorShape(info.tensor_shape)
    if shape.rank is None:
        return
    if shape.rank == 0 or shape[0] is not None:
        what = "has no axis" if shape.rank == 0 else f"is always {shape[0]}"
        rows = "requests cannot be put together" if side == "inputs" else "rows have no answers"
        # A server that batches, as the ones that `tfaigc deploy` sets up, refuses each request.
        yield Finding(
            True,
            f"{place}: the first axis must be that of the batch, of any size. Received: "
            f"{shape}, which {what}: {rows}. Give it a first axis of None.",
        )


def _padding(name: str, definition: Any) -> Iterator[Finding]:
    """Looks for numbers of any length, which a server may pad wrongly."""
    import tensorflow as tf

    open_ended = [
        key
        for key, info in sorted(definition.inputs.items())
        if tf.as_dtype(info.dtype) != tf.string
        and tf.TensorShape(info.tensor_shape).rank is not None
        and None in tf.TensorShape(info.tensor_shape).as_list()[1:]
    ]
    if open_ended:
        yield Finding(
            False,
            f"signature {name!r}: {', '.join(open_ended)} may have any length, and "
            "pad_variable_length_inputs would pad with their first elements: keep that option of "
            "the server's batching off for this model, or ask with strings.",
        )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
