"""The gRPC interface: TensorFlow Serving's prediction and model services, and health."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswerError
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tfaigc.serving.access import Access
from tfaigc.serving.core import Core
from tfaigc.serving.example_calls import EXAMPLE_CALLS, read_tasks
from tfaigc.serving.limits import Limits
from tfaigc.serving.protos import (
    example_inputs,
    fill_spec,
    predict_inputs,
    signature_of,
    spec_of,
    tensor_proto,
)
from tfaigc.serving.servable import Servable
from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.tensors import Arrays, Signature, example_count

logger = logging.getLogger(__name__)

_CODES = {status.value[0]: status for status in grpc.StatusCode}
_SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")
# Each call that waits for its batch holds a thread; more calls than these are refused at once.
_MOST_CALLS = 128


class GrpcServer:
    """A server on a port of its own.

    Args:
        core: The loaded models.
        address: ``HOST:PORT``; port 0 for any that is free.
        limits: What a request may cost.
        access: Who may ask, and how that is kept secret.

    Attributes:
        port: The port.

    Raises:
        RuntimeError: The port is taken.
    """

    def __init__(
        self, core: Core, address: str, limits: Limits, access: Access | None = None
    ) -> None:
        access = access or Access()
        self._health = health.HealthServicer()
        self._server = grpc.server(
            ThreadPoolExecutor(_MOST_CALLS, thread_name_prefix="grpc"),
            maximum_concurrent_rpcs=_MOST_CALLS,
            options=[
                ("grpc.max_receive_message_length", limits.max_body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
            ],
        )
        calls = _Calls(core, limits, access)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            _Prediction(calls), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(calls), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.port = self._bind(address, access)
        self._server.start()
        for service in _SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def _bind(self, address: str, access: Access) -> int:
        if access.certificate is None or access.private_key is None:
            return int(self._server.add_insecure_port(address))
        pair = access.private_key.read_bytes(), access.certificate.read_bytes()
        return int(self._server.add_secure_port(address, grpc.ssl_server_credentials([pair])))

    def close(self, seconds: float) -> None:
        """Takes no more calls, and waits for those that are under way.

        Args:
            seconds: How long they may still take.
        """
        self._health.enter_graceful_shutdown()
        self._server.stop(seconds).wait()


class _Calls:
    """What all calls have in common: their counting, and the form of their failures."""

    def __init__(self, core: Core, limits: Limits, access: Access) -> None:
        self.core = core
        self.limits = limits
        self._access = access

    def answer(
        self, api: str, request: Any, context: grpc.ServicerContext, work: Callable[[], Any]
    ) -> Any:
        """Does a call's work; a `RequestError` becomes the call's status."""
        start, code, message = time.perf_counter(), Code.OK, ""
        self.core.metrics.request_begins()
        try:
            metadata = dict(context.invocation_metadata())
            address = context.peer().rpartition(":")[0]
            self._access.admit(str(metadata.get("authorization", "")), address)
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            return work()
        except RequestError as error:
            code, message = error.code, error.message
        except Exception:
            logger.exception("a call failed: %s", api)
            code, message = Code.INTERNAL, "Internal error"
        finally:
            name = request.model_spec.name
            self.core.count_request(name, api, "GRPC", code, time.perf_counter() - start)
        context.abort(_CODES[code], message)
        raise AssertionError("abort raises")

    def run(
        self,
        servable: Servable,
        signature: str,
        inputs: Arrays,
        context: grpc.ServicerContext,
    ) -> Arrays:
        """Runs a signature within the time that the client gave."""
        timeouts = (context.time_remaining(), self.limits.timeout)
        timeout = min((each for each in timeouts if each is not None), default=None)
        deadline = None if timeout is None else time.monotonic() + timeout
        answer = servable.submit(signature, inputs, deadline)
        try:
            return answer.result(timeout)
        except NoAnswerError:
            answer.cancel()
            raise RequestError(Code.DEADLINE_EXCEEDED, "Timed out") from None


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._calls.answer(
            "Predict", request, context, lambda: self._predict(request, context)
        )

    def Classify(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._on_examples(
            "Classify", request, context, classification_pb2.ClassificationResponse()
        )

    def Regress(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._on_examples("Regress", request, context, regression_pb2.RegressionResponse())

    def MultiInference(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        # The first task says which model is asked; without any, that is none.
        first = request.tasks[0] if request.tasks else inference_pb2.InferenceTask(model_spec={})
        return self._calls.answer(
            "MultiInference", first, context, lambda: self._infer(first, request, context)
        )

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._calls.answer(
            "GetModelMetadata", request, context, lambda: self._metadata(request)
        )

    def _predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._calls.core.manager.lent(spec_of(request)) as servable:
            name = signature_of(request)
            signature = servable.signatures.get(name)
            if signature is None:
                raise RequestError(
                    Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
                )
            wanted = _wanted_outputs(signature, request.output_filter)
            signature.check_names(request.inputs)
            inputs = predict_inputs(request, self._calls.limits.max_body_bytes)
            self._calls.core.metrics.examples(servable.name, example_count(inputs))
            outputs = self._calls.run(servable, name, inputs, context)
        response = predict_pb2.PredictResponse()
        fill_spec(response.model_spec, servable.name, servable.version, name)
        for output in wanted:
            response.outputs[output].CopyFrom(tensor_proto(outputs[output]))
        return response

    def _on_examples(
        self, api: str, request: Any, context: grpc.ServicerContext, response: Any
    ) -> Any:
        call = EXAMPLE_CALLS[api]

        def work() -> Any:
            with self._calls.core.manager.lent(spec_of(request)) as servable:
                name = signature_of(request)
                if name not in servable.signatures:
                    raise invalid(f"No signature was found with the name: {name}")
                call.check(servable.signatures[name])
                inputs = self._examples(request, servable)
                outputs = self._calls.run(servable, name, inputs, context)
            fill_spec(response.model_spec, servable.name, servable.version, name)
            call.fill(response.result, outputs, example_count(inputs))
            return response

        return self._calls.answer(api, request, context, work)

    def _infer(self, first: Any, request: Any, context: grpc.ServicerContext) -> Any:
        response = inference_pb2.MultiInferenceResponse()
        with self._calls.core.manager.lent(spec_of(first)) as servable:
            tasks = read_tasks(request, servable.signatures)
            inputs = self._examples(request, servable)
            for task in tasks:
                outputs = self._calls.run(servable, task.signature, inputs, context)
                result = response.results.add()
                fill_spec(result.model_spec, servable.name, servable.version, task.signature)
                task.call.fill(getattr(result, task.result), outputs, example_count(inputs))
        return response

    def _examples(self, request: Any, servable: Servable) -> Arrays:
        inputs = example_inputs(request)
        self._calls.core.metrics.examples(servable.name, example_count(inputs))
        return inputs

    def _metadata(self, request: Any) -> Any:
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        found = get_model_metadata_pb2.SignatureDefMap()
        with self._calls.core.manager.lent(spec_of(request)) as servable:
            for name, proto in servable.model.signature_protos.items():
                found.signature_def[name].CopyFrom(proto)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
        response.metadata["signature_def"].Pack(found)
        return response


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    """States of versions. Configuration over the network is left out: it would need guarding."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._calls.answer("GetModelStatus", request, context, lambda: self._status(request))

    def _status(self, request: Any) -> Any:
        response = get_model_status_pb2.GetModelStatusResponse()
        found = self._calls.core.manager.statuses(spec_of(request))
        for version, status in found.items():
            response.model_version_status.add(
                version=version,
                state=int(status.state),
                status={"error_code": int(status.code), "error_message": status.message},
            )
        return response


def _wanted_outputs(signature: Signature, wanted: Any) -> list[str]:
    for name in wanted:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in "
                f"the set {{{','.join(signature.outputs)}}}."
            )
        if list(wanted).count(name) > 1:
            raise invalid(f"duplicate output tensor alias: {name}")
    return list(wanted) or list(signature.outputs)
