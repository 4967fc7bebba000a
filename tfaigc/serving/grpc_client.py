"""Asks a server's gRPC interface, with the answers of the REST interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from tfaigc.serving.connection import Connection
from tfaigc.serving.descriptions import signature_json
from tfaigc.serving.examples import read_examples
from tfaigc.serving.json_answers import write_predictions
from tfaigc.serving.json_predict import read_inputs
from tfaigc.serving.protos import DEFAULT_SIGNATURE, fill_spec
from tfaigc.serving.rest_client import as_json
from tfaigc.serving.retrying import refused
from tfaigc.serving.saved_model import signature_of_proto
from tfaigc.serving.statuses import Code, RequestError
from tfaigc.serving.tensors import Signature, TensorSpec

_Key = tuple[str, int | str | None, str]
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class GrpcClient(Connection):
    """A connection to a server's gRPC interface, with the answers of the REST interface.

    What the inputs are is asked once for each signature, so that lists can become tensors.

    Args:
        url: ``grpc://HOST:PORT``, or ``grpcs://HOST:PORT`` for TLS.
        settings: The arguments of `Connection`.
    """

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(**settings)
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        scheme, _, address = url.rstrip("/").partition("://")
        self._address = address
        if scheme == "grpcs":
            trusted = Path(self._certificates).read_bytes() if self._certificates else None
            credentials = grpc.ssl_channel_credentials(trusted)
            self._channel = grpc.secure_channel(address, credentials, _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(address, _OPTIONS)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._signatures: dict[_Key, Signature] = {}

    def call(self, model: str, method: str, version: int | str | None, body: Any) -> Any:
        """Runs a signature."""
        document = json.loads(json.dumps(body, default=as_json))
        if method == "predict":
            return self._predict(model, version, document)
        return self._on_examples(model, method, version, document)

    def describe(self, model: str, version: int | str | None, what: str = "") -> Any:
        """Asks about a model."""
        from google.protobuf.json_format import MessageToDict
        from tensorflow_serving.apis import get_model_status_pb2

        if what:
            signatures = self._metadata(model, version)
            found = {name: signature_json(proto) for name, proto in signatures.items()}
            return {"metadata": {"signature_def": {"signature_def": found}}}
        request = get_model_status_pb2.GetModelStatusRequest()
        fill_spec(request.model_spec, model, version, "")
        return MessageToDict(self._ask(self._models.GetModelStatus, request))

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def _predict(self, model: str, version: int | str | None, document: dict[str, Any]) -> Any:
        key = (model, version, document.get("signature_name") or DEFAULT_SIGNATURE)
        if key not in self._signatures:
            self._signatures[key] = self._signature(*key)
        try:
            return self._predict_with(self._signatures[key], key, document)
        except RequestError:
            # A newer version may take something else.
            self._signatures.pop(key, None)
            raise

    def _predict_with(self, signature: Signature, key: _Key, document: dict[str, Any]) -> Any:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        arrays, rows = read_inputs(document, _asked(signature, document))
        request = predict_pb2.PredictRequest()
        fill_spec(request.model_spec, *key)
        for name, array in arrays.items():
            proto = tf.make_tensor_proto(array, dtype=tf.as_dtype(array.dtype))
            request.inputs[name].CopyFrom(proto)
        response = self._ask(self._prediction.Predict, request)
        outputs = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
        if set(outputs) != set(signature.outputs):
            # A newer version gives something else.
            signature = self._signatures[key] = self._signature(*key)
        return json.loads(write_predictions(outputs, signature.outputs, rows=rows))

    def _on_examples(
        self, model: str, method: str, version: int | str | None, document: dict[str, Any]
    ) -> Any:
        from tensorflow_serving.apis import classification_pb2, regression_pb2

        is_regression = method == "regress"
        request = (
            regression_pb2.RegressionRequest()
            if is_regression
            else classification_pb2.ClassificationRequest()
        )
        fill_spec(request.model_spec, model, version, document.get("signature_name", ""))
        for serialized in read_examples(document):
            request.input.example_list.examples.add().ParseFromString(serialized)
        if is_regression:
            found = self._ask(self._prediction.Regress, request).result.regressions
            return {"results": [each.value for each in found]}
        found = self._ask(self._prediction.Classify, request).result.classifications
        return {"results": [[[each.label, each.score] for each in row.classes] for row in found]}

    def _metadata(self, model: str, version: int | str | None) -> Mapping[str, Any]:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        fill_spec(request.model_spec, model, version, "")
        response = self._ask(self._prediction.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return signatures.signature_def

    def _signature(self, model: str, version: int | str | None, name: str) -> Signature:
        found = self._metadata(model, version)
        if name not in found:
            raise refused(Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
        return signature_of_proto(name, found[name])

    def _ask(self, call: Callable[..., Any], request: Any) -> Any:
        attempt = partial(self._ask_once, call, request)
        return self._retried(attempt)

    def _ask_once(self, call: Callable[..., Any], request: Any, timeout: float | None) -> Any:
        try:
            return call(request, timeout=timeout, metadata=tuple(self._headers.items()))
        except grpc.RpcError as error:
            code = Code(error.code().value[0])
            raise refused(code, f"{self._address}: {error.details()}") from error


def _asked(signature: Signature, document: dict[str, Any]) -> dict[str, TensorSpec]:
    """Leaves out the inputs that have defaults and that a request does not name."""
    values = document.get("inputs") or document.get("instances")
    first = values[0] if isinstance(values, list) and values else values
    named = first if isinstance(first, dict) else {}
    return {
        name: spec
        for name, spec in signature.inputs.items()
        if name not in signature.defaults or name in named
    }
