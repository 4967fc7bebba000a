"""SavedModels that take a moment to make, with a signature for each rule of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

FLOATS = tf.TensorSpec((None,), tf.float32, name="x")
TYPES = ["float64", "int8", "int32", "int64", "uint8", "uint32", "uint64", "bool", "float16"]


def _numbers() -> dict[str, Any]:
    def half_plus_two(x):
        return {"y": x / 2 + 2}

    def pair(a, b):
        return {"sum": a + b, "product": a * b}

    def matrix(x):
        return {"twice": 2 * x, "total": tf.reduce_sum(x, axis=[1, 2])}

    def positive(x):
        with tf.control_dependencies([tf.debugging.assert_positive(x, "x must be positive")]):
            return {"y": tf.sqrt(x)}

    three = tf.constant([3.0])

    def same(x):
        return {"y": tf.identity(x)}

    def scaled(x, factor=three):
        return {"y": x * factor}

    signatures = {
        "serving_default": (half_plus_two, [FLOATS]),
        "pair": (pair, [tf.TensorSpec((None,), tf.float32, name=name) for name in "ab"]),
        "scaled": (scaled, [FLOATS, tf.TensorSpec((None,), tf.float32, name="factor")]),
        "matrix": (matrix, [tf.TensorSpec((None, 2, 2), tf.float32, name="x")]),
        "positive": (positive, [FLOATS]),
        "inverse": (lambda x: {"y": 1 / x, "root": tf.sqrt(x)}, [FLOATS]),
        "mean": (lambda x: {"y": tf.reduce_mean(x)}, [FLOATS]),
        "uneven": (lambda x: {"all": x, "first": x[:1]}, [FLOATS]),
        "any_shape": (same, [tf.TensorSpec(None, tf.float32, name="x")]),
        "ids": (same, [tf.TensorSpec((None, None), tf.int32, name="x")]),
        "to_half": (lambda x: {"y": tf.cast(x, tf.float16)}, [FLOATS]),
    }
    for dtype in TYPES:
        signatures[dtype] = (same, [tf.TensorSpec((None,), tf.as_dtype(dtype), name="x")])
    return signatures


def _strings() -> dict[str, Any]:
    text = tf.TensorSpec((None,), tf.string, name="text")

    def measure(text):
        return {"length": tf.strings.length(text, unit="UTF8_CHAR"), "text": tf.identity(text)}

    return {
        "serving_default": (measure, [text]),
        "bytes": (lambda text: {"raw_bytes": tf.identity(text)}, [text]),
        "upper": (lambda text: {"upper": tf.strings.upper(text)}, [text]),
        "shout": (
            lambda word: {"y": tf.strings.join([word, "!"])},
            [tf.TensorSpec((), tf.string, name="word")],
        ),
        "invalid": (lambda text: {"y": tf.strings.join([text, b"\xff"])}, [text]),
    }


def _examples() -> dict[str, Any]:
    serialized = tf.TensorSpec((None,), tf.string, name="inputs")
    features = {
        "x": tf.io.FixedLenFeature((), tf.float32, default_value=0.0),
        "n": tf.io.FixedLenFeature((), tf.int64, default_value=0),
        "s": tf.io.FixedLenFeature((), tf.string, default_value=""),
    }

    def parse(inputs):
        return tf.io.parse_example(inputs, features)

    def scores(inputs):
        x = parse(inputs)["x"]
        return tf.stack([x, -x], axis=1)

    def classes(inputs):
        count = tf.shape(inputs)[0]
        return tf.tile([["up", "down"]], [count, 1])

    def classify(inputs):
        return {"classes": classes(inputs), "scores": scores(inputs)}

    def told(inputs):
        parsed = parse(inputs)
        return {"classes": tf.stack([parsed["s"], tf.as_string(parsed["n"])], axis=1)}

    return {
        "serving_default": (classify, [serialized]),
        "regress": (lambda inputs: {"outputs": parse(inputs)["x"] * 2}, [serialized]),
        "column": (lambda inputs: {"outputs": scores(inputs)[:, :1]}, [serialized]),
        "wide": (lambda inputs: {"outputs": scores(inputs)}, [serialized]),
        "scores": (lambda inputs: {"scores": scores(inputs)}, [serialized]),
        "told": (told, [serialized]),
        "other": (lambda inputs: {"y": parse(inputs)["x"]}, [serialized]),
        "flat": (lambda inputs: {"scores": parse(inputs)["x"]}, [serialized]),
        "double": (lambda inputs: {"outputs": tf.cast(parse(inputs)["x"], "double")}, [serialized]),
        "one": (lambda inputs: {"outputs": parse(inputs)["x"][:1]}, [serialized]),
        "three": (lambda inputs: {name: parse(inputs)["x"] for name in "abc"}, [serialized]),
        "misnamed": (
            lambda texts: {"outputs": parse(texts)["x"]},
            [tf.TensorSpec((None,), tf.string, name="texts")],
        ),
    }


def save(directory: Path, signatures: dict[str, tuple[Any, Sequence[tf.TensorSpec]]]) -> Path:
    """Writes a SavedModel with signatures made of functions and the specs of their inputs."""
    module = tf.Module()
    module.functions = {
        name: tf.function(function, input_signature=specs)
        for name, (function, specs) in signatures.items()
    }
    tf.saved_model.save(module, str(directory), signatures=dict(module.functions))
    return directory


def save_scale(directory: Path, factor: float) -> Path:
    """Writes a version that multiplies numbers, to tell versions apart."""
    return save(directory, {"serving_default": (lambda x: {"y": x * factor}, [FLOATS])})


def save_all(directory: Path) -> Path:
    """Writes all models below a directory."""
    save(directory / "numbers" / "3", _numbers())
    save(directory / "strings" / "1", _strings())
    save(directory / "examples" / "1", _examples())
    save_scale(directory / "scales" / "1", 10.0)
    save_scale(directory / "scales" / "2", 20.0)
    return directory
