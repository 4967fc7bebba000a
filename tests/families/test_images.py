"""Encoders of images: hidden states, logits and files equal those of `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
from image_cases import CASES, TINY, VARIANTS

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.families import FAMILIES, HeadedBackbone


def images(config: Any) -> np.ndarray:
    sizes = np.broadcast_to(config.image_size, (2,))
    shape = (3, *sizes, config.num_channels)
    return np.random.default_rng(5).normal(size=shape).astype("float32")


def run_reference(model: Any, batch: np.ndarray) -> Any:
    """Runs a model of `transformers`, which takes channels first."""
    import torch

    with torch.no_grad():
        return model(pixel_values=torch.tensor(np.moveaxis(batch, -1, 1)))


@pytest.mark.parametrize("name", CASES)
def test_every_head_is_in_the_table(name: str) -> None:
    heads = FAMILIES[name].heads
    assert {head: row.architecture for head, row in heads.items()} == CASES[name].heads


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_backbone(name: str, variant: str, tmp_path: Path) -> None:
    case = CASES[name]
    changes: Mapping[str, Any] = case.variants[variant]
    reference = batteries.make_reference(case, case.backbone, tmp_path / "theirs", **changes)
    backbone = tfaigc.Backbone.from_pretrained(tmp_path / "theirs")
    batch = images(reference.config)
    expected = run_reference(reference, batch)
    found = backbone({"images": batch})
    for ours, theirs in [
        ("sequence_output", expected.last_hidden_state),
        ("pooled_output", expected.pooler_output),
    ]:
        np.testing.assert_allclose(found[ours], theirs, atol=batteries.ATOL, rtol=0)
    batteries.check_saved(case, case.backbone, backbone, reference, tmp_path / "ours")


HEADS = [
    *((name, head, row) for name, case in CASES.items() for head, row in case.heads.items()),
    ("deit", "image_classification", "DeiTForImageClassificationWithTeacher"),
]


@pytest.mark.parametrize(("name", "head", "class_name"), HEADS)
def test_head(name: str, head: str, class_name: str, tmp_path: Path) -> None:
    reference = batteries.make_reference(
        CASES[name], class_name, tmp_path / "theirs", **batteries.LABELS
    )
    model = HeadedBackbone.from_pretrained(tmp_path / "theirs", head=head)
    assert model.labels == ("a", "b", "c")
    batch = images(reference.config)
    expected = run_reference(reference, batch).logits
    np.testing.assert_allclose(model({"images": batch}), expected, atol=batteries.ATOL, rtol=0)
    batteries.check_saved(CASES[name], class_name, model, reference, tmp_path / "ours")


def test_what_cannot_be_honoured() -> None:
    stated = {"model_type": "vit", **TINY}
    for changes, message in [
        ({"pooler_act": "relu"}, "pooler_act .* must be .*tanh"),
        ({"pooler_output_size": 7}, "pooler_output_size .* must be 24"),
        ({"image_size": "12"}, "image_size in config.json must be a positive number"),
        ({"patch_size": 13}, "at least one patch"),
    ]:
        with pytest.raises(ConfigError, match=message):
            tfaigc.Backbone(stated | changes)
    backbone = tfaigc.Backbone(stated)
    assert backbone.pooler is None
    with pytest.raises(ConfigError, match=r"\(batch, 12, 12, 3\).* Received: \(batch, 3, 12, 12\)"):
        backbone({"images": np.zeros((1, 3, 12, 12), "float32")})
    with pytest.raises(ConfigError, match=r"images alone\. Received: token_ids"):
        backbone({"token_ids": np.zeros((1, 3), "int32")})
