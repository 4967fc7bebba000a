"""Every head of every family: logits, labels and files equal those of `transformers`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
from family_cases import CASES

import tfaigc
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families import FAMILIES, HeadedBackbone
from tfaigc.families.requirements import check_packs

HEADS: list[tuple[str, str, Mapping[str, Any]]] = [
    (name, head, changes)
    for name, case in CASES.items()
    for head, changes in [*((head, {}) for head in case.heads), *case.head_variants]
]


# Heads for which each text needs a row of its own, besides those for choices.
ROWS_ALONE = {"longformer": ["question_answering"]}


@pytest.mark.parametrize("name", CASES)
def test_every_head_is_in_the_table(name: str) -> None:
    heads = FAMILIES[name].heads
    assert {head: row.architecture for head, row in heads.items()} == CASES[name].heads


@pytest.mark.parametrize(("name", "head", "changes"), HEADS)
def test_head(name: str, head: str, changes: Mapping[str, Any], tmp_path: Path) -> None:
    case = CASES[name]
    row = FAMILIES[name].heads[head]
    labels = batteries.LABELS if row.has_labels else {}
    reference = batteries.make_reference(
        case, case.heads[head], tmp_path / "theirs", **_shallow(case), **labels, **changes
    )
    model = HeadedBackbone.from_pretrained(tmp_path / "theirs", head=head)
    assert model.labels == (("a", "b", "c") if labels else None)
    inputs = batteries.ragged_batch(101, model.backbone.config.num_segments)
    inputs = batteries.head_inputs(head, inputs)
    if case.pads_left:
        inputs = batteries.pad_left(inputs)
    batteries.check_logits(reference, model, inputs)
    if head in ROWS_ALONE.get(name, ()) or row.takes_choices:
        with pytest.raises(ConfigError, match="Texts can share rows where no text sees another"):
            check_packs(model)
    else:
        check_packs(model)
        remove_padding = head == "text_classification"
        batteries.check_packed_logits(model, inputs, remove_padding=remove_padding)
    unused = [original for _, original in row.ties] if "tie_word_embeddings" in changes else []
    batteries.check_saved(case, case.heads[head], model, reference, tmp_path / "ours", unused)


def _shallow(case: batteries.FamilyCase) -> dict[str, int]:
    layers = "n_layers" if "n_layers" in case.settings else "num_hidden_layers"
    return {layers: 1}


def test_a_head_that_is_not_there_is_refused(tmp_path: Path) -> None:
    case = CASES["bert"]
    batteries.make_reference(case, "BertForTokenClassification", tmp_path, **_shallow(case))
    with pytest.raises(CheckpointError, match=r"head for masked_lm.* heads: token_classification"):
        HeadedBackbone.from_pretrained(tmp_path, head="masked_lm")
    # The names of its tensors are the same; only the class says that it is another head.
    with pytest.raises(CheckpointError, match=r"head for text_classification"):
        HeadedBackbone.from_pretrained(tmp_path, head="text_classification")
    with pytest.raises(ConfigError, match=r"can be used for .*Received: image_class"):
        HeadedBackbone.from_pretrained(tmp_path, head="image_classification")


def test_a_checkpoint_without_a_head_says_so(tmp_path: Path) -> None:
    batteries.make_reference(CASES["bert"], "BertModel", tmp_path, num_hidden_layers=1)
    with pytest.raises(CheckpointError, match="Its heads: none that is known"):
        HeadedBackbone.from_pretrained(tmp_path, head="next_sentence")


def test_a_checkpoint_of_two_tasks_has_both_heads(tmp_path: Path) -> None:
    reference = batteries.make_reference(
        CASES["bert"], "BertForPreTraining", tmp_path, num_hidden_layers=1
    )
    inputs = batteries.ragged_batch(101, 2)
    expected = batteries.run_reference(reference, inputs)
    for head, logits in [
        ("masked_lm", expected.prediction_logits),
        ("next_sentence", expected.seq_relationship_logits),
    ]:
        model = HeadedBackbone.from_pretrained(tmp_path, head=head)
        tokens = inputs["padding_mask"].astype(bool) if head == "masked_lm" else slice(None)
        found = np.asarray(model(inputs))[tokens]
        np.testing.assert_allclose(found, logits.numpy()[tokens], atol=batteries.ATOL, rtol=0)


@pytest.mark.parametrize("kept", ["both", "output", "different"])
def test_tied_tensors_are_read_as_transformers_reads_them(
    kept: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import transformers
    from safetensors.numpy import load_file, save_file

    batteries.make_reference(CASES["bert"], "BertForMaskedLM", tmp_path, num_hidden_layers=1)
    tensors = load_file(tmp_path / "model.safetensors")
    table, bias = "bert.embeddings.word_embeddings.weight", "cls.predictions.bias"
    tensors["cls.predictions.decoder.weight"] = tensors[table].copy()
    tensors["cls.predictions.decoder.bias"] = tensors[bias].copy()
    if kept == "output":
        del tensors[table], tensors[bias]
    if kept == "different":
        tensors["cls.predictions.decoder.weight"] += 0.25
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    reference = transformers.BertForMaskedLM.from_pretrained(tmp_path).eval()
    with caplog.at_level("INFO", logger="tfaigc"):
        model = HeadedBackbone.from_pretrained(tmp_path, head="masked_lm")
    assert "Left out" not in caplog.text
    inputs = batteries.ragged_batch(101, 2)
    batteries.check_logits(reference, model, inputs)
    model.save_pretrained(tmp_path / "ours")
    stated = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert stated["tie_word_embeddings"] == (kept != "different")
    again = transformers.BertForMaskedLM.from_pretrained(tmp_path / "ours").eval()
    batteries.check_logits(again, model, inputs)


def test_a_language_model_scores_picked_tokens() -> None:
    settings = {"model_type": "bert", **CASES["bert"].settings, "num_hidden_layers": 1}
    model = HeadedBackbone(tfaigc.Backbone(settings), head="masked_lm")
    inputs = batteries.ragged_batch(101, 2)
    hidden = model.backbone(inputs)["sequence_output"]
    picked = model.head(hidden[0, 3:5], table=model.backbone.token_table)
    np.testing.assert_allclose(picked, np.asarray(model(inputs))[0, 3:5], atol=1e-6)


def test_labels_belong_to_heads_that_have_some() -> None:
    backbone = tfaigc.Backbone({"model_type": "bert", **CASES["bert"].settings}, pooler=True)
    with pytest.raises(ConfigError, match="labels must be given for a token_classification head"):
        HeadedBackbone(backbone, head="token_classification")
    with pytest.raises(ConfigError, match="labels cannot be given for a next_sentence head"):
        HeadedBackbone(backbone, head="next_sentence", labels=["a", "b"])
