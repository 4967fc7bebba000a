"""Files for LiteRT and ONNX Runtime."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny_decoder import write_tiny_decoder

import tfaigc
from tfaigc.errors import ExportError
from tfaigc.export import formats


@pytest.fixture(scope="module")
def classifier(tiny_classifier: Path) -> tfaigc.TextClassifier:
    return tfaigc.TextClassifier.from_pretrained(tiny_classifier, max_length=16)


@pytest.mark.parametrize("file_format", formats.FORMATS)
def test_a_file_answers_as_the_model(
    classifier: tfaigc.TextClassifier, tmp_path: Path, file_format: str
) -> None:
    if file_format == "onnx" and importlib.util.find_spec("tf2onnx") is None:
        pytest.skip("tf2onnx is not installed")
    file = classifier.convert(tmp_path / "file", file_format=file_format)
    told = json.loads((file.parent / "signatures.json").read_text(encoding="utf-8"))
    assert told["inputs"]["token_ids"] == {"dtype": "int32", "shape": [1, 16]}
    assert told["outputs"]["probabilities"] == {"dtype": "float32", "shape": [1, 2]}
    assert told["labels"] == ["negative", "positive"]

    text = "a gorgeous film, naïve"
    [ids] = tfaigc.Tokenizer.from_pretrained(file.parent).encode([text], max_length=16)
    row = np.zeros((3, 1, 16), np.int32)
    row[0, 0, : len(ids)], row[1, 0, : len(ids)] = ids, 1
    inputs = dict(zip(("token_ids", "padding_mask", "segment_ids"), row, strict=True))
    found = formats.FORMATS[file_format].answer(file.read_bytes(), inputs)
    [answer] = classifier.infer([text])
    np.testing.assert_allclose(
        found["probabilities"][0], list(answer["probabilities"].values()), atol=1e-5
    )
    with pytest.raises(ExportError, match=r"must be new or empty\. Received: .*file"):
        classifier.convert(tmp_path / "file", file_format=file_format)


def test_what_a_runtime_lacks_is_named(
    classifier: tfaigc.TextClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExportError, match=r"file_format must be one of litert, onnx"):
        classifier.convert(tmp_path / "file", file_format="coreml")
    decoder = tfaigc.CausalLM.from_pretrained(write_tiny_decoder(tmp_path / "decoder"))
    with pytest.raises(ExportError, match=r"must have outputs of numbers.*strings, response"):
        decoder.convert(tmp_path / "file", file_format="litert")

    def serve(inputs: Any) -> dict[str, Any]:
        ids = tf.cast(inputs["token_ids"], tf.float32)
        return {"score": tf.math.igamma(ids + 1, ids)}

    monkeypatch.setattr(tfaigc.TextClassifier, "serve_inputs", lambda self, inputs: serve(inputs))
    with pytest.raises(ExportError, match="Received: the operations Igamma, which it lacks"):
        classifier.convert(tmp_path / "file", file_format="litert")
    assert not (tmp_path / "file").exists()


def test_a_file_that_answers_otherwise_is_not_written(
    classifier: tfaigc.TextClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = formats.FORMATS["litert"]

    def off(content: bytes, inputs: Any) -> dict[str, np.ndarray]:
        return {name: values + 2e-5 for name, values in kind.answer(content, inputs).items()}

    other = formats.Format(kind.title, kind.file_name, kind.convert, off)
    monkeypatch.setitem(formats.FORMATS, "litert", other)
    with pytest.raises(ExportError, match="must answer as the model does"):
        classifier.convert(tmp_path / "file", file_format="litert")
    assert not list(tmp_path.iterdir())
