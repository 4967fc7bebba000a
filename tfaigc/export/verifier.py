"""Answers questions with a SavedModel, in a process that knows nothing but TensorFlow.

Run by path, never imported for its `main`::

    python verifier.py REQUEST.json ANSWERS.json

It loads the model as TensorFlow Serving does (the SavedModel loader, a session, one run per
question) with Keras, transformers and tfaigc shut out, so that a model which leans on any of them
fails here, not on the server. Nothing is pickled: arrays travel as base64 in JSON.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import sys
import time
import types
from typing import Any

import numpy as np

SHUT_OUT = ("keras", "tf_keras", "transformers", "tfaigc")


class RequestError(Exception):
    """The request does not fit the SavedModel's signatures."""


def as_array(values: Any) -> np.ndarray:
    """Makes an array of tensors, arrays or nested lists; strings keep every byte.

    Args:
        values: Numbers or strings, in any nesting that has a shape.

    Returns:
        An array of numbers, or of dtype object for strings (NumPy's own bytes dtype would drop
        zero bytes at the end of a string).

    Example:
        >>> as_array(["film", "a film"]).dtype
        dtype('O')
    """
    if hasattr(values, "dtype"):
        array = np.asarray(values)
        return array.astype(object) if array.dtype.kind in "SU" else array
    array = np.asarray(values, dtype=object)
    if array.size and all(isinstance(item, (str, bytes)) for item in array.flat):
        return array
    return np.asarray(values)


def encode(values: Any) -> dict[str, Any]:
    """Turns an array into JSON's types.

    Args:
        values: Anything that `as_array` takes.

    Returns:
        dtype, shape and the base64 data; strings are encoded one by one as UTF-8.
    """
    array = as_array(values)
    shape = list(array.shape)
    if array.dtype == object:
        items = [item.encode() if isinstance(item, str) else item for item in array.flat]
        data = [base64.b64encode(item).decode() for item in items]
        return {"dtype": "string", "shape": shape, "data": data}
    data_bytes = np.ascontiguousarray(array).tobytes()
    return {
        "dtype": array.dtype.name,
        "shape": shape,
        "data": base64.b64encode(data_bytes).decode(),
    }


def decode(encoded: dict[str, Any]) -> np.ndarray:
    r"""Turns the product of `encode` back into an array.

    Args:
        encoded: dtype, shape and data.

    Returns:
        The array; strings are bytes in an array of dtype object.

    Example:
        >>> decode(encode(["a\0"]))
        array([b'a\x00'], dtype=object)
    """
    if encoded["dtype"] == "string":
        array = np.empty(len(encoded["data"]), dtype=object)
        for position, item in enumerate(encoded["data"]):
            array[position] = base64.b64decode(item)
    else:
        array = np.frombuffer(base64.b64decode(encoded["data"]), dtype=encoded["dtype"]).copy()
    return array.reshape(encoded["shape"])


def isolate() -> None:
    """Shuts Keras, transformers and tfaigc out of this process."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    for name in SHUT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]
    # tensorflow_text derives one Keras layer at import; an empty module stands in for it.
    layers = "tensorflow_text.python.keras"
    sys.modules[layers] = types.ModuleType(layers)


def load_tensorflow() -> Any:
    """Imports TensorFlow and registers the ops of tensorflow_text.

    Returns:
        The tensorflow module.
    """
    # What this process loads stays until it ends; to look for garbage among it takes long.
    gc.disable()
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    # The version 1 loader is what the server runs; its deprecation note is no news here.
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    return tf


def feeds_for(inputs: dict[str, np.ndarray], definition: Any, signature: str) -> dict[str, Any]:
    """Matches a question's inputs with the placeholders of a signature.

    Args:
        inputs: Arrays by input name.
        definition: The SignatureDef.
        signature: Its name, for the fault.

    Returns:
        Arrays by tensor name, in the placeholders' dtypes.

    Raises:
        RequestError: An input is unknown, missing or of another kind.
    """
    from tensorflow import as_dtype

    missing = sorted(set(definition.inputs) - set(inputs) - set(definition.defaults))
    unknown = sorted(set(inputs) - set(definition.inputs))
    if missing or unknown:
        raise RequestError(
            f"signature {signature!r} takes the inputs {sorted(definition.inputs)}. "
            f"Received: {sorted(inputs)}. Pass exactly those."
        )
    feeds = {}
    for name, array in inputs.items():
        dtype = as_dtype(definition.inputs[name].dtype)
        wanted = np.dtype(dtype.as_numpy_dtype)
        # An empty list has no dtype of its own; whole numbers may come in any width.
        fits = np.can_cast(array.dtype, wanted, casting="same_kind")
        if array.size and not (fits and (array.dtype.kind == "O") == (wanted.kind == "O")):
            came = "string" if array.dtype == object else array.dtype.name
            raise RequestError(
                f"input {name!r} of signature {signature!r} must be {dtype.name}. "
                f"Received: {came}. Convert it."
            )
        feeds[definition.inputs[name].name] = array.astype(wanted)
    return feeds


def answer_all(request: dict[str, Any]) -> dict[str, Any]:
    """Loads the SavedModel and runs every question through its signature.

    Args:
        request: The path of the SavedModel, the questions, and how often each is timed.

    Returns:
        `answers`: one dict of encoded outputs by name per question; and `seconds`: for each, a
        list with the time of every further run.

    Raises:
        RequestError: A question names a signature or an input that is not there.
    """
    tf = load_tensorflow()
    answers, seconds = [], []
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta_graph = tf.compat.v1.saved_model.loader.load(
            session, ["serve"], request["saved_model"]
        )
        definitions = meta_graph.signature_def
        for question in request["questions"]:
            signature = question["signature"]
            if signature not in definitions:
                names = sorted(name for name in definitions if not name.startswith("__"))
                raise RequestError(
                    f"signature must be one of {names}. Received: {signature!r}. Pass one of them."
                )
            inputs = {name: decode(value) for name, value in question["inputs"].items()}
            definition = definitions[signature]
            fetches = {name: info.name for name, info in definition.outputs.items()}
            feeds = feeds_for(inputs, definition, signature)
            outputs = session.run(fetches, feeds)
            answers.append({name: encode(value) for name, value in outputs.items()})
            times = []
            for _ in range(request.get("runs", 0)):
                started = time.perf_counter()
                session.run(fetches, feeds)
                times.append(time.perf_counter() - started)
            seconds.append(times)
    return {"answers": answers, "seconds": seconds}


def main(request_path: str, answers_path: str) -> None:
    """Reads the request and writes the answers, or the fault in the request.

    Args:
        request_path: A JSON file with `saved_model` and `questions`.
        answers_path: The JSON file to write.
    """
    isolate()
    with open(request_path, encoding="utf-8") as stream:
        request = json.load(stream)
    try:
        result = answer_all(request)
    except RequestError as fault:
        result = {"fault": str(fault)}
    with open(answers_path, "w", encoding="utf-8") as stream:
        json.dump(result, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
