"""A SavedModel in memory, loaded and run as TensorFlow Serving does: by a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.tensors import Arrays, Signature, TensorSpec

_PREFIX = "Graph execution error:"
_INITIALIZER = "__saved_model_init_op"


class SavedModel:
    """A loaded version of a model; any number of threads may run it.

    Args:
        directory: The version's directory, which holds `saved_model.pb`.

    Attributes:
        signatures: What it can be asked, by name.
        signature_protos: The same as the protocol buffers of the SavedModel.

    Raises:
        RequestError: The directory holds no SavedModel that TensorFlow can load.
    """

    def __init__(self, directory: Path) -> None:
        tf = load_tensorflow()
        graph = tf.Graph()
        self._tf = tf
        self._session = tf.compat.v1.Session(graph=graph)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.loader.load(
                    self._session, [tf.saved_model.SERVING], str(directory)
                )
        except Exception as error:
            # A broken file can make the loader raise anything: ValueError, KeyError, OpError ...
            self._session.close()
            raise _loading_failure(directory, error) from error
        self.signature_protos = dict(meta_graph.signature_def)
        self.signatures = {
            name: signature_of_proto(name, proto)
            for name, proto in self.signature_protos.items()
            if name != _INITIALIZER
        }

    def run(self, name: str, arrays: Arrays, timeout: float | None = None) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            name: The signature.
            arrays: An array for each of its inputs.
            timeout: Seconds after which the run is given up; None for no limit.

        Returns:
            Arrays by output name; strings are bytes in arrays of dtype object.

        Raises:
            RequestError: The graph refuses the values, or the time is over.
        """
        signature, tf = self.signatures[name], self._tf
        feeds = {spec.tensor_name: arrays[key] for key, spec in signature.inputs.items()}
        fetches = {key: spec.tensor_name for key, spec in signature.outputs.items()}
        options = None
        if timeout is not None:
            options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, int(timeout * 1000)))
        try:
            outputs = self._session.run(fetches, feeds, options=options)
        except tf.errors.OpError as error:
            raise RequestError(Code(error.error_code), _brief(error.message)) from error
        except (TypeError, ValueError) as error:
            raise invalid(_brief(str(error))) from error
        # A session gives NumPy's numbers, or bytes, for scalars.
        return {
            key: np.asarray(value, signature.outputs[key].numpy_dtype)
            for key, value in outputs.items()
        }

    def close(self) -> None:
        """Frees the session; nothing may run any more."""
        self._session.close()


def load_tensorflow() -> Any:
    """Imports TensorFlow, with the ops of tensorflow_text that the official server has too.

    Returns:
        The tensorflow module.
    """
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    return tf


def signature_of_proto(name: str, proto: Any) -> Signature:
    """Reads what a signature takes and gives.

    Args:
        name: Its name.
        proto: Its `SignatureDef`.

    Returns:
        The signature.
    """
    import tensorflow as tf

    return Signature(
        name=name,
        inputs=_specs(proto.inputs),
        outputs=_specs(proto.outputs),
        defaults={key: tf.make_ndarray(value) for key, value in proto.defaults.items()},
    )


def _specs(infos: Any) -> dict[str, TensorSpec]:
    import tensorflow as tf

    specs = {}
    for name in sorted(infos):
        info = infos[name]
        dtype = tf.as_dtype(info.dtype)
        shape = tf.TensorShape(info.tensor_shape)
        specs[name] = TensorSpec(
            name=name,
            tensor_name=info.name,
            dtype={"float32": "float", "float64": "double", "float16": "half"}.get(
                dtype.name, dtype.name
            ),
            numpy_dtype=np.dtype(dtype.as_numpy_dtype),
            shape=None if shape.rank is None else tuple(shape.as_list()),
        )
    return specs


def _brief(message: str) -> str:
    """An error of the graph without the places in the code that built it."""
    return message.partition("\n\nOriginal stack trace")[0].removeprefix(_PREFIX).strip()


def _loading_failure(directory: Path, error: Exception) -> RequestError:
    import tensorflow as tf

    code = Code(error.error_code) if isinstance(error, tf.errors.OpError) else Code.UNKNOWN
    return RequestError(code, f"{directory} could not be loaded: {_brief(str(error))}")
