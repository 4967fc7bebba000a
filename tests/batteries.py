"""Checks that run over every registered family or task: a new one is one row in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ATOL = 1e-5
LABELS = {"id2label": {0: "a", 1: "b", 2: "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}


@dataclass(frozen=True)
class FamilyCase:
    """One row of the families' table.

    Attributes:
        name: The family's `model_type`.
        config: The class of the configuration in `transformers`.
        settings: The settings of a tiny model.
        backbone: The class of `transformers` without a head.
        heads: For each of the family's heads the class of `transformers` that has it.
        head_variants: Heads, and changes of the configuration that must give equal logits too.
        others: Classes of `transformers` whose heads no task here reads.
        variants: Changes of the configuration that must give equal numbers too, by name.
        pads_left: Whether heads of `transformers` read the last cell, so that padding must stand
            before the text.
    """

    name: str
    config: str
    settings: Mapping[str, Any]
    backbone: str
    heads: Mapping[str, str]
    head_variants: Sequence[tuple[str, Mapping[str, Any]]] = ()
    others: Sequence[str] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pads_left: bool = False

    def make_config(self, **changes: Any) -> Any:
        """Makes a tiny configuration of `transformers`."""
        import transformers

        return getattr(transformers, self.config)(**{**self.settings, **changes})


def make_reference(case: FamilyCase, class_name: str, directory: Path, **changes: Any) -> Any:
    """Saves a tiny random model of `transformers` with PyTorch and returns it.

    The weights are drawn wide, so that a wrong activation, epsilon or bias shows.
    """
    import torch
    import transformers

    torch.manual_seed(11)
    model = getattr(transformers, class_name)(case.make_config(**changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(directory)
    return model


def ragged_batch(vocabulary_size: int, num_segments: int, *, seed: int = 0) -> dict[str, Any]:
    """Makes inputs of several lengths, padded at the end, with segments where there are any."""
    random = np.random.default_rng(seed)
    lengths = np.array([13, 1, 7, 12])
    mask = (np.arange(13) < lengths[:, None]).astype("int32")
    token_ids = random.integers(0, vocabulary_size, mask.shape).astype("int32")
    # A padding token inside a text: some families leave it out when they count positions.
    token_ids[0, 3] = token_ids[2, 2] = 1
    inputs = {"token_ids": token_ids, "padding_mask": mask}
    if num_segments:
        inputs["segment_ids"] = random.integers(0, num_segments, mask.shape).astype("int32")
    return inputs


def pad_left(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Moves the padding of each text to its front."""
    order = np.argsort(inputs["padding_mask"], axis=-1, kind="stable")
    return {name: np.take_along_axis(values, order, axis=-1) for name, values in inputs.items()}


def text_pairs(vocabulary_size: int) -> dict[str, Any]:
    """Makes inputs of an encoder-decoder, of several lengths, padded at the end."""
    random = np.random.default_rng(0)
    inputs = {}
    for stack, lengths in (("encoder", [13, 1, 7, 12]), ("decoder", [5, 9, 1, 7])):
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype("int32")
        token_ids = random.integers(0, vocabulary_size, mask.shape).astype("int32")
        inputs |= {f"{stack}_token_ids": token_ids, f"{stack}_padding_mask": mask}
    return inputs


def run_reference(model: Any, inputs: Mapping[str, Any]) -> Any:
    """Runs a model of `transformers` on our inputs."""
    import torch

    names = {
        "token_ids": "input_ids",
        "padding_mask": "attention_mask",
        "segment_ids": "token_type_ids",
        "global_mask": "global_attention_mask",
        "encoder_token_ids": "input_ids",
        "encoder_padding_mask": "attention_mask",
        "decoder_token_ids": "decoder_input_ids",
        "decoder_padding_mask": "decoder_attention_mask",
    }
    tensors = {names[name]: torch.tensor(np.asarray(value)) for name, value in inputs.items()}
    with torch.no_grad():
        return model(**tensors)


def check_backbone(reference: Any, backbone: Any, inputs: Mapping[str, Any]) -> None:
    """Compares hidden states, with and without padding in the dense layers."""
    expected = run_reference(reference, inputs)
    mask = np.asarray(inputs.get("padding_mask", np.ones_like(inputs["token_ids"])))[..., None]
    for remove_padding in (False, True):
        outputs = backbone(inputs, remove_padding=remove_padding)
        np.testing.assert_allclose(
            np.asarray(outputs["sequence_output"]) * mask,
            expected.last_hidden_state.numpy() * mask,
            atol=ATOL,
            rtol=0,
        )
        if "pooled_output" in outputs:
            np.testing.assert_allclose(
                np.asarray(outputs["pooled_output"]),
                expected.pooler_output.numpy(),
                atol=ATOL,
                rtol=0,
            )


def check_stacks(reference: Any, backbone: Any, inputs: Mapping[str, Any]) -> None:
    """Compares the hidden states of encoder and decoder, with and without padding."""
    outputs = run_reference(reference, inputs)
    for remove_padding in (False, True):
        found = backbone(inputs, remove_padding=remove_padding)
        for stack, expected in (
            ("encoder", outputs.encoder_last_hidden_state),
            ("decoder", outputs.last_hidden_state),
        ):
            ids = inputs[f"{stack}_token_ids"]
            mask = np.asarray(inputs.get(f"{stack}_padding_mask", np.ones_like(ids)))[..., None]
            np.testing.assert_allclose(
                np.asarray(found[f"{stack}_sequence_output"]) * mask,
                expected.numpy() * mask,
                atol=ATOL,
                rtol=0,
            )


def check_logits(reference: Any, model: Any, inputs: Mapping[str, Any]) -> None:
    """Compares a head's logits; those of padding may differ."""
    if getattr(reference.config, "pad_token_id", None) is not None:
        # Some heads look for the last token by what it is, and not by the mask.
        padding = reference.config.pad_token_id
        token_ids = np.where(inputs["padding_mask"], inputs["token_ids"], padding)
        inputs = {**inputs, "token_ids": token_ids.astype("int32")}
    expected = reference_logits(run_reference(reference, inputs))
    found = np.asarray(model(inputs))
    assert found.shape == expected.shape
    if found.shape[:2] == inputs["token_ids"].shape:
        tokens = np.asarray(inputs["padding_mask"], bool)
        found, expected = found[tokens], expected[tokens]
    np.testing.assert_allclose(found, expected, atol=ATOL, rtol=0)


def reference_logits(outputs: Any) -> np.ndarray:
    """Finds the logits of any head's outputs, in the shape that we give them."""
    if "start_logits" in outputs:
        return np.stack([outputs.start_logits.numpy(), outputs.end_logits.numpy()], axis=-1)
    return outputs.logits.numpy()


def head_inputs(head: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Makes a batch fit a head: three separators a text, and texts in pairs where one is chosen."""
    separators = [1, 2, 5]
    token_ids = np.where(inputs["token_ids"] == 2, 3, inputs["token_ids"])
    token_ids[:, separators] = 2
    padding_mask = inputs["padding_mask"].copy()
    padding_mask[:, : separators[-1] + 1] = 1
    inputs = {**inputs, "token_ids": token_ids, "padding_mask": padding_mask}
    if head != "multiple_choice":
        return inputs
    return {name: values.reshape(2, -1, values.shape[1]) for name, values in inputs.items()}


def check_packing(backbone: Any, inputs: Mapping[str, Any]) -> None:
    """Compares two texts in one row with the same texts in rows of their own."""
    lengths = np.asarray(inputs["padding_mask"]).sum(axis=1)
    first, second = int(lengths[0]), int(lengths[2])
    row = {
        name: np.concatenate([values[0, :first], values[2, :second]])[None]
        for name, values in inputs.items()
    }
    row["pack_ids"] = np.repeat([1, 2], [first, second]).astype("int32")[None]
    packed = np.asarray(backbone(row)["sequence_output"])[0]
    alone = np.asarray(backbone(inputs)["sequence_output"])
    expected = np.concatenate([alone[0, :first], alone[2, :second]])
    np.testing.assert_allclose(packed, expected, atol=ATOL, rtol=0)


def check_packed_logits(model: Any, inputs: Mapping[str, Any], *, remove_padding: bool) -> None:
    """Compares a head's logits for texts that share rows with those for each text alone."""
    tokens = np.asarray(inputs["padding_mask"], bool)
    lengths = tokens.sum(axis=1)
    rows, width = ([0, 2], [1, 3]), int(lengths.sum())
    packed = {name: np.zeros((2, width), "int32") for name in (*inputs, "pack_ids")}
    starts = []
    for number, row in enumerate(rows):
        column = 0
        for text in row:
            cells = slice(column, column + lengths[text])
            for name, values in inputs.items():
                packed[name][number, cells] = values[text][tokens[text]]
            packed["pack_ids"][number, cells] = len(starts) + 1
            starts.append(number * width + column)
            column += lengths[text]
    packed["text_starts"] = np.array(starts, "int32")
    found = np.asarray(model(packed, remove_padding=remove_padding))
    expected = np.asarray(model(inputs))
    order = [text for row in rows for text in row]
    if found.shape[:2] == (2, width):
        found = found[packed["padding_mask"].astype(bool)]
        expected = np.concatenate([expected[text][tokens[text]] for text in order])
    else:
        expected = expected[order]
    np.testing.assert_allclose(found, expected, atol=ATOL, rtol=0)


def check_saved(
    case: FamilyCase,
    class_name: str,
    model: Any,
    reference: Any,
    to: Path,
    unused: Sequence[str] = (),
) -> None:
    """Saves our model, loads it with `transformers`, and compares weights and configuration.

    Tensors that `transformers` has but never uses may differ.
    """
    import transformers

    model.save_pretrained(to)
    loaded, report = getattr(transformers, class_name).from_pretrained(to, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    expected = reference.state_dict()
    for name, tensor in loaded.state_dict().items():
        if name in unused:
            continue
        np.testing.assert_array_equal(tensor.numpy(), expected[name].numpy(), err_msg=name)
    stated, original = (json.loads(path.read_text()) for path in _configs(to, reference, to.parent))
    for key, value in original.items():
        if key not in ("transformers_version", "dtype", "problem_type"):
            assert stated.get(key) == value, key


def _configs(ours: Path, reference: Any, scratch: Path) -> tuple[Path, Path]:
    theirs = scratch / "reference-config"
    reference.config.save_pretrained(theirs)
    return ours / "config.json", theirs / "config.json"
