"""The gRPC interface: the same models and the same rules, by protocol buffers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tfaigc.errors import ServingError
from tfaigc.serving.core import Core
from tfaigc.serving.grpc_server import GrpcServer
from tfaigc.serving.limits import Limits
from tfaigc.serving.server import Settings, running
from tfaigc.serving.versions import models_in


@pytest.fixture(scope="module")
def channel(core: Core) -> Iterator[grpc.Channel]:
    server = GrpcServer(core, "127.0.0.1:0", Limits(max_body_bytes=1_000_000))
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel
    server.close(5)


@pytest.fixture(scope="module")
def prediction(channel: grpc.Channel) -> prediction_service_pb2_grpc.PredictionServiceStub:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def models_service(channel: grpc.Channel) -> model_service_pb2_grpc.ModelServiceStub:
    return model_service_pb2_grpc.ModelServiceStub(channel)


def fill(spec: Any, model: str, signature: str = "", version: int | str | None = None) -> None:
    spec.name, spec.signature_name = model, signature
    if isinstance(version, int):
        spec.version.value = version
    elif version:
        spec.version_label = version


def predict_request(
    model: str, signature: str = "", version: int | str | None = None, **inputs: Any
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    fill(request.model_spec, model, signature, version)
    for name, value in inputs.items():
        proto = value if isinstance(value, tf.make_tensor_proto(0).__class__) else None
        request.inputs[name].CopyFrom(proto or tf.make_tensor_proto(value))
    return request


def floats(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def bad_tensor(**fields: Any) -> Any:
    sizes = fields.pop("sizes")
    proto = tf.make_tensor_proto(floats()).__class__(dtype=1, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


def test_predict_gives_tensors_and_says_who_answered(prediction: Any) -> None:
    response = prediction.Predict(predict_request("scales", x=floats(1, 2)))
    assert tf.make_ndarray(response.outputs["y"]).tolist() == [20.0, 40.0]
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "serving_default"
    # Clients read values in the field of their type; nothing is packed.
    assert list(response.outputs["y"].float_val) == [20.0, 40.0]
    older = prediction.Predict(predict_request("scales", version=1, x=floats(1)))
    assert tf.make_ndarray(older.outputs["y"]).tolist() == [10.0]
    labelled = prediction.Predict(predict_request("scales", version="stable", x=floats(1)))
    assert labelled == older


def test_every_type_passes(prediction: Any) -> None:
    for dtype in ("float16", "float64", "int8", "int64", "uint64", "bool"):
        values = np.array([0, 1], dtype=dtype)
        response = prediction.Predict(predict_request("numbers", dtype, x=values))
        answer = tf.make_ndarray(response.outputs["y"])
        assert (answer.dtype, answer.tolist()) == (values.dtype, values.tolist())
    scalar = prediction.Predict(predict_request("strings", "shout", word="a")).outputs["y"]
    assert tf.make_ndarray(scalar) == b"a!"
    for texts in ([b"a\\0\xff", b""], []):
        request = predict_request("strings", "bytes", text=np.array(texts, dtype=object))
        request.inputs["text"].dtype = 7
        outputs = prediction.Predict(request).outputs
        assert tf.make_ndarray(outputs["raw_bytes"]).tolist() == texts


def test_inputs_with_defaults_may_be_left_out(prediction: Any) -> None:
    response = prediction.Predict(predict_request("numbers", "scaled", x=floats(1, 2)))
    assert list(response.outputs["y"].float_val) == [3.0, 6.0]


def test_outputs_can_be_chosen(prediction: Any) -> None:
    request = predict_request("numbers", "pair", a=floats(1), b=floats(2))
    assert set(prediction.Predict(request).outputs) == {"sum", "product"}
    request.output_filter.append("sum")
    assert set(prediction.Predict(request).outputs) == {"sum"}


def test_examples_are_classified_and_regressed(prediction: Any) -> None:
    request = classification_pb2.ClassificationRequest()
    fill(request.model_spec, "examples")
    context = request.input.example_list_with_context
    context.context.features.feature["x"].float_list.value.append(3.0)
    context.examples.add()
    context.examples.add().features.feature["x"].float_list.value.append(1.0)
    found = prediction.Classify(request)
    assert [
        [(each.label, each.score) for each in row.classes] for row in found.result.classifications
    ] == [
        [("up", 3.0), ("down", -3.0)],
        [("up", 1.0), ("down", -1.0)],
    ]
    assert found.model_spec.version.value == 1
    regress = regression_pb2.RegressionRequest(input=request.input)
    fill(regress.model_spec, "examples", "regress")
    assert [each.value for each in prediction.Regress(regress).result.regressions] == [6.0, 2.0]


TASKS = {"": "classify", "regress": "regress"}


def multi_request(tasks: dict[str, str] = TASKS, **fields: Any) -> Any:
    request = inference_pb2.MultiInferenceRequest(**fields)
    for signature, method in tasks.items():
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        fill(task.model_spec, "examples", signature)
    return request


def test_examples_are_classified_and_regressed_at_once(prediction: Any) -> None:
    request = multi_request()
    feature = request.input.example_list.examples.add().features.feature["x"]
    feature.float_list.value.append(3.0)
    first, second = prediction.MultiInference(request).results
    assert [each.label for each in first.classification_result.classifications[0].classes] == [
        "up",
        "down",
    ]
    assert first.model_spec.signature_name == "serving_default"
    assert [each.value for each in second.regression_result.regressions] == [6.0]
    assert second.model_spec.version.value == 1


def two_models() -> Any:
    request = multi_request()
    request.tasks[1].model_spec.name = "scales"
    return request


def test_models_are_described(prediction: Any, models_service: Any) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    fill(request.model_spec, "scales")
    response = prediction.GetModelMetadata(request)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    assert found.signature_def["serving_default"].inputs["x"].dtype == 1
    request = get_model_status_pb2.GetModelStatusRequest()
    fill(request.model_spec, "scales")
    response = models_service.GetModelStatus(request)
    assert [(each.version, each.state) for each in response.model_version_status] == [
        (2, 30),
        (1, 30),
    ]


def status_request(model: str, version: int | None = None) -> Any:
    request = get_model_status_pb2.GetModelStatusRequest()
    fill(request.model_spec, model, version=version)
    return request


def metadata_request(*fields: str) -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    fill(request.model_spec, "scales")
    return request


def filtered(*names: str) -> Any:
    request = predict_request("scales", x=floats(1))
    request.output_filter.extend(names)
    return request


def classify_request(model: str, signature: str = "") -> Any:
    request = classification_pb2.ClassificationRequest()
    fill(request.model_spec, model, signature)
    return request


FAULTS: list[tuple[str, Any, str, str]] = [
    ("Predict", predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    ("Predict", predict_request(""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    ("Predict", predict_request("none"), "NOT_FOUND", "for request: Latest(none)"),
    ("Predict", predict_request("scales", version=9), "NOT_FOUND", "Specific(scales, 9)"),
    ("Predict", predict_request("scales", version="x"), "INVALID_ARGUMENT", "label: x"),
    (
        "Predict",
        predict_request("scales", "x"),
        "FAILED_PRECONDITION",
        'signature key "x" not found',
    ),
    ("Predict", predict_request("scales"), "INVALID_ARGUMENT", "Missing but required: {x}"),
    ("Predict", predict_request("scales", z=floats(1)), "INVALID_ARGUMENT", "signature: z"),
    (
        "Predict",
        predict_request("scales", x=floats(1), z=floats(1)),
        "INVALID_ARGUMENT",
        "2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}.",
    ),
    ("Predict", predict_request("scales", x=[1]), "INVALID_ARGUMENT", "must be of type float"),
    ("Predict", predict_request("scales", x=["a"]), "INVALID_ARGUMENT", "must be of type float"),
    (
        "Predict",
        predict_request("scales", x=np.float32(1)),
        "INVALID_ARGUMENT",
        "must have the shape [?]",
    ),
    (
        "Predict",
        predict_request("numbers", "positive", x=floats(-1)),
        "INVALID_ARGUMENT",
        "x must be positive",
    ),
    (
        "Predict",
        predict_request("scales", x=bad_tensor(sizes=[2**40], float_val=[1])),
        "INVALID_ARGUMENT",
        "its shape is",
    ),
    (
        "Predict",
        predict_request("scales", x=bad_tensor(sizes=[-1])),
        "INVALID_ARGUMENT",
        "its shape is",
    ),
    (
        "Predict",
        predict_request("scales", z=bad_tensor(sizes=[2**40], float_val=[1])),
        "INVALID_ARGUMENT",
        "signature: z",
    ),
    (
        "Predict",
        predict_request(
            "numbers", "pair", **{n: bad_tensor(sizes=[600_000], float_val=[1]) for n in "ab"}
        ),
        "INVALID_ARGUMENT",
        "1000000 elements together",
    ),
    (
        "Predict",
        predict_request("scales", x=bad_tensor(sizes=[3], tensor_content=b"abc")),
        "INVALID_ARGUMENT",
        "tensor parsing error: x",
    ),
    ("Predict", filtered("z"), "INVALID_ARGUMENT", "alias not found in signature: z"),
    ("Predict", filtered("y", "y"), "INVALID_ARGUMENT", "duplicate output tensor alias: y"),
    ("Classify", classify_request("examples"), "INVALID_ARGUMENT", "Input is empty."),
    ("Classify", classify_request("examples", "x"), "INVALID_ARGUMENT", "with the name: x"),
    ("Classify", classify_request("examples", "three"), "INVALID_ARGUMENT", "one or two output"),
    ("Regress", regression_pb2.RegressionRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    ("GetModelMetadata", metadata_request(), "INVALID_ARGUMENT", "at least one metadata_field"),
    ("GetModelMetadata", metadata_request("x"), "INVALID_ARGUMENT", "field x is not supported"),
    ("GetModelStatus", status_request("none"), "NOT_FOUND", "any versions of model none"),
    ("GetModelStatus", status_request("scales", 9), "NOT_FOUND", "version 9 of model scales"),
    ("MultiInference", multi_request({}), "INVALID_ARGUMENT", "has no name specified"),
    ("MultiInference", multi_request(), "INVALID_ARGUMENT", "Input is empty."),
    ("MultiInference", two_models(), "INVALID_ARGUMENT", "must access the same model"),
    (
        "MultiInference",
        multi_request({"": "classify", "serving_default": "classify"}),
        "INVALID_ARGUMENT",
        "Duplicate evaluation of signature: serving_default",
    ),
    ("MultiInference", multi_request({"x": "regress"}), "INVALID_ARGUMENT", "model graph: x"),
    ("MultiInference", multi_request({"": "regress"}), "INVALID_ARGUMENT", "one output Tensor"),
    (
        "MultiInference",
        multi_request({"": "predict"}),
        "UNIMPLEMENTED",
        "method_name: tensorflow/serving/predict",
    ),
    ("HandleReloadConfigRequest", model_management_pb2.ReloadConfigRequest(), "UNIMPLEMENTED", ""),
]


@pytest.mark.parametrize(("call", "request_", "code", "message"), FAULTS)
def test_faults_have_the_codes_of_the_official_server(
    prediction: Any, models_service: Any, call: str, request_: Any, code: str, message: str
) -> None:
    stub = prediction if hasattr(prediction, call) else models_service
    with pytest.raises(grpc.RpcError) as caught:
        getattr(stub, call)(request_)
    assert caught.value.code() is getattr(grpc.StatusCode, code)
    assert message in caught.value.details()


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", b"a" * 1_500_000])
def test_garbage_is_refused(channel: grpc.Channel, prediction: Any, body: bytes) -> None:
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as caught:
        call(body)
    assert caught.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED)
    prediction.Predict(predict_request("scales", x=floats(1)))


def test_a_deadline_is_kept(prediction: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        prediction.Predict(predict_request("scales", x=floats(1)), timeout=1e-6)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_health_is_told(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "tensorflow.serving.PredictionService"):
        response = stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_a_port_that_is_taken_is_named(core: Core, models: Path) -> None:
    server = GrpcServer(core, "127.0.0.1:0", Limits())
    with (
        pytest.raises(ServingError, match=f"Received: 127.0.0.1, {server.port}"),
        running(lambda: models_in(models / "scales"), Settings(port=0, grpc_port=server.port)),
    ):
        pass
    server.close(0)
