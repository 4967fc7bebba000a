"""KerasHub's networks behind our interface: equal outputs, known sizes, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import tfaigc
from tfaigc.errors import CheckpointError, ConfigError, SourceError
from tfaigc.families import HeadedBackbone
from tfaigc.families.keras_hub import KerasHubBackbone
from tfaigc.sources import is_remote, resolve

# Keras warns so where it writes weights.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TEXT = {"vocabulary_size": 31, "num_layers": 1, "hidden_dim": 16, "intermediate_dim": 24}
GROUPED = {"num_query_heads": 2, "num_key_value_heads": 1}
IDS = np.array([[3, 4, 5, 6], [7, 8, 0, 0]], "int32")
MASK = (IDS > 0).astype("int32")


@dataclass(frozen=True)
class Case:
    """One network of KerasHub.

    Attributes:
        name: Its class in ``keras_hub.models``, without "Backbone".
        settings: Those of a tiny one.
        inputs: By our names.
        renamed: Our names to KerasHub's, where they differ.
        heads: The heads that fit it.
        hidden_size: Width of its outputs.
    """

    name: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Any]
    heads: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    hidden_size: int = 16


ENCODER = {"token_ids": IDS, "padding_mask": MASK, "segment_ids": MASK}
DECODER = {"token_ids": IDS, "padding_mask": MASK}
PAIR = {
    "encoder_token_ids": IDS,
    "encoder_padding_mask": MASK,
    "decoder_token_ids": IDS[:, :3],
    "decoder_padding_mask": MASK[:, :3],
}
SPEECH = {
    "encoder_features": np.ones((2, 10, 8), "float32"),
    "decoder_token_ids": IDS,
    "decoder_padding_mask": MASK,
}
IMAGES = {"images": np.random.default_rng(0).random((2, 16, 16, 3), "float32")}
TEXT_HEADS = ("text_classification", "token_classification", "question_answering")

CASES = {
    case.name: case
    for case in [
        Case("Bert", {**TEXT, "num_heads": 2, "max_sequence_length": 20}, ENCODER, TEXT_HEADS),
        Case(
            "FNet",
            {**TEXT, "max_sequence_length": 4},
            {"token_ids": IDS, "segment_ids": MASK},
            TEXT_HEADS,
        ),
        Case(
            "DistilBert", {**TEXT, "num_heads": 2, "max_sequence_length": 20}, DECODER, TEXT_HEADS
        ),
        Case("Gemma", {**TEXT, **GROUPED, "head_dim": 8}, DECODER, TEXT_HEADS),
        Case("Phi3", {**TEXT, **GROUPED}, DECODER, TEXT_HEADS),
        Case("Bart", {**TEXT, "num_heads": 2, "max_sequence_length": 20}, PAIR),
        Case("Whisper", {**TEXT, "num_heads": 2, "num_mels": 8}, SPEECH),
        Case(
            "ViT",
            {
                "image_shape": (16, 16, 3),
                "patch_size": 4,
                "num_layers": 1,
                "num_heads": 2,
                "hidden_dim": 16,
                "mlp_dim": 24,
            },
            IMAGES,
            ("image_classification",),
        ),
        Case(
            "ResNet",
            {
                "input_conv_filters": [64],
                "input_conv_kernel_sizes": [3],
                "stackwise_num_filters": [64],
                "stackwise_num_blocks": [1],
                "stackwise_num_strides": [1],
                "block_type": "basic_block",
                "image_shape": (16, 16, 3),
            },
            IMAGES,
            ("image_classification",),
            hidden_size=64,
        ),
    ]
}


def make(name: str, **changes: Any) -> Any:
    """Makes a tiny random network."""
    import keras_hub

    case = CASES[name]
    return getattr(keras_hub.models, f"{name}Backbone")(**{**case.settings, **changes})


@pytest.mark.parametrize("name", CASES)
def test_outputs_equal_those_of_the_network(name: str, tmp_path: Path) -> None:
    case, network = CASES[name], make(name)
    network.save_to_preset(str(tmp_path))
    backbone = tfaigc.Backbone.from_pretrained(f"keras_hub://{tmp_path}")
    assert isinstance(backbone, KerasHubBackbone)
    expected = network(dict(case.inputs) if len(case.inputs) > 1 else case.inputs["images"])
    found = backbone(case.inputs)
    if not isinstance(expected, Mapping):
        rows = np.asarray(expected)
        expected = {"sequence_output": rows.reshape(2, -1, rows.shape[-1])}
    assert set(found) == set(expected)
    for output, array in expected.items():
        np.testing.assert_allclose(found[output], array, atol=1e-6)
    assert backbone.config.hidden_size == case.hidden_size
    assert tuple(backbone.family.heads) == case.heads
    assert backbone.count_params() == network.count_params()


def test_masks_and_segments_may_be_absent() -> None:
    backbone = KerasHubBackbone(make("Bert"))
    full = {"token_ids": IDS, "padding_mask": np.ones_like(IDS), "segment_ids": np.zeros_like(IDS)}
    expected = backbone(full)["pooled_output"]
    np.testing.assert_array_equal(backbone({"token_ids": IDS})["pooled_output"], expected)
    decoder = KerasHubBackbone(make("Phi3"))
    np.testing.assert_array_equal(
        decoder(full)["sequence_output"], decoder({"token_ids": IDS})["sequence_output"]
    )


@pytest.mark.parametrize(
    ("inputs", "came"),
    [
        ({"input_ids": IDS}, "Received: input_ids"),
        ({"token_ids": IDS, "pack_ids": IDS}, "Received: token_ids, pack_ids"),
        (IDS, "Received: none of them"),
    ],
)
def test_inputs_that_the_network_lacks(inputs: Any, came: str) -> None:
    with pytest.raises(ConfigError, match=f"BertBackbone must be a dict with token_ids.*{came}"):
        KerasHubBackbone(make("Bert"))(inputs)


@pytest.mark.parametrize(
    ("name", "row"), [("Bert", "pooled"), ("DistilBert", 0), ("Gemma", "last")]
)
def test_heads_read_what_such_networks_tell_of_a_text(name: str, row: Any) -> None:
    backbone = KerasHubBackbone(make(name))
    model = HeadedBackbone(backbone, head="text_classification", labels=["a", "b", "c"])
    outputs = backbone(DECODER)
    sequence = np.asarray(outputs["sequence_output"])
    if row == "pooled":
        summary = np.asarray(outputs["pooled_output"])
    else:
        summary = sequence[:, 0] if row == 0 else sequence[[0, 1], [3, 1]]
    kernel, bias = (np.asarray(weight) for weight in model.head.classifier.weights)
    np.testing.assert_allclose(model(DECODER), summary @ kernel + bias, atol=1e-5)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    model = HeadedBackbone(
        KerasHubBackbone(make("Phi3")), head="text_classification", labels=["a", "b"]
    )
    with pytest.raises(ConfigError, match="KerasHub's Phi3 have no names in Hugging Face layout"):
        model.save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"KerasHub cannot write a Phi3Backbone.*save_to_preset"):
        model.backbone.save_pretrained(tmp_path)


def test_mixed_precision(tmp_path: Path) -> None:
    make("Bert").save_to_preset(str(tmp_path))
    backbone = tfaigc.Backbone.from_pretrained(tmp_path, dtype="mixed_bfloat16")
    assert backbone({"token_ids": IDS})["sequence_output"].dtype == "bfloat16"
    assert backbone.weights[0].dtype == "float32"
    copy = backbone.fresh_copy("float32")
    assert copy({"token_ids": IDS})["sequence_output"].dtype == "float32"
    assert [each.shape for each in copy.weights] == [each.shape for each in backbone.weights]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"module": "os", "class_name": "system"}, "which names os. Nothing was run"),
        ({"config": {"layer": {"module": "evil.code", "class_name": "X"}}}, "names evil.code"),
        ({"registered_name": "keras_hub>NoBackbone"}, "must be a preset that KerasHub .* loads"),
    ],
)
def test_presets_that_are_refused(tmp_path: Path, edit: dict[str, Any], message: str) -> None:
    make("Bert").save_to_preset(str(tmp_path))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | edit))
    with pytest.raises(CheckpointError, match=message):
        tfaigc.Backbone.from_pretrained(tmp_path)


def test_weights_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    make("Bert").save_to_preset(str(tmp_path))
    with h5py.File(tmp_path / "model.weights.h5", "a") as file:
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(CheckpointError, match="the link /elsewhere, which may lie in another file"):
        tfaigc.Backbone.from_pretrained(tmp_path)


def test_broken_weights(tmp_path: Path) -> None:
    make("Bert").save_to_preset(str(tmp_path))
    path = tmp_path / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match="must be a whole HDF5 file"):
        tfaigc.Backbone.from_pretrained(tmp_path)


def test_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import kagglehub

    asked: list[str] = []

    def model_download(handle: str) -> str:
        asked.append(handle)
        if "albert" in handle:
            raise ConnectionError("no route")
        return str(tmp_path)

    monkeypatch.setattr(kagglehub, "model_download", model_download)
    assert is_remote("keras_hub://bert_tiny_en_uncased")
    assert resolve("keras_hub://bert_tiny_en_uncased") == tmp_path
    assert resolve("keras_hub://me/mine/keras/tiny/2") == tmp_path
    assert asked[0].startswith("keras/bert/keras/bert_tiny_en_uncased")
    assert asked[1] == "me/mine/keras/tiny/2"
    with pytest.raises(SourceError, match=r"ConnectionError: no route\. Check the network"):
        resolve("keras_hub://albert_base_en_uncased")
    with pytest.raises(SourceError, match="Did you mean 'bert_tiny_en_uncased'"):
        resolve("keras_hub://bert_tiny_en_uncase")
    with pytest.raises(SourceError, match="must exist"):
        resolve(f"keras_hub://{tmp_path}/missing")
