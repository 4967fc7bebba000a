"""XLNet: summaries however texts are padded, what is refused, and what old files state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
from family_cases import CASES

import tfaigc
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families import HeadedBackbone

CASE = CASES["xlnet"]


@pytest.mark.parametrize(
    "changes",
    [{}, {"summary_type": "first"}, {"summary_type": "mean"}, {"attn_type": "uni"}],
)
def test_a_summary_is_that_of_the_text_alone(changes: dict[str, Any], tmp_path: Path) -> None:
    class_name = CASE.heads["text_classification"]
    reference = batteries.make_reference(CASE, class_name, tmp_path, n_layer=1, **changes)
    model = HeadedBackbone.from_pretrained(tmp_path, head="text_classification")
    inputs = batteries.ragged_batch(101, 3)
    padded = [inputs] if "first" in changes.values() else [inputs, batteries.pad_left(inputs)]
    for remove_padding in (False, True):
        for batch in padded:
            found = np.asarray(model(batch, remove_padding=remove_padding))
            for row, length in enumerate(inputs["padding_mask"].sum(axis=1)):
                text = {name: values[row : row + 1, :length] for name, values in inputs.items()}
                expected = batteries.run_reference(reference, text).logits.numpy()
                np.testing.assert_allclose(found[row], expected[0], atol=batteries.ATOL, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attn_type": "both"}, "attn_type .*'bi' or 'uni'.*'both'"),
        ({"attn_type": "uni", "same_length": True}, "same_length .* must be false"),
        ({"bi_data": True}, "bi_data .* must be false"),
        ({"d_head": 5}, "d_head .* must be 6"),
        ({"d_model": 21, "n_head": 3}, "d_model .* must be even"),
        ({"n_head": 5}, "hidden_size must be a multiple of num_heads"),
        ({"clamp_len": 2.5}, "clamp_len .* of type int"),
    ],
)
def test_values_that_cannot_be_honoured(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tfaigc.Backbone({"model_type": "xlnet", **CASE.settings, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"summary_type": "attn"}, "summary_type .*last, cls_index, first, mean.*'attn'"),
        ({"summary_activation": "tan"}, "activation must be one of .*'tan'.*Did you mean 'tanh'"),
        ({"summary_proj_to_labels": True}, "summary_proj_to_labels .* must be false"),
        ({"summary_last_dropout": 1}, "last_dropout must be in"),
    ],
)
def test_summaries_that_cannot_be_honoured(changes: dict[str, Any], message: str) -> None:
    backbone = tfaigc.Backbone({"model_type": "xlnet", **CASE.settings, **changes})
    with pytest.raises(ConfigError, match=message):
        HeadedBackbone(backbone, head="text_classification", labels=["a", "b"])


def test_a_search_for_answers_is_no_head_of_ours(tmp_path: Path) -> None:
    batteries.make_reference(CASE, CASE.others[0], tmp_path)
    with pytest.raises(CheckpointError, match=r"head for question_answering.*none that is known"):
        HeadedBackbone.from_pretrained(tmp_path, head="question_answering")


def test_the_old_name_of_vocab_size(tmp_path: Path) -> None:
    import transformers

    reference = batteries.make_reference(CASE, CASE.backbone, tmp_path)
    path = tmp_path / "config.json"
    stated = json.loads(path.read_text())
    stated["n_token"] = stated.pop("vocab_size")
    path.write_text(json.dumps(stated))
    backbone = tfaigc.Backbone.from_pretrained(tmp_path)
    inputs = batteries.ragged_batch(101, 3)
    batteries.check_backbone(reference, backbone, inputs)
    backbone.save_pretrained(tmp_path / "ours")
    again = transformers.XLNetModel.from_pretrained(tmp_path / "ours").eval()
    batteries.check_backbone(again, backbone, inputs)


def test_no_length_is_too_long() -> None:
    backbone = tfaigc.Backbone({"model_type": "xlnet", **CASE.settings, "n_layer": 1})
    long = np.random.default_rng(0).integers(0, 101, (1, 700)).astype("int32")
    assert np.isfinite(np.asarray(backbone({"token_ids": long})["sequence_output"])).all()
