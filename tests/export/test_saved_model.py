import errno
import json
import re
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfaigc.errors import ExportError
from tfaigc.export import SignatureCheck, ask, export_saved_model, read_metadata
from tfaigc.export.inspection import read_meta_graph
from tfaigc.export.saved_model import verify


def test_first_version_is_one(exported):
    assert exported.name == "1"
    assert [path.name for path in exported.parent.iterdir()] == ["1"]


def test_reloads_in_the_version_two_way(exported):
    signature = tf.saved_model.load(str(exported)).signatures["serving_default"]
    outputs = signature(text=tf.constant(["a film", "ok"]))
    assert outputs["label"].numpy().tolist() == [b"long", b"short"]
    np.testing.assert_allclose(outputs["score"].numpy(), [3.0, 1.0], atol=1e-6)


def test_classify_carries_the_method_name_of_strict_servers(exported):
    definitions = read_meta_graph(exported).signature_def
    assert definitions["classify"].method_name == "tensorflow/serving/classify"
    assert definitions["serving_default"].method_name == "tensorflow/serving/predict"


def test_metadata_tells_what_a_server_needs(exported):
    metadata = read_metadata(exported.parent)
    assert metadata["labels"] == ["short", "long"]
    assert metadata["note"] == "Größe"
    assert metadata["export"]["tensorflow_version"] == tf.__version__
    assert metadata["export"]["ops"].count("NormalizeUTF8") == 1
    signature = metadata["export"]["signatures"]["serving_default"]
    assert signature["inputs"] == {"text": {"dtype": "string", "shape": [None]}}
    assert signature["outputs"]["probabilities"] == {"dtype": "float32", "shape": [None, 2]}


def test_ask_gives_plain_python(exported):
    answer = ask(exported.parent, {"text": ["größer", "ok"]})
    assert answer["label"] == ["long", "short"]
    assert answer["label_id"] == [1, 0]
    assert answer["score"] == [3.0, 1.0]
    assert answer["probabilities"] == [[3.0, -3.0], [1.0, -1.0]]
    assert answer["text"] == ["größer", "ok"]


def test_lying_check_leaves_nothing_behind(tmp_path, export, lengths, make_checks):
    checks = make_checks(lengths)
    checks[0].outputs["score"][2] = 0.25
    directory = tmp_path / "new" / "model"
    with pytest.raises(ExportError, match=r"output 'score', row 2: expected 0.25, received 0.0"):
        export(directory, lengths, checks=checks)
    assert not directory.parent.exists()


def test_crash_in_the_fresh_process_shows_its_last_words(tmp_path):
    class Refusing(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
        def answer(self, text):
            with tf.control_dependencies([tf.debugging.Assert(tf.size(text) > 1, ["no singles"])]):
                return {"copy": tf.identity(text)}

    module = Refusing()
    check = SignatureCheck(
        signature="serving_default", inputs={"text": ["a"]}, outputs={"copy": ["a"]}
    )
    signatures = {"serving_default": module.answer}
    with pytest.raises(ExportError, match=r"(?s)exit status 1.*no singles"):
        export_saved_model(
            tmp_path, module=module, signatures=signatures, checks=[check], metadata={}
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unverified")
def test_versions_count_up_from_the_highest(tmp_path, export, lengths):
    (tmp_path / "7").mkdir()
    (tmp_path / "11").mkdir()
    assert export(tmp_path, lengths).name == "12"
    assert export(tmp_path, lengths).name == "13"


@pytest.mark.usefixtures("unverified")
def test_other_files_are_refused_by_name(tmp_path, export, lengths):
    (tmp_path / "1").mkdir()
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ExportError, match=r"thesis\.tex.*Pass another directory"):
        export(tmp_path, lengths)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "thesis.tex"]


@pytest.mark.usefixtures("unverified")
def test_exports_at_once_take_different_versions(tmp_path, export):
    versions, errors = [], []

    def run():
        try:
            versions.append(export(tmp_path / "model").name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(versions) == ["1", "2", "3"]
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["1", "2", "3"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_temporary_directory_goes_whatever_happens(tmp_path, export, lengths, monkeypatch, error):
    def interrupted(version, *args, **kwargs):
        assert (version / "saved_model.pb").exists()
        assert re.fullmatch(r"\.export-[0-9a-f]+", version.name)
        raise error

    monkeypatch.setattr("tfaigc.export.saved_model.verify", interrupted)
    with pytest.raises(error):
        export(tmp_path / "model", lengths)
    assert list(tmp_path.iterdir()) == []


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def full_disk_in_tensorflow(*args, **kwargs):
    raise tf.errors.ResourceExhaustedError(None, None, "x; No space left on device")


@pytest.mark.parametrize("failure", [full_disk, full_disk_in_tensorflow])
def test_full_disk_is_explained(tmp_path, export, lengths, monkeypatch, failure):
    monkeypatch.setattr(tf.saved_model, "save", failure)
    with pytest.raises(ExportError, match=r"room on the disk.*Free some space"):
        export(tmp_path / "model", lengths)
    assert list(tmp_path.iterdir()) == []


def test_unreachable_variable_is_explained(tmp_path, export, lengths):
    loose = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, name="number")])
    def double(number):
        return {"double": number * loose}

    with pytest.raises(ExportError, match="must hold every variable"):
        export(
            tmp_path / "model",
            lengths,
            signatures={"serving_default": double},
            checks=[
                SignatureCheck(
                    signature="serving_default", inputs={"number": [1.0]}, outputs={"double": [2.0]}
                )
            ],
        )
    assert list(tmp_path.iterdir()) == []


def test_module_must_be_a_module(tmp_path, lengths, make_checks):
    with pytest.raises(ExportError, match=r"must be a tf\.Module. Received: object"):
        export_saved_model(
            tmp_path,
            module=object(),
            signatures={"serving_default": lengths.answer},
            checks=make_checks(lengths)[:1],
            metadata={},
        )


@pytest.mark.usefixtures("unverified")
def test_metadata_must_be_json(tmp_path, export, lengths):
    with pytest.raises(ExportError, match="metadata must hold what JSON can hold"):
        export(tmp_path, lengths, metadata={"accuracy": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_missing_rows_are_a_difference(exported, monkeypatch):
    monkeypatch.setattr(
        "tfaigc.export.saved_model.run_questions", lambda *args, **kwargs: [{"n": np.array([1])}]
    )
    check = SignatureCheck(signature="count", inputs={"text": ["a", "b"]}, outputs={"n": [1]})
    with pytest.raises(ExportError, match=r"1 rows for inputs of \{'text': 2\}"):
        verify(exported, [check])


class Served(tf.Module):
    """A Keras model behind a signature, holding only what it is given to hold."""

    def __init__(self, model, held):
        super().__init__()
        self.held = held

        @tf.function(input_signature=[tf.TensorSpec((None, 300), tf.float32, name="features")])
        def answer(features):
            return {"score": model(features, training=False)}

        self.answer = answer

    def export(self, directory):
        features = np.linspace(-1, 1, 600, dtype="float32").reshape(2, 300)
        check = SignatureCheck(
            signature="serving_default",
            inputs={"features": features},
            outputs={"score": self.answer(features)["score"].numpy()},
        )
        return export_saved_model(
            directory,
            module=self,
            signatures={"serving_default": self.answer},
            checks=[check],
            metadata={},
        )


@pytest.fixture
def keras_model():
    model = keras.Sequential(
        [keras.layers.Input((300,)), keras.layers.Dense(300), keras.layers.Dropout(0.1)]
    )
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def test_keras_variables_are_stored_once(tmp_path, keras_model):
    version = Served(keras_model, [variable.value for variable in keras_model.variables]).export(
        tmp_path
    )
    stored = sum(path.stat().st_size for path in version.glob("variables/variables.data*"))
    assert stored < 1.05 * 300 * 301 * 4
    assert json.loads((version / "assets.extra" / "tfaigc.json").read_text())["export"]


def test_optimizer_state_is_refused(tmp_path, keras_model):
    with pytest.raises(ExportError, match=r"no signature reads adam.*no optimizer"):
        Served(keras_model, keras_model).export(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_copies_of_variables_are_refused(tmp_path, keras_model):
    variables = [variable.value for variable in keras_model.variables]
    copies = [tf.Variable(variable, name="copy") for variable in variables]
    with pytest.raises(ExportError, match="no signature reads copy"):
        Served(keras_model, variables + copies).export(tmp_path)


def test_inputs_with_a_default_may_be_left_out(tmp_path):
    class Scaled(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec((None,), tf.float32, name="number"),
                tf.TensorSpec((None,), tf.float32, name="factor"),
            ]
        )
        def answer(self, number, factor=tf.constant([2.0])):  # noqa: B008
            return {"product": number * factor}

    module = Scaled()
    checks = [
        SignatureCheck("serving_default", {"number": [3.0, 4.0]}, {"product": [6.0, 8.0]}),
        SignatureCheck("serving_default", {"number": [3.0], "factor": [0.5]}, {"product": [1.5]}),
    ]
    signatures = {"serving_default": module.answer}
    version = export_saved_model(
        tmp_path, module=module, signatures=signatures, checks=checks, metadata={}
    )
    assert list(read_meta_graph(version).signature_def["serving_default"].defaults) == ["factor"]
