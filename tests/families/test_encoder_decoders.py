"""Every encoder-decoder: hidden states, logits and files equal those of `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
from seq2seq_cases import SEQ2SEQ_CASES

import tfaigc
from tfaigc.families import FAMILIES, HeadedBackbone

VARIANTS = [(name, variant) for name, case in SEQ2SEQ_CASES.items() for variant in case.variants]
HEADS: list[tuple[str, str, Mapping[str, Any]]] = [
    (name, head, changes)
    for name, case in SEQ2SEQ_CASES.items()
    for head, changes in [*((head, {}) for head in case.heads), *case.head_variants]
]


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


@pytest.mark.parametrize(("name", "head", "changes"), HEADS)
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
