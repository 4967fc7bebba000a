"""CausalLM: texts, responses and conversations; generation, streams, files and exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_decoder import TEXTS, write_tiny_decoder

import tfaigc
from tfaigc.errors import ConfigError, DataError
from tfaigc.export import ask
from tfaigc.export.fresh_process import run_questions

RESPONSES = [{"prompt": f"{text}? ", "response": "yes, it does."} for text in TEXTS]
CHATS = [
    {
        "messages": [
            {"role": "user", "content": text},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "really?"},
            {"role": "assistant", "content": "yes, really"},
        ]
    }
    for text in TEXTS
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_decoder(tmp_path_factory.mktemp("causal"))


@pytest.fixture(scope="module")
def trained(checkpoint: Path) -> tfaigc.CausalLM:
    model = tfaigc.CausalLM.from_pretrained(checkpoint)
    model.compile(learning_rate=2e-2, lr_scheduler_type="constant", warmup_steps=0)
    model.fit(TEXTS * 10, batch_size=24, epochs=4, verbose=0)
    return model


def test_it_learns_reports_and_writes(trained: tfaigc.CausalLM, tmp_path: Path) -> None:
    report = trained.report(TEXTS)
    assert report.metrics["perplexity"] < 20
    logs = trained.evaluate(TEXTS, batch_size=5, verbose=0, return_dict=True)
    for name in ("perplexity", "accuracy"):
        assert logs[name] == pytest.approx(report.metrics[name], rel=1e-4)
    page = report.save(tmp_path).read_text()
    assert "## Samples" in page
    assert "ends well" in page


def test_texts_and_files_are_those_of_transformers(
    trained: tfaigc.CausalLM, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trained.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, padding_side="left")
    model, loaded = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not loaded["missing_keys"]
    prompts = ["the good", "the dull story", "é"]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, return_token_type_ids=False)
    again = tfaigc.CausalLM.from_pretrained(tmp_path)
    for settings in ({}, {"num_beams": 3, "length_penalty": 0.5}):
        with torch.no_grad():
            rows = model.generate(**inputs, max_new_tokens=8, do_sample=False, **settings)
        rows = rows[:, inputs["input_ids"].shape[1] :]
        expected = tokenizer.batch_decode(rows, skip_special_tokens=True)
        assert trained.generate(prompts, max_new_tokens=8, **settings) == expected
    np.testing.assert_array_equal(again.predict(["the"])[0], trained.predict(["the"])[0])
    conversation = CHATS[0]["messages"][:1]
    ids = tokenizer.apply_chat_template(conversation, add_generation_prompt=True)
    ids = ids["input_ids"] if not isinstance(ids, list) else ids
    assert trained._encode_prompts([conversation]) == [ids]
    assert len(trained.infer(CHATS[:1], max_new_tokens=3)) == 1


def test_pieces_of_a_stream_are_the_text(trained: tfaigc.CausalLM) -> None:
    prompt, settings = ["the fine plot"], {"max_new_tokens": 10}
    [whole] = trained.generate(prompt, **settings)
    pieces = list(trained.generate(prompt, stream=True, **settings))
    assert "".join(pieces) == whole
    assert len(pieces) > 1
    stop = whole[1:3]
    [stopped] = trained.generate(prompt, stop_strings=stop, **settings)
    assert stop in stopped
    assert whole.startswith(stopped)
    assert len(stopped) < len(whole)


def test_samples_depend_on_the_seed(trained: tfaigc.CausalLM) -> None:
    settings = {"do_sample": True, "temperature": 3.0, "max_new_tokens": 8}
    draw = [
        trained.generate(["the"], num_return_sequences=4, seed=seed, **settings)[0]
        for seed in (1, 1, 2)
    ]
    assert draw[0] == draw[1] != draw[2]
    assert len(set(draw[0])) > 1


def test_responses_alone_are_learnt(checkpoint: Path) -> None:
    model = tfaigc.CausalLM.from_pretrained(checkpoint)
    for records, learnt in (
        (RESPONSES, "yes, it does.</s>"),
        (CHATS, "yes</s>\nyes, really</s>\n"),
    ):
        inputs, targets = next(iter(model.dataset(records, batch_size=4)))
        for ids, row in zip(inputs["token_ids"].numpy(), targets.numpy(), strict=True):
            told = model.tokenizer._rust.decode(row[row >= 0].tolist(), skip_special_tokens=False)
            assert told == learnt
            places = np.nonzero(row >= 0)[0]
            np.testing.assert_array_equal(ids[places + 1], row[places])
    inputs, targets = next(iter(model.dataset(["the film " * 40], batch_size=8)))
    assert inputs["token_ids"].shape[0] > 1
    assert (targets.numpy() >= 0).sum() == inputs["padding_mask"].numpy().sum() - len(targets)
    assert 2 in targets.numpy()


def test_the_export_writes_as_the_model(trained: tfaigc.CausalLM, tmp_path: Path) -> None:
    version = trained.export(tmp_path / "served", max_new_tokens=6, repetition_penalty=1.2)
    prompts = ["the good", "the dull story ends", "日本", "the bad"]
    expected = trained.generate(prompts, max_new_tokens=6, repetition_penalty=1.2)
    asked = ask(version, {"text": [*prompts, "", "the film " * 99 + "the bad"]})["response"]
    assert asked[:4] == expected
    # An empty prompt begins as texts do; of a long one the end is read.
    last = trained.tokenizer.encode(["the film " * 99 + "the bad"])[0][-58:]
    ends = trained.generator.generate(
        [[1], last], trained.generation.changed({"repetition_penalty": 1.2}), batch_size=1, room=6
    )
    assert asked[4:] == [trained.generator.text(rows[0]) for rows in ends]


def test_the_export_is_told_how_to_write(trained: tfaigc.CausalLM, tmp_path: Path) -> None:
    usual = {"do_sample": True, "temperature": 2.0, "top_k": 9, "seed": 5}
    version = trained.export(tmp_path / "served", max_new_tokens=6, **usual)
    prompts = ["the good", "the dull story ends"]
    numbers = {
        "temperature": np.float32([0.0, 0.7]),
        "top_k": [1, 0],
        "top_p": np.float32([0.2, 0.9]),
        "min_p": np.float32([0.0, 0.1]),
        "max_new_tokens": [6, 4],
        "seed": [1, 2],
    }
    told = [{}, {"seed": [6]}, {"seed": [7]}, numbers]
    questions = [("serving_default", {"text": prompts})]
    questions += [("generate", {"text": prompts, **each}) for each in told]
    answers = [answer["response"].tolist() for answer in run_questions(version, questions)]

    def generate(prompt: str, **settings: Any) -> bytes:
        [text] = trained.generate([prompt], **{"max_new_tokens": 6, **usual, **settings})
        return text.encode()

    # A text is up to its own seed, not to what stands beside it; what is not said is as usual.
    assert answers[0] == answers[1] == [generate(prompt) for prompt in prompts]
    assert len({tuple(answer) for answer in answers[1:4]}) > 1
    own = {name: values[1] for name, values in numbers.items()}
    assert answers[4] == [generate(prompts[0], do_sample=False), generate(prompts[1], **own)]


def test_the_checkpoints_settings_are_honoured(checkpoint: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    stored = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "eos_token_id": [2, 4]}
    (copy / "generation_config.json").write_text(json.dumps(stored))
    model = tfaigc.CausalLM.from_pretrained(copy)
    assert model.generation.do_sample
    assert model.generation.eos_token_ids == (2, 4)
    model.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "generation_config.json").read_text()) == stored
    (copy / "generation_config.json").write_text(json.dumps({"guidance_scale": 2.0}))
    with pytest.raises(ConfigError, match=r"guidance_scale .* cannot be honoured. Received: 2.0"):
        tfaigc.CausalLM.from_pretrained(copy).generate(["the"])


@pytest.mark.parametrize(
    ("prompts", "settings", "error", "message"),
    [
        ("the", {}, DataError, "must be a list of strings .* Pass"),
        ([3], {}, DataError, r"prompts\[0\] must be a string, or a list of messages"),
        (["the"], {"top_q": 1}, ConfigError, "top_q=1. Did you mean 'top_"),
        (["the"], {"temperature": 0.0}, ConfigError, "temperature must be above 0"),
        (["the"], {"max_new_tokens": 64}, ConfigError, "at most 64 tokens .*max_new_tokens=64"),
        (["the"], {"num_return_sequences": 2}, ConfigError, "at most num_beams, 1"),
        (["a", "b"], {"stream": True}, DataError, "A stream is of one text. Received: 2"),
    ],
)
def test_what_cannot_be_written_is_refused(
    checkpoint: Path, prompts: Any, settings: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        tfaigc.CausalLM.from_pretrained(checkpoint).generate(prompts, **settings)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"messages": []}, r"records\[0\]: messages must be a list of messages"),
        ({"messages": [{"role": "assistant", "content": None}]}, "each with role and content"),
        ({"messages": [{"role": "user", "content": "a"}]}, "a message of the assistant.*: user"),
        ({"prompt": "a", "response": ""}, "response is empty"),
        ({"prompt": "the film " * 60, "response": "yes"}, "response begins behind the first 64"),
        ({"prompt": "a"}, "'response'"),
    ],
)
def test_records_without_responses_are_refused(
    checkpoint: Path, record: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        tfaigc.CausalLM.from_pretrained(checkpoint).dataset([record])
