"""What stands beside an exported model: its card, its signatures, its warm-up requests."""

import json

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tfaigc.export.warm_up import BATCH_SIZES, PLACE, predict_log
from tfaigc.serving.saved_model import SavedModel
from tfaigc.serving.warm_up import warm_up


def test_warm_up_requests_are_those_of_tensorflow_serving(exported):
    records = tf.data.TFRecordDataset(str(exported / PLACE)).as_numpy_iterator()
    requests = [PredictionLog.FromString(record).predict_log.request for record in records]
    texts = [tf.make_ndarray(each.inputs["text"]).tolist() for each in requests]
    assert {each.model_spec.signature_name for each in requests} == {"serving_default"}
    assert tuple(map(len, texts)) == BATCH_SIZES
    assert texts[2] == [b"a film", "ﬁne".encode(), b"", "größer\0".encode()]
    assert texts[3] == texts[2] * 2


def test_a_server_warms_up_with_them(exported):
    assert warm_up(SavedModel(exported), exported) == len(BATCH_SIZES)


def test_large_requests_have_long_lengths():
    values = np.arange(70_000, dtype="int32")[:, None]
    request = PredictionLog.FromString(predict_log("tokens", {"ids": values})).predict_log.request
    np.testing.assert_array_equal(tf.make_ndarray(request.inputs["ids"]), values)
    assert request.model_spec.signature_name == "tokens"


def test_the_card_says_how_to_ask(exported):
    signatures = json.loads((exported / "signatures.json").read_text())
    assert signatures["classify"]["outputs"]["scores"] == {"dtype": "float32", "shape": [None, 2]}
    card = (exported / "model_card.md").read_text(encoding="utf-8")
    name = exported.parent.name
    assert card.startswith(f"# {name}\n")
    assert f"/v1/models/{name}:predict" in card
    assert """'{"instances": ["a film"]}'""" in card
    assert "| `serving_default` | outputs | `probabilities` | float32 | (batch, 2) |" in card
    assert '- labels: ["short", "long"]' in card
    answer = json.loads(card.rsplit("```json\n", 1)[1].removesuffix("\n```\n"))
    assert answer["label"] == "long"
    assert answer["score"] == 3.0
