import pytest
import tensorflow as tf

from tfaigc.errors import ExportError
from tfaigc.export import SignatureCheck
from tfaigc.export.contract import concrete_signatures, require_checks

TEXT = tf.TensorSpec((None,), tf.string, name="text")
RECORDS = tf.TensorSpec((None,), tf.string, name="inputs")


def signature(answer, *specs):
    return tf.function(answer, input_signature=specs or (TEXT,))


def identity(text):
    return {"copy": text}


@pytest.mark.parametrize(
    "spec",
    [
        tf.TensorSpec((None,), tf.string, name="text"),
        tf.TensorSpec((None, None), tf.int32, name="token_ids"),
        tf.TensorSpec((None, 8), tf.int64, name="token_ids"),
        tf.TensorSpec((None, 2, 3), tf.float32, name="images"),
    ],
)
def test_good_signatures_become_concrete(spec):
    function = tf.function(lambda x: {"copy": x}, input_signature=[spec])
    concrete = concrete_signatures({"serving_default": function})["serving_default"]
    assert concrete_signatures({"serving_default": concrete}) == {"serving_default": concrete}


def test_bool_and_bytes_may_come_in_but_not_out():
    flags = tf.TensorSpec((None,), tf.bool, name="flags")
    pixels = tf.TensorSpec((None, 2), tf.uint8, name="pixels")
    good = signature(lambda flags, pixels: {"n": tf.cast(flags, tf.int32)}, flags, pixels)
    assert concrete_signatures({"serving_default": good})
    bad = signature(lambda flags, pixels: {"n": flags}, flags, pixels)
    with pytest.raises(ExportError, match=r"Output 'n'.*Received: bool"):
        concrete_signatures({"serving_default": bad})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda text: text, "must return a dict"),
        (lambda text: [text], "must return a dict"),
        (lambda text: {}, "must return a dict"),
        (lambda text: {"words": tf.strings.split(text)}, "'words'.*dense.*RaggedTensor"),
        (lambda text: {"words": tf.sparse.from_dense(text)}, "'words'.*dense.*SparseTensor"),
        (lambda text: {"output_0": text}, "'output_0'"),
        (lambda text: {"The Label": text}, "'The Label'"),
        (lambda text: {"n": tf.ones((tf.size(text),), tf.float64)}, "Received: float64"),
        (lambda text: {"n": tf.ones((tf.size(text),), tf.bfloat16)}, "Received: bfloat16"),
        (lambda text: {"n": tf.ones((tf.size(text),), tf.float16)}, "Received: float16"),
        (lambda text: {"n": tf.size(text)}, r"Received: shape \(\)"),
        (lambda text: {"n": tf.zeros((3,))}, r"Received: shape \(3,\)"),
        (lambda text: {"n": tf.zeros(tf.strings.to_number(text, tf.int32))}, "unknown rank"),
    ],
)
def test_output_faults_are_named(answer, words):
    with pytest.raises(ExportError, match=words):
        concrete_signatures({"serving_default": signature(answer)})


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (tf.TensorSpec((4,), tf.string, name="text"), r"Received: shape \(4,\)"),
        (tf.TensorSpec((), tf.string, name="text"), r"Received: shape \(\)"),
        (tf.TensorSpec(None, tf.string, name="text"), "unknown rank"),
        (tf.TensorSpec((None,), tf.float64, name="number"), "Received: float64"),
        (tf.RaggedTensorSpec((None, None), tf.int32), "dense tensor. Received: RaggedTensorSpec"),
        (tf.TensorSpec((None,), tf.string, name="args_0"), "'args_0'"),
    ],
)
def test_input_faults_are_named(spec, words):
    function = tf.function(lambda args_0: {"n": tf.zeros((1,))}, input_signature=[spec])
    with pytest.raises(ExportError, match=words):
        concrete_signatures({"serving_default": function})


def test_signature_needs_an_input():
    function = tf.function(lambda: {"n": tf.zeros((1,))}, input_signature=[])
    with pytest.raises(ExportError, match="at least one input"):
        concrete_signatures({"serving_default": function})


def test_signature_needs_an_input_signature():
    with pytest.raises(ExportError, match="without input_signature"):
        concrete_signatures({"serving_default": tf.function(identity)})


def test_signature_must_be_a_function_of_tensorflow():
    with pytest.raises(ExportError, match=r"Received: function. Wrap it in tf\.function"):
        concrete_signatures({"serving_default": identity})


def test_signature_names_are_plain():
    with pytest.raises(ExportError, match=r"name of a signature.*'Tokens!'"):
        concrete_signatures({"serving_default": signature(identity), "Tokens!": identity})


@pytest.mark.parametrize(
    ("answer", "spec", "words"),
    [
        (lambda text: {"classes": text[:, None]}, TEXT, "must take one input, 'inputs'"),
        (
            lambda inputs: {"classes": tf.cast(inputs, tf.string)[:, None]},
            tf.TensorSpec((None, 1), tf.string, name="inputs"),
            "must take one input, 'inputs'",
        ),
        (
            lambda inputs: {"classes": inputs},
            RECORDS,
            r"must return nothing but 'classes'.*\(None,\)",
        ),
        (lambda inputs: {"scores": inputs[:, None]}, RECORDS, "must return nothing but 'classes'"),
        (
            lambda inputs: {"label": inputs[:, None]},
            RECORDS,
            "must return nothing but 'classes'.*'label'",
        ),
    ],
)
def test_classify_has_its_own_form(answer, spec, words):
    signatures = {"serving_default": signature(identity), "classify": signature(answer, spec)}
    with pytest.raises(ExportError, match=words):
        concrete_signatures(signatures)


def test_classify_may_give_scores_alone():
    scores = signature(lambda inputs: {"scores": tf.zeros((tf.size(inputs), 3))}, RECORDS)
    assert concrete_signatures({"serving_default": signature(identity), "classify": scores})


def test_every_signature_needs_a_check():
    check = SignatureCheck(signature="tokens", inputs={}, outputs={})
    with pytest.raises(ExportError, match="none for 'serving_default'"):
        require_checks(["serving_default", "tokens"], [check])


def test_check_of_an_unknown_signature_suggests_the_near_one():
    check = SignatureCheck(signature="token", inputs={}, outputs={})
    with pytest.raises(ExportError, match="Did you mean 'tokens'"):
        require_checks(["tokens"], [check])
