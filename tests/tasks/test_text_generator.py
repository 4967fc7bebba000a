"""What is written is what `transformers` writes, token for token, alone and beside others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import batteries
import numpy as np
import pytest
from family_cases import CASES
from seq2seq_cases import SEQ2SEQ_CASES

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.families import FAMILIES, HeadedBackbone
from tfaigc.families.writer import Writer
from tfaigc.generation import GenerationSettings
from tfaigc.generation.scoring import narrow
from tfaigc.generation.stopping import Stops
from tfaigc.tasks.text_generator import TextGenerator, pad_in_front

DECODERS = [name for name, family in FAMILIES.items() if "causal_lm" in family.heads]
ENDS = [99, 7, 20, 33]
PENALTIES = {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2, "min_new_tokens": 3}
ROWS: list[tuple[str, Mapping[str, Any]]] = [
    *((name, {}) for name in DECODERS),
    ("gpt2", {"num_beams": 3, "early_stopping": "never", **PENALTIES}),
    (
        "opt",
        {"num_beams": 3, "length_penalty": 0.3, "num_return_sequences": 2, "early_stopping": True},
    ),
]


@pytest.mark.parametrize(("name", "settings"), ROWS)
def test_texts_are_those_of_transformers(
    name: str, settings: Mapping[str, Any], tmp_path: Path
) -> None:
    import torch

    case = CASES[name]
    # One layer shows whether each row finds its own tokens; beams are told apart by two.
    layers = "n_layer" if name == "gpt2" else "num_hidden_layers"
    shallow = {} if settings else {layers: 1}
    reference = batteries.make_reference(case, case.heads["causal_lm"], tmp_path, **shallow)
    network = HeadedBackbone.from_pretrained(tmp_path, head="causal_lm")
    tokenizer: Any = SimpleNamespace(pieces=[])
    generator = TextGenerator(network, tokenizer, max_length=40)
    random = np.random.default_rng(0)
    prompts = [random.integers(0, 98, length).tolist() for length in (5, 1, 9, 3)]
    ids, mask = pad_in_front(prompts)
    with torch.no_grad():
        expected = reference.generate(
            input_ids=torch.tensor(ids).long(),
            attention_mask=torch.tensor(mask).long(),
            max_new_tokens=12,
            do_sample=False,
            eos_token_id=ENDS,
            pad_token_id=0,
            **settings,
        )[:, ids.shape[1] :].tolist()
    chosen = GenerationSettings().changed({"max_new_tokens": 12, "eos_token_ids": ENDS, **settings})
    together = generator.generate(prompts, chosen, batch_size=4)
    found = [row for rows in together for row in rows]
    assert [row[: len(own)] for row, own in zip(expected, found, strict=True)] == found
    for row, own in zip(expected, found, strict=True):
        assert len(own) == 12 or own[-1] in ENDS
        assert set(row[len(own) :]) <= {0, ENDS[0]}
    assert generator.generate(prompts[1:2], chosen, batch_size=4) == together[1:2]


@pytest.mark.parametrize(
    ("name", "settings"), [("t5", {}), ("bart", {"num_beams": 3, "forced_bos_token_id": 5})]
)
def test_decoders_beside_encoders_write_as_in_transformers(
    name: str, settings: Mapping[str, Any], tmp_path: Path
) -> None:
    import torch

    case = SEQ2SEQ_CASES[name]
    reference = batteries.make_reference(case, case.heads["seq2seq_lm"], tmp_path)
    network = HeadedBackbone.from_pretrained(tmp_path, head="seq2seq_lm")
    start = reference.config.decoder_start_token_id or 0
    tokenizer: Any = SimpleNamespace(pieces=[])
    generator = TextGenerator(network, tokenizer, max_length=30, start=[start])
    random = np.random.default_rng(0)
    prompts = [random.integers(3, 98, length).tolist() for length in (5, 2, 9)]
    ids, mask = (part[:, ::-1].copy() for part in pad_in_front([row[::-1] for row in prompts]))
    forced = reference.generation_config.forced_eos_token_id
    with torch.no_grad():
        expected = reference.generate(
            input_ids=torch.tensor(ids).long(),
            attention_mask=torch.tensor(mask).long(),
            decoder_start_token_id=start,
            max_new_tokens=8,
            do_sample=False,
            eos_token_id=ENDS,
            pad_token_id=0,
            **settings,
        )[:, 1:].tolist()
    chosen = GenerationSettings().changed(
        {"eos_token_ids": ENDS, "forced_eos_token_id": forced, "max_new_tokens": 8, **settings}
    )
    found = [rows[0] for rows in generator.generate(prompts, chosen, batch_size=4)]
    assert [row[: len(own)] for row, own in zip(expected, found, strict=True)] == found
    assert generator.generate(prompts[1:2], chosen, batch_size=4)[0] == found[1:2]


@pytest.mark.parametrize(
    ("settings", "warper"),
    [
        ({"temperature": 0.5, "top_k": 0}, ("TemperatureLogitsWarper", 0.5)),
        ({"top_k": 3}, ("TopKLogitsWarper", 3)),
        ({"top_k": 500}, ("TopKLogitsWarper", 500)),
        ({"top_k": 0, "top_p": 0.3}, ("TopPLogitsWarper", 0.3)),
        ({"top_k": 0, "top_p": 1e-6}, ("TopPLogitsWarper", 1e-6)),
        ({"top_k": 0, "min_p": 0.4}, ("MinPLogitsWarper", 0.4)),
    ],
)
def test_sampling_is_among_the_tokens_of_transformers(
    settings: dict[str, Any], warper: tuple[str, float]
) -> None:
    import torch
    from transformers.generation import logits_process

    logits = np.random.default_rng(5).normal(size=(4, 50)).astype("float32") * 2
    expected = getattr(logits_process, warper[0])(warper[1])(None, torch.tensor(logits)).numpy()
    found = np.asarray(narrow(logits, GenerationSettings().changed(settings)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_networks_that_look_ahead_do_not_write() -> None:
    backbone = tfaigc.Backbone({"model_type": "bert", **CASES["bert"].settings})
    with pytest.raises(ConfigError, match="Received: attention that looks ahead"):
        Writer(HeadedBackbone(backbone, head="masked_lm"))


@pytest.mark.parametrize(
    ("strings", "pieces", "stops_at"),
    [
        (["b c"], [b"a", b"b", b" c", b"d"], 2),
        (["é"], [b"x\xc3", b"\xa9", b"y", b"z"], 1),
        (["zz", "."], [b"a", b"b.c", b"z", b"z"], 1),
        (["no"], [b"n", b"n", b"p", b"o"], None),
    ],
)
def test_strings_are_found_across_tokens(
    strings: list[str], pieces: list[bytes], stops_at: int | None
) -> None:
    import tensorflow as tf

    stops = Stops(strings, pieces)
    tails, found = tf.constant([""]), None
    for index in range(len(pieces)):
        tails, is_stopped = stops.extend(tails, tf.constant([index]))
        if bool(is_stopped[0]):
            found = index
            break
    assert found == stops_at
