import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

import tfaigc.export
from tfaigc.errors import ExportError
from tfaigc.export import ask
from tfaigc.export.fresh_process import VERIFIER, clean_environment, run_questions
from tfaigc.export.verifier import RequestError, as_array, decode, encode, feeds_for

LIST_MODULES = """
import json, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print(json.dumps([sorted(name for name, module in sys.modules.items() if module), sys.path]))
"""


def test_verifier_process_holds_tensorflow_alone(exported, tmp_path):
    # Even where the surroundings offer the package itself.
    root = str(Path(tfaigc.export.__file__).parents[2])
    environment = clean_environment() | {"PYTHONPATH": root}
    request = {
        "saved_model": str(exported),
        "questions": [{"signature": "serving_default", "inputs": {"text": encode(["a film"])}}],
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    finished = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, VERIFIER, "request.json", "answers.json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    modules, path = json.loads(finished.stdout)
    assert {"tensorflow", "tensorflow_text", "numpy"} <= set(modules)
    shut_out = {"keras", "tf_keras", "transformers", "tfaigc", "torch"}
    assert not {name for name in modules if name.split(".")[0] in shut_out}
    assert str(VERIFIER.parent) not in path
    [answer] = json.loads((tmp_path / "answers.json").read_text())["answers"]
    assert decode(answer["label"]).tolist() == [b"long"]


def test_no_module_beside_the_verifier_hides_the_standard_library():
    names = {path.stem for path in VERIFIER.parent.glob("*.py")}
    assert not names & set(sys.stdlib_module_names)


def test_environment_is_clean(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"src{os.pathsep}{os.sep}site{os.pathsep}")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    environment = clean_environment()
    assert environment["PYTHONPATH"] == f"{os.sep}site"
    assert "PYTHONWARNINGS" not in environment
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"


def test_unknown_signature_is_explained(exported):
    with pytest.raises(ExportError, match=r"one of \['classify', 'serving_default'\].*'serving'"):
        ask(exported, {"text": ["a"]}, signature="serving")


def definition(**dtypes):
    """Makes the part of a SignatureDef that tells the inputs."""
    result = meta_graph_pb2.SignatureDef()
    for name, dtype in dtypes.items():
        result.inputs[name].CopyFrom(meta_graph_pb2.TensorInfo(name=f"{name}:0", dtype=dtype))
    return result


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"texts": ["a"], "n": [1]}, r"takes the inputs \['n', 'text'\].*\['n', 'texts'\]"),
        ({"text": ["a"]}, r"takes the inputs \['n', 'text'\].*\['text'\]"),
        ({"text": [1.5], "n": [1]}, "'text' .* must be string. Received: float64"),
        ({"text": ["a"], "n": ["1"]}, "'n' .* must be int32. Received: string"),
        ({"text": ["a"], "n": [1.5]}, "'n' .* must be int32. Received: float64"),
    ],
)
def test_inputs_must_fit_the_signature(inputs, words):
    arrays = {name: as_array(values) for name, values in inputs.items()}
    taken = definition(text=tf.string.as_datatype_enum, n=tf.int32.as_datatype_enum)
    with pytest.raises(RequestError, match=words):
        feeds_for(arrays, taken, "serving_default")


def test_inputs_take_the_signatures_dtype():
    taken = definition(n=tf.int32.as_datatype_enum, x=tf.float32.as_datatype_enum)
    taken.defaults["x"].CopyFrom(tf.make_tensor_proto(1.0))
    feeds = feeds_for({"n": np.array([1, 2])}, taken, "serving_default")
    assert feeds["n:0"].dtype == np.int32
    assert set(feeds) == {"n:0"}
    assert feeds_for({"n": as_array([])}, taken, "serving_default")["n:0"].dtype == np.int32


def test_inputs_must_have_a_shape(exported):
    with pytest.raises(ExportError, match="Input 'text' must be numbers or strings"):
        ask(exported, {"text": ["a", None]})
    with pytest.raises(ExportError, match="Input 'text' must be numbers or strings"):
        ask(exported, {"text": [[1, 2], [3]]})


def test_asking_without_an_export(tmp_path):
    with pytest.raises(ExportError, match=r"is empty. Pass the directory that an export"):
        ask(tmp_path, {"text": ["a"]})


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import time; time.sleep(60)", "within 2 seconds"),
        ("import os; os.kill(os.getpid(), 9)", "an end by SIGKILL .often too little memory"),
        ("raise SystemExit('out of order')", r"(?s)exit status 1.*out of order"),
        ("raise SystemExit(3)", r"(?s)exit status 3.*it wrote nothing"),
    ],
)
def test_process_that_ends_badly(exported, tmp_path, monkeypatch, script, words):
    path = tmp_path / "script.py"
    path.write_text(script)
    monkeypatch.setattr("tfaigc.export.fresh_process.VERIFIER", path)
    with pytest.raises(ExportError, match=words):
        run_questions(exported, [("serving_default", {"text": ["a"]})], timeout=2.0)


@pytest.mark.parametrize(
    "values",
    [
        ["a", "größer\0", b"\xff"],
        [["a"], ["b"]],
        np.array(["a", "bc"]),
        [1, 2],
        [[1.5, float("nan")]],
        np.zeros((0, 3), dtype="float32"),
        np.array([True, False]),
        np.arange(6, dtype="int64").reshape(2, 3).T,
    ],
)
def test_arrays_survive_the_journey(values):
    expected = as_array(values)
    received = decode(json.loads(json.dumps(encode(values))))
    assert received.shape == expected.shape
    assert received.dtype == expected.dtype
    if expected.dtype == object:
        texts = [item.encode() if isinstance(item, str) else item for item in expected.flat]
        assert received.ravel().tolist() == texts
    else:
        np.testing.assert_array_equal(received, expected)
