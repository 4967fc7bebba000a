"""Recipes of language models: train, evaluate, predict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tiny_decoder import TEXTS, write_tiny_decoder
from tiny_seq2seq import PAIRS

from tfaigc.workflows.kinds import (
    MASKED_TOKENS,
    NEXT_TOKENS,
    TEXTS_FOR_TEXTS,
    TaskKind,
    kind_of_model,
)

CHATS = [
    {"talk": [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]}
    for text in TEXTS
]
ROWS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], TaskKind]] = {
    "masked-lm": (
        [{"body": text} for text in TEXTS],
        {"text_column": "body", "mask_unit": "spans", "mlm_probability": 0.5},
        MASKED_TOKENS,
    ),
    "causal-lm": (CHATS, {"messages_column": "talk"}, NEXT_TOKENS),
    "seq2seq-lm": (
        [{"english": pair["source"], "target": pair["target"]} for pair in PAIRS],
        {
            "model_type": "t5",
            "config_overrides": "[d_model=16, d_kv=8, num_heads=2, d_ff=16, num_layers=1]",
            "vocabulary_size": 80,
            "source_column": "english",
            "source_prefix": '"say: "',
            "max_target_length": 12,
            "label_smoothing_factor": 0.1,
        },
        TEXTS_FOR_TEXTS,
    ),
}


@pytest.mark.parametrize("task", ROWS)
def test_a_language_model_from_recipe_to_answer(
    task: str,
    tfaigc: Callable[..., Result],
    write_recipe: Callable[..., Path],
    tiny_bert: Path,
    tmp_path: Path,
) -> None:
    records, settings, kind = ROWS[task]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(record) + "\n" for record in records))
    checkpoint = tiny_bert if kind is MASKED_TOKENS else None
    if kind is NEXT_TOKENS:
        checkpoint = write_tiny_decoder(tmp_path)
    recipe = write_recipe(
        tmp_path / "recipe.yaml",
        task=task,
        train_data=data,
        output_dir=tmp_path / "run",
        validation_fraction=0.25,
        test_fraction=0.25,
        num_train_epochs=1,
        **({"model_name_or_path": checkpoint} if checkpoint else {}),
        **settings,
    )
    result = tfaigc("train", recipe)
    assert result.exit_code == 0, result.output
    assert "perplexity" in result.output
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics.keys() >= {"loss", "perplexity", "accuracy", "top_5_accuracy"}
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is kind
    if kind is MASKED_TOKENS:
        answer = json.loads(tfaigc("predict", model, "a [MASK] film").stdout)
        assert answer.keys() == {"text", "sequence", "masks"}
        refused = tfaigc("generate", model, "a film")
        assert refused.exit_code == 2
        assert "generate needs a model that writes" in refused.output
        return
    written = tfaigc("generate", model, "the good", "the bad", "--max-new-tokens", 3)
    lines = [json.loads(line) for line in written.stdout.splitlines()]
    assert [line["prompt"] for line in lines] == ["the good", "the bad"]
    output = "target" if kind is TEXTS_FOR_TEXTS else "response"
    assert all(line.keys() == {"prompt", output} for line in lines)
    if kind is TEXTS_FOR_TEXTS:
        measured = tfaigc("evaluate", model, data, "--source-column", "english")
        assert "data.jsonl: BLEU" in measured.output, measured.output
        data.write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS[:2]))
        asked = tfaigc("predict", model, "--input", data).stdout.splitlines()
        assert [json.loads(line)["text"] for line in asked] == [p["source"] for p in PAIRS[:2]]
