"""Every family: hidden states, logits, packing and files equal those of `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import batteries
import keras
import numpy as np
import pytest
from conftest import tiny_bert_config
from every_case import EVERY_CASE
from family_cases import CASES

import tfaigc
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families import FAMILIES

VARIANTS = [(name, variant) for name, case in CASES.items() for variant in case.variants]
OTHERS = [(name, other) for name, case in CASES.items() for other in case.others]


def test_every_family_is_in_the_table() -> None:
    assert set(EVERY_CASE) == set(FAMILIES)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_backbone(name: str, variant: str, tmp_path: Path) -> None:
    case = CASES[name]
    changes = dict(case.variants[variant])
    reference = batteries.make_reference(case, case.backbone, tmp_path / "theirs", **changes)
    backbone = tfaigc.Backbone.from_pretrained(tmp_path / "theirs")
    inputs = batteries.ragged_batch(reference.config.vocab_size, backbone.config.num_segments)
    batteries.check_backbone(reference, backbone, inputs)
    batteries.check_backbone(reference, backbone, {"token_ids": inputs["token_ids"]})
    batteries.check_packing(backbone, inputs)
    batteries.check_saved(case, case.backbone, backbone, reference, tmp_path / "ours")


@pytest.mark.parametrize("name", ["mpnet", "deberta-v2", "modernbert", "longformer", "xlnet"])
def test_bfloat16_is_near_float32(name: str) -> None:
    stated = {"model_type": name, **CASES[name].settings}
    wide, narrow = (tfaigc.Backbone(stated, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
    inputs = batteries.ragged_batch(101, wide.config.num_segments)
    expected = np.asarray(wide(inputs)["sequence_output"])
    found = np.asarray(narrow(inputs)["sequence_output"]).astype("float32")
    mask = inputs["padding_mask"][..., None]
    np.testing.assert_allclose(found * mask, expected * mask, atol=0.1)


def test_global_tokens(tmp_path: Path) -> None:
    case = CASES["longformer"]
    reference = batteries.make_reference(case, case.backbone, tmp_path)
    backbone = tfaigc.Backbone.from_pretrained(tmp_path)
    inputs = batteries.ragged_batch(reference.config.vocab_size, backbone.config.num_segments)
    inputs["global_mask"] = np.zeros_like(inputs["token_ids"])
    inputs["global_mask"][[0, 0, 3], [0, 9, 5]] = 1
    batteries.check_backbone(reference, backbone, inputs)
    batteries.check_packing(backbone, inputs)


@pytest.mark.parametrize(("name", "class_name"), OTHERS)
def test_checkpoint_of_another_task(
    name: str, class_name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    case = CASES[name]
    reference = batteries.make_reference(case, class_name, tmp_path)
    with caplog.at_level("INFO", logger="tfaigc"):
        backbone = tfaigc.Backbone.from_pretrained(tmp_path)
    assert "The backbone leaves out the checkpoint's" in caplog.text
    inputs = batteries.ragged_batch(reference.config.vocab_size, backbone.config.num_segments)
    batteries.check_backbone(reference.base_model, backbone, inputs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "bertt"}, "model_type .* must be one of bert.* 'bertt'"),
        ({"hidden_act": "gelo"}, "activation must be one of .*'gelo'.*Did you mean 'gelu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type .*relative_key"),
        ({"add_cross_attention": True}, "add_cross_attention .* must be false"),
        ({"hidden_size": "32"}, "hidden_size in config.json must be of type int. Received: '32'"),
        ({"num_attention_heads": 5}, "hidden_size must be a multiple of num_heads"),
        ({"hidden_dropout_prob": 1.5}, "hidden_dropout must be in"),
    ],
)
def test_config_values_that_cannot_be_honoured(changes: dict[str, Any], message: str) -> None:
    stated = tiny_bert_config().to_dict() | changes
    with pytest.raises(ConfigError, match=message):
        tfaigc.Backbone(stated)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("roberta", {"pad_token_id": None}, "pad_token_id .* must be of type int"),
        ("roberta", {"pad_token_id": 39}, "max_length must be at least 1"),
        ("albert", {"num_hidden_groups": 3}, "num_groups must be at most num_layers"),
        ("mpnet", {"relative_attention_num_buckets": 31}, "must be at least 32"),
        ("deberta-v2", {"pos_att_type": ["c2c"]}, "pos_att_type .*c2c"),
        ("deberta-v2", {"conv_kernel_size": 3}, "conv_kernel_size .* must be 0 or absent"),
        ("deberta-v2", {"norm_rel_ebd": "rms"}, "norm_rel_ebd .*'rms'"),
        ("deberta-v2", {"embedding_size": 7}, "embedding_size .* must be 24"),
        ("deberta-v2", {"position_buckets": 1}, "Half of the buckets"),
        ("modernbert", {"layer_types": ["full_attention"]}, "layer_types .*each of the 4 layers"),
        ("modernbert", {"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}, "rope_type .*yarn"),
        ("longformer", {"attention_window": 5}, "attention_window .* even number.*Received"),
        ("longformer", {"attention_window": [4]}, "attention_window .*each of the 2 layers"),
    ],
)
def test_values_that_a_family_cannot_honour(
    name: str, changes: dict[str, Any], message: str
) -> None:
    stated = {"model_type": name, **CASES[name].settings, **changes}
    with pytest.raises(ConfigError, match=message):
        tfaigc.Backbone(stated)


@pytest.mark.parametrize(
    ("name", "attention", "feed_forward"),
    [("bert", 0.25, 0.25), ("distilbert", 0, 0.25), ("albert", 0.25, 0), ("modernbert", 0.5, 0)],
)
def test_families_drop_in_different_places(
    name: str, attention: float, feed_forward: float
) -> None:
    rates = {"hidden_dropout_prob": 0.25, "attention_dropout": 0.5, "dropout": 0.25}
    block = tfaigc.Backbone({"model_type": name, **CASES[name].settings, **rates}).encoder.blocks[0]
    assert block.dropout.rate == attention
    assert block.feed_forward_dropout.rate == feed_forward


def test_dropouts_are_honoured() -> None:
    rates = {"hidden_dropout_prob": 0.25, "attention_probs_dropout_prob": 0.5}
    backbone = tfaigc.Backbone(tiny_bert_config(**rates).to_dict())
    block = backbone.encoder.blocks[1]
    assert block.dropout.rate == backbone.encoder.embeddings.dropout.rate == 0.25
    assert block.attention.dropout.rate == 0.5


def test_fresh_weights_are_drawn_apart_and_by_the_seed() -> None:
    stated = tiny_bert_config(initializer_range=0.5).to_dict()
    first, same, other = (tfaigc.Backbone(stated, seed=seed) for seed in (1, 1, 2))
    attention = first.encoder.blocks[0].attention
    query, key = (layer.kernel.numpy() for layer in (attention.query, attention.key))
    assert abs(query.std() - 0.5) < 0.05
    assert not np.array_equal(query, key)
    assert np.array_equal(query, same.encoder.blocks[0].attention.query.kernel.numpy())
    assert not np.array_equal(query, other.encoder.blocks[0].attention.query.kernel.numpy())


def test_inputs_are_checked() -> None:
    backbone = tfaigc.Backbone(tiny_bert_config().to_dict())
    ids = np.ones((1, 4), "int32")
    with pytest.raises(ConfigError, match=r"dict with token_ids.*Received: input_ids"):
        backbone({"input_ids": ids})
    with pytest.raises(ConfigError, match=r"at most 128 tokens.*Received: 129"):
        backbone({"token_ids": np.ones((1, 129), "int32")})


def test_works_in_a_functional_model() -> None:
    backbone = tfaigc.Backbone(tiny_bert_config().to_dict())
    ids = keras.Input((None,), dtype="int32")
    outputs = backbone({"token_ids": ids})["sequence_output"]
    model = keras.Model(ids, outputs)
    batch = np.ones((2, 5), "int32")
    expected = backbone({"token_ids": batch})["sequence_output"]
    np.testing.assert_allclose(model.predict(batch, verbose=0), expected, atol=1e-6)


def test_broken_tensors_are_reported_and_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfaigc.checkpoints.safetensors_file import SafetensorsFile

    batteries.make_reference(CASES["bert"], "BertModel", tmp_path)

    def fail(*_: Any, **__: Any) -> None:
        raise CheckpointError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(SafetensorsFile, "read", fail)
        with pytest.raises(CheckpointError, match="broken"):
            tfaigc.Backbone.from_pretrained(tmp_path)
    backbone = tfaigc.Backbone.from_pretrained(tmp_path)
    assert np.asarray(backbone.encoder.embeddings.token.embeddings).any()


def test_loaded_weights_can_be_trained() -> None:
    from tfaigc.families.deferred import to_tensor

    array = np.arange(2000.0, dtype="float32").reshape(40, 50).T
    variable = keras.Variable(to_tensor(array))
    variable.assign_sub(variable * 0.5)
    np.testing.assert_array_equal(np.asarray(variable), array * 0.5)
    assert array[-1, -1] == 1999
