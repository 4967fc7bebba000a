"""Every encoder-decoder: hidden states, logits and files equal those of `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file, save_file
from seq2seq_cases import SEQ2SEQ_CASES

import tfaigc
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families import FAMILIES, HeadedBackbone
from tfaigc.families.requirements import check_packs

_PARTS = ("token_ids", "padding_mask")
_INPUTS = [f"{stack}_{part}" for stack in ("encoder", "decoder") for part in _PARTS]
VARIANTS = [(name, variant) for name, case in SEQ2SEQ_CASES.items() for variant in case.variants]
HEADS: list[tuple[str, str, Mapping[str, Any]]] = [
    (name, head, changes)
    for name, case in SEQ2SEQ_CASES.items()
    for head, changes in [*((head, {}) for head in case.heads), *case.head_variants]
]
OF_TWO_TEXTS = [each for each in HEADS if each[1] == "seq2seq_lm"]
OF_ONE_TEXT = [each for each in HEADS if each not in OF_TWO_TEXTS]


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_backbone(name: str, variant: str, tmp_path: Path) -> None:
    case = SEQ2SEQ_CASES[name]
    reference = batteries.make_reference(
        case, case.backbone, tmp_path / "theirs", **case.variants[variant]
    )
    backbone = tfaigc.Backbone.from_pretrained(tmp_path / "theirs")
    inputs = batteries.text_pairs(101)
    batteries.check_stacks(reference, backbone, inputs)
    unpadded = {key: inputs[key] for key in ("encoder_token_ids", "decoder_token_ids")}
    batteries.check_stacks(reference, backbone, unpadded)
    batteries.check_saved(case, case.backbone, backbone, reference, tmp_path / "ours")


@pytest.mark.parametrize("name", SEQ2SEQ_CASES)
def test_every_head_is_in_the_table(name: str) -> None:
    heads = FAMILIES[name].heads
    assert {head: row.architecture for head, row in heads.items()} == SEQ2SEQ_CASES[name].heads


@pytest.mark.parametrize(("name", "head", "changes"), OF_TWO_TEXTS)
def test_head(name: str, head: str, changes: Mapping[str, Any], tmp_path: Path) -> None:
    case = SEQ2SEQ_CASES[name]
    reference = batteries.make_reference(case, case.heads[head], tmp_path / "theirs", **changes)
    if hasattr(reference, "final_logits_bias"):
        reference.final_logits_bias.normal_()
        reference.save_pretrained(tmp_path / "theirs")
    # Marian's positions are computed, not saved.
    reference = type(reference).from_pretrained(tmp_path / "theirs").eval()
    model = HeadedBackbone.from_pretrained(tmp_path / "theirs", head=head)
    inputs = batteries.text_pairs(101)
    expected = batteries.run_reference(reference, inputs).logits.numpy()
    tokens = inputs["decoder_padding_mask"].astype(bool)
    found = np.asarray(model(inputs))
    np.testing.assert_allclose(found[tokens], expected[tokens], atol=batteries.ATOL, rtol=0)
    batteries.check_saved(case, case.heads[head], model, reference, tmp_path / "ours")


@pytest.mark.parametrize(("name", "head", "changes"), OF_ONE_TEXT)
def test_head_for_one_text(
    name: str, head: str, changes: Mapping[str, Any], tmp_path: Path
) -> None:
    case = SEQ2SEQ_CASES[name]
    labels = batteries.LABELS if FAMILIES[name].heads[head].has_labels else {}
    reference = batteries.make_reference(
        case, case.heads[head], tmp_path / "theirs", **labels, **changes
    )
    model = HeadedBackbone.from_pretrained(tmp_path / "theirs", head=head)
    inputs = with_ends(batteries.ragged_batch(101, 0), reference.config.eos_token_id)
    batteries.check_logits(reference, model, inputs)
    batteries.check_saved(case, case.heads[head], model, reference, tmp_path / "ours")


def with_ends(inputs: dict[str, Any], end: int) -> dict[str, Any]:
    """Ends each text with a token behind its end, as mBART does, unless it is only its end."""
    token_ids = np.where(inputs["token_ids"] == end, 3, inputs["token_ids"])
    lengths = inputs["padding_mask"].sum(axis=1)
    token_ids[np.arange(len(lengths)), np.maximum(lengths - 2, 0)] = end
    return {**inputs, "token_ids": token_ids}


def test_one_text_is_not_packed() -> None:
    stated = {"model_type": "bart", **SEQ2SEQ_CASES["bart"].settings}
    model = HeadedBackbone(tfaigc.Backbone(stated), head="question_answering")
    ids = np.ones((1, 4), "int32")
    with pytest.raises(ConfigError, match=r"Received: pack_ids"):
        model({"token_ids": ids, "pack_ids": ids})
    with pytest.raises(ConfigError, match=r"of a bart: the network of a bart keeps no texts apart"):
        check_packs(model)


@pytest.mark.parametrize("stored", ["other output", "only the output", "only a copy"])
def test_tables_that_are_stored_otherwise(stored: str, tmp_path: Path) -> None:
    case = SEQ2SEQ_CASES["t5"]
    reference = batteries.make_reference(case, case.heads["seq2seq_lm"], tmp_path, num_layers=1)
    tensors = load_file(tmp_path / "model.safetensors")
    if stored == "other output":
        tensors["lm_head.weight"] = tensors["shared.weight"][::-1].copy()
    else:
        copy = "lm_head.weight" if stored == "only the output" else "encoder.embed_tokens.weight"
        tensors[copy] = tensors.pop("shared.weight")
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    reference = type(reference).from_pretrained(tmp_path).eval()
    model = HeadedBackbone.from_pretrained(tmp_path, head="seq2seq_lm")
    inputs = batteries.text_pairs(101)
    expected = batteries.run_reference(reference, inputs).logits.numpy()
    tokens = inputs["decoder_padding_mask"].astype(bool)
    found = np.asarray(model(inputs))[tokens]
    np.testing.assert_allclose(found, expected[tokens], atol=batteries.ATOL, rtol=0)
    stored_again = {name for name in model.stored_arrays() if "embed_tokens" not in name}
    assert ("lm_head.weight" in stored_again) == (stored == "other output")
    assert "shared.weight" in stored_again


def test_copies_that_differ_are_refused(tmp_path: Path) -> None:
    case = SEQ2SEQ_CASES["bart"]
    batteries.make_reference(case, case.backbone, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["decoder.embed_tokens.weight"] = tensors["shared.weight"] + 1
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"decoder.embed_tokens.weight and shared.weight"):
        tfaigc.Backbone.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("t5", {"feed_forward_proj": "gated-gelu-new"}, "feed_forward_proj .*'gated-gelu-new'"),
        ("t5", {"feed_forward_proj": "gated-gelo"}, "activation must be one of .*'gelo'"),
        ("t5", {"relative_attention_num_buckets": 3}, "buckets of their own .* 0 in 3 buckets"),
        ("t5", {"relative_attention_max_distance": 8}, "fewer than relative_distance"),
        ("t5", {"is_encoder_decoder": False}, "is_encoder_decoder .* must be true"),
        ("bart", {"decoder_attention_heads": 5}, "hidden_size must be a multiple of num_heads"),
        ("bart", {"encoder_layerdrop": 1.5}, "layer_drop must be in"),
        ("marian", {"decoder_ffn_dim": "20"}, "decoder_ffn_dim .* of type int"),
    ],
)
def test_values_that_cannot_be_honoured(name: str, changes: dict[str, Any], message: str) -> None:
    stated = {"model_type": name, **SEQ2SEQ_CASES[name].settings, **changes}
    with pytest.raises(ConfigError, match=message):
        tfaigc.Backbone(stated)


def test_inputs_are_checked() -> None:
    backbone = tfaigc.Backbone({"model_type": "bart", **SEQ2SEQ_CASES["bart"].settings})
    ids = np.ones((1, 4), "int32")
    with pytest.raises(ConfigError, match=r"encoder_token_ids and decoder_token_ids.*: token_ids"):
        backbone({"token_ids": ids})
    with pytest.raises(ConfigError, match=r"at most 40 tokens.*Received: 41"):
        backbone({"encoder_token_ids": ids, "decoder_token_ids": np.ones((1, 41), "int32")})


@pytest.mark.parametrize("name", ["t5", "marian"])
def test_every_weight_is_trained_but_computed_ones(name: str) -> None:
    changes = {"dropout_rate": 0.2, "encoder_layerdrop": 0.5, "num_layers": 1, "encoder_layers": 1}
    stated = {"model_type": name, **SEQ2SEQ_CASES[name].settings, **changes}
    model = HeadedBackbone(tfaigc.Backbone(stated), head="seq2seq_lm")
    fixed = {variable.path.rpartition("/")[0] for variable in model.non_trainable_weights}
    assert {path.rpartition("/")[2] for path in fixed} <= {"position", "fixed_bias"}

    def gradients(inputs: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(inputs, training=True, remove_padding=True))
        return tape.gradient(loss, [variable.value for variable in model.trainable_weights])

    if name == "marian":
        specs = {key: tf.TensorSpec((None, None), tf.int32) for key in _INPUTS}
        gradients = tf.function(gradients, input_signature=[specs])
    found = gradients({key: tf.constant(value) for key, value in batteries.text_pairs(101).items()})
    assert all(gradient is not None for gradient in found)
    sizes = [float(tf.reduce_max(tf.abs(tf.convert_to_tensor(gradient)))) for gradient in found]
    assert all(np.isfinite(sizes))


def test_blocks_are_left_out_in_training_alone() -> None:
    from tfaigc.layers.dropout import LayerDrop

    drop = LayerDrop(0.25, seed=3, name="drop")
    after, before = tf.ones(()), tf.zeros(())
    choices = [float(drop(after, before, training=True)) for _ in range(200)]
    assert set(choices) == {0.0, 1.0}
    assert 0.6 < np.mean(choices) < 0.9
    assert drop(after, before) == 1.0
