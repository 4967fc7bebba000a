"""``tfaigc check``: planted faults are found, in our exports and in anyone's SavedModels."""

import base64
import json
import shutil

import pytest
import tensorflow as tf
from click.testing import CliRunner

from tfaigc.cli import cli
from tfaigc.export import SignatureCheck, export_saved_model
from tfaigc.export.linting import lint
from tfaigc.export.newer_ops import NEWER_OPS
from tfaigc.export.recorded import PLACE

TEXT = tf.TensorSpec((None,), tf.string, name="text")
ROWS = tf.TensorSpec((None, None), tf.int32, name="rows")


def check(directory, *options):
    done = CliRunner().invoke(cli, ["check", str(directory), *options])
    return done.exit_code, " ".join(done.output.split())


def test_a_sound_export(exported):
    status, out = check(exported.parent)
    assert status == 0, out
    for words in (
        f"SavedModel {exported}",
        "warm-up 6 requests answered",
        "recorded 2 questions answered as recorded",
        "latency serving_default:",
        "ms for 32 (medians of 20)",
        "no errors, 0 warnings",
    ):
        assert words in out


def test_an_export_whose_outputs_are_as_wide_as_the_longest_row(tmp_path):
    module = tf.Module()
    module.spell = tf.function(
        lambda text: {"letters": tf.strings.unicode_split(text, "UTF-8").to_tensor("")},
        input_signature=[TEXT],
    )
    texts = ["a", "", "bc", "d", "longest"]
    answers = {name: value.numpy() for name, value in module.spell(tf.constant(texts)).items()}
    version = export_saved_model(
        tmp_path / "letters",
        module=module,
        signatures={"serving_default": module.spell},
        checks=[SignatureCheck("serving_default", {"text": texts}, answers)],
        metadata={},
    )
    status, out = check(version)
    assert status == 0, out
    assert "recorded 1 questions answered as recorded" in out


def without(name):
    def plant(version):
        path = version / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return plant


def cut_short(version):
    path = version / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-7])


def other_answers(version):
    recorded = json.loads((version / PLACE).read_text())
    zeros = base64.b64encode(bytes(4 * 4)).decode()
    recorded[0]["outputs"]["label_id"]["data"] = zeros
    (version / PLACE).write_text(json.dumps(recorded))


def broken_warm_up(version):
    (version / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"no record" * 9)


def broken_examples(version):
    """Records a request of `Classify` with what is no example."""
    request = b"\x0a\x0a\x1a\x08classify" + b"\x12\x07\x0a\x05\x0a\x03abc"
    log = b"\x0a" + bytes([len(request)]) + request
    with tf.io.TFRecordWriter(str(version / PLACE.parent / "tf_serving_warmup_requests")) as file:
        file.write(b"\x0a" + bytes([len(log)]) + log)


def too_many_requests(version):
    path = version / PLACE.parent / "tf_serving_warmup_requests"
    [first, *_] = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    with tf.io.TFRecordWriter(str(path)) as file:
        for _ in range(1001):
            file.write(first)


@pytest.mark.parametrize(
    ("plant", "options", "words"),
    [
        (without("variables"), [], "variables/ is missing"),
        (without("variables/variables.data-00000-of-00001"), [], "variables/ has 0 of its files"),
        (cut_short, [], "saved_model.pb cannot be read"),
        (other_answers, [], "output 'label_id'"),
        (broken_warm_up, [], "must hold warm-up requests"),
        (broken_examples, [], "Could not parse example input"),
        (too_many_requests, [], "Received: more than 1000 requests"),
        (lambda version: None, ["--server-version", "two"], "must be two numbers"),
    ],
)
def test_faults_of_an_export(plant, options, words, exported, tmp_path):
    version = tmp_path / "1"
    shutil.copytree(exported, version)
    plant(version)
    status, out = check(version, *options)
    assert status != 0
    assert words in out


class Asset(tf.Module):
    def __init__(self, path):
        super().__init__()
        self.asset = tf.saved_model.Asset(str(path))

    @tf.function(input_signature=[TEXT])
    def answer(self, text):
        size = tf.strings.length(tf.io.read_file(self.asset))
        return {"size": tf.fill(tf.shape(text), size)}


def test_a_missing_asset(tmp_path):
    source = tmp_path / "words.txt"
    source.write_text("a\nb\n")
    module = Asset(source)
    tf.saved_model.save(module, str(tmp_path / "1"), {"serving_default": module.answer})
    assert lint(tmp_path / "1", server=(2, 21)) == []
    (tmp_path / "1" / "assets" / "words.txt").unlink()
    [finding] = lint(tmp_path / "1", server=(2, 21))
    assert finding.is_error
    assert "assets/words.txt is missing" in finding.text


FUNCTIONS = {
    "half": lambda rows: {"half": tf.cast(rows, tf.float16)},
    "ragged": lambda rows: {"ragged": tf.RaggedTensor.from_tensor(rows, padding=0)},
    "total": lambda rows: {"total": tf.reduce_sum(rows)},
    "call": lambda rows: {"call": tf.numpy_function(abs, [rows], tf.int32)},
}


@pytest.mark.parametrize(
    ("name", "is_error", "words"),
    [
        ("half", True, "REST cannot hold float16"),
        ("ragged", True, "must be dense"),
        ("total", True, "has no axis: rows have no answers"),
        ("call", True, "must not call Python"),
    ],
)
def test_faults_of_other_models(name, is_error, words, tmp_path):
    module = tf.Module()
    module.answer = tf.function(FUNCTIONS[name], input_signature=[ROWS], autograph=False)
    tf.saved_model.save(module, str(tmp_path), {"answer": module.answer})
    findings = lint(tmp_path, server=(2, 21))
    assert [each for each in findings if each.is_error is is_error and words in each.text]
    warnings = [each.text for each in findings if not each.is_error]
    assert any("need 'serving_default'" in text for text in warnings)
    assert any("pad_variable_length_inputs" in text for text in warnings)


def test_calls_on_examples_that_the_server_would_refuse(exported, tmp_path):
    assert lint(exported, server=(2, 21)) == []
    module = tf.Module()
    module.regress = tf.function(
        lambda text: {"score": tf.zeros(tf.shape(text), tf.float64)}, input_signature=[TEXT]
    )
    tf.saved_model.save(module, str(tmp_path / "1"), {"regress": module.regress})
    texts = [each.text for each in lint(tmp_path / "1", server=(2, 21))]
    for words in (
        "must take 'inputs' alone, serialized tf.Example",
        "must give nothing but outputs (float32) for the server's call",
        "Received: score (float64)",
        "should have the method name tensorflow/serving/regress",
    ):
        assert any(words in text for text in texts), words
    status, out = check(tmp_path)
    assert status == 0
    assert "latency regress:" in out


def test_older_servers_lack_operations(tmp_path):
    import tensorflow_text as tf_text

    @tf.function(input_signature=[TEXT])
    def answer(text):
        words = tf_text.WhitespaceTokenizer().tokenize(text)
        [cut] = tf_text.RoundRobinTrimmer(max_seq_length=3).trim([words])
        return {"words": cut.to_tensor()}

    module = tf.Module()
    module.answer = answer
    tf.saved_model.save(module, str(tmp_path), {"serving_default": answer})
    assert lint(tmp_path, server=(2, 21)) == []
    assert NEWER_OPS["DecodeWebP"] == (2, 20)
    error, warning = sorted(lint(tmp_path, server=(2, 19)), key=lambda each: not each.is_error)
    assert "2.19 lacks TFText>RoundRobinTrim. Take 2.20 or newer" in error.text
    assert "should not be older than the TensorFlow that exported" in warning.text


def test_models_without_recorded_questions_are_asked_all_the_same(tmp_path):
    module = tf.Module()
    module.answer = tf.function(
        lambda rows: {"double": rows * 2}, input_signature=[ROWS], autograph=False
    )
    tf.saved_model.save(module, str(tmp_path / "3"), {"serving_default": module.answer})
    status, out = check(tmp_path)
    assert status == 0, out
    assert "recorded 0 questions" in out
    assert "ms for 8" in out
