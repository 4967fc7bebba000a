"""A model small enough to export in every test: it counts characters."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from tfaigc.export import SignatureCheck, export_saved_model

TEXTS = ["a film", "ﬁne", "", "größer\0"]


@pytest.fixture(scope="session", autouse=True)
def _copied_verifier(copied_verifier):
    """Has exports verified by copies of one process."""


class Lengths(tf.Module):
    """Scores a text by its length after NFKC, times a variable's mean."""

    def __init__(self, scale=0.5, size=20_000):
        super().__init__()
        self.scale = tf.Variable(tf.fill((size,), scale), name="scale")
        self.vocabulary = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["short", "long"], [0, 1]), default_value=-1
        )

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
    def answer(self, text):
        text = tf_text.normalize_utf8(text, "NFKC")
        length = tf.strings.length(text, unit="UTF8_CHAR")
        label = tf.where(length > 4, "long", "short")
        score = tf.cast(length, tf.float32) * tf.reduce_mean(self.scale)
        return {
            "text": text,
            "label": label,
            "label_id": self.vocabulary.lookup(label),
            "score": score,
            "probabilities": tf.stack([score, -score], axis=1),
        }

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="inputs")])
    def classify(self, inputs):
        features = {"text": tf.io.FixedLenFeature((), tf.string)}
        answer = self.answer(tf.io.parse_example(inputs, features)["text"])
        classes = tf.tile([["long", "short"]], [tf.size(inputs), 1])
        return {"classes": classes, "scores": answer["probabilities"]}


def serialized(text):
    """Makes the tf.Example that the classify signature parses."""
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    example = tf.train.Example(features=tf.train.Features(feature={"text": feature}))
    return example.SerializeToString()


def checks_for(module, texts=TEXTS):
    """Records what the module itself answers."""
    examples = np.array([serialized(text) for text in texts], dtype=object)
    return [
        SignatureCheck(
            signature="serving_default",
            inputs={"text": texts},
            outputs={name: value.numpy() for name, value in module.answer(texts).items()},
        ),
        SignatureCheck(
            signature="classify",
            inputs={"inputs": examples},
            outputs={name: value.numpy() for name, value in module.classify(examples).items()},
        ),
    ]


def export_lengths(directory, module=None, **overrides):
    """Exports a Lengths model; any argument can be replaced."""
    module = module or Lengths()
    arguments = {
        "module": module,
        "signatures": {"serving_default": module.answer, "classify": module.classify},
        "checks": checks_for(module),
        "metadata": {"labels": ["short", "long"], "note": "Größe"},
    } | overrides
    return export_saved_model(directory, **arguments)


@pytest.fixture
def lengths():
    return Lengths()


@pytest.fixture
def export():
    return export_lengths


@pytest.fixture
def make_checks():
    return checks_for


@pytest.fixture
def make_example():
    return serialized


@pytest.fixture
def unverified(monkeypatch):
    """Leaves the fresh process out, for tests of what comes before or after it."""
    monkeypatch.setattr("tfaigc.export.saved_model.verify", lambda *args, **kwargs: [])


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """One verified export, shared by the tests that only read it."""
    return export_lengths(tmp_path_factory.mktemp("models") / "lengths")
