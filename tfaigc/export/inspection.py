"""What a SavedModel on disk is made of: its signatures, its ops, its variables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfaigc.errors import ExportError

# These call back into the Python process that exported the model.
PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})

# Counters and small tables may ride along with the variables that the signatures read.
_SPARE_SHARE = 0.01
_SPARE_BYTES = 64 * 1024


def read_meta_graph(version: Path) -> Any:
    """Parses the graph of a SavedModel.

    Args:
        version: The directory with `saved_model.pb`.

    Returns:
        The MetaGraphDef.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    return model.meta_graphs[0]


def op_names(meta_graph: Any) -> list[str]:
    """Lists the ops of a graph and of all functions in it.

    Args:
        meta_graph: The MetaGraphDef.

    Returns:
        Each name once, sorted.
    """
    return sorted({node.op for node in _nodes(meta_graph)})


def check_ops(meta_graph: Any) -> None:
    """Makes sure that a stock server can run the graph.

    Args:
        meta_graph: The MetaGraphDef.

    Raises:
        ExportError: A node calls Python, or a function must be compiled by XLA.
    """
    python = sorted(
        {f"{node.name} ({node.op})" for node in _nodes(meta_graph) if node.op in PYTHON_OPS}
    )
    if python:
        raise ExportError(
            "An exported graph must not call Python, which the server does not have. "
            f"Received: {', '.join(python[:5])}. Replace tf.py_function and tf.numpy_function "
            "by TensorFlow ops."
        )
    functions = meta_graph.graph_def.library.function
    compiled = [f.signature.name for f in functions if f.attr["_XlaMustCompile"].b]
    compiled += [node.name for node in _nodes(meta_graph) if node.attr["_XlaMustCompile"].b]
    if compiled:
        raise ExportError(
            "An exported function must not be bound to XLA, which the server refuses by default. "
            f"Received: {', '.join(sorted(set(compiled))[:5])}. "
            "Trace the signatures without jit_compile=True."
        )


def check_variables(version: Path, meta_graph: Any) -> None:
    """Makes sure that the disk holds each variable that the signatures read, once.

    Args:
        version: The directory with the variables.
        meta_graph: Its MetaGraphDef.

    Raises:
        ExportError: There are copies, or variables that no signature reads.
    """
    stored = stored_bytes(version)
    variables = _variables(meta_graph)
    used = {index for index in variables if index in _bound(meta_graph)}
    needed = sum(variables[index][1] for index in used)
    if stored <= needed * (1 + _SPARE_SHARE) + _SPARE_BYTES:
        return
    unused = [variables[index] for index in variables if index not in used]
    largest = sorted(unused, key=lambda variable: -variable[1])
    names = ", ".join(name for name, _ in largest[:5]) or "some other object"
    more = f" and {len(unused) - 5} more" if len(unused) > 5 else ""
    raise ExportError(
        "An export must store each variable that its signatures read, once "
        f"({needed:,} bytes). Received: {stored:,} bytes; no signature reads {names}{more}. "
        "Let the module hold only the variables of the exported functions: no copies, no optimizer."
    )


def stored_bytes(version: Path) -> int:
    """Adds up the variables on disk.

    Args:
        version: The directory with the variables.

    Returns:
        Their size in bytes, from the size of the data files, less the table of objects.
    """
    import tensorflow as tf

    prefix = version / "variables" / "variables"
    files = sum(path.stat().st_size for path in prefix.parent.glob("variables.data-*"))
    if not files:
        return 0
    objects = tf.train.load_checkpoint(str(prefix)).get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    return max(0, files - len(objects))


def describe_signatures(meta_graph: Any) -> dict[str, Any]:
    """Lists the inputs and outputs of every signature.

    Args:
        meta_graph: The MetaGraphDef.

    Returns:
        For each signature `inputs` and `outputs`: dtype and shape by name, None for any size.
    """
    return {
        name: {"inputs": _describe(definition.inputs), "outputs": _describe(definition.outputs)}
        for name, definition in sorted(meta_graph.signature_def.items())
        if not name.startswith("__")
    }


def _describe(tensors: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {
        name: {
            "dtype": tf.as_dtype(info.dtype).name,
            "shape": [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim],
        }
        for name, info in sorted(tensors.items())
    }


def _nodes(meta_graph: Any) -> Iterator[Any]:
    yield from meta_graph.graph_def.node
    for function in meta_graph.graph_def.library.function:
        yield from function.node_def


def _variables(meta_graph: Any) -> dict[int, tuple[str, int]]:
    """Finds name and size in bytes of the saved variables, by their number in the object graph."""
    import tensorflow as tf

    found = {}
    for index, node in enumerate(meta_graph.object_graph_def.nodes):
        if node.WhichOneof("kind") == "variable":
            shape = tf.TensorShape(node.variable.shape)
            count = shape.num_elements() or 0
            found[index] = (node.variable.name, count * tf.as_dtype(node.variable.dtype).size)
    return found


def _bound(meta_graph: Any) -> set[int]:
    """Collects the numbers of all objects that a saved function captures."""
    functions = meta_graph.object_graph_def.concrete_functions.values()
    return {index for function in functions for index in function.bound_inputs}
