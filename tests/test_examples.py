"""The recipes in `examples/` are whole, and train on a part of their data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tfaigc.cli import cli
from tfaigc.recipe import load_recipe

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.yaml"))

# The sizes of networks that start from nothing.
TINY = {
    "digits": "[image_size=8, patch_size=4, num_channels=1, hidden_size=16, num_hidden_layers=1, "
    "num_attention_heads=2, intermediate_size=16]",
    "pretraining": "[hidden_size=16, num_hidden_layers=1, num_attention_heads=2]",
    "spans": "[d_model=16, d_kv=8, num_heads=2, d_ff=16, num_layers=1]",
    "pronouncer": "[d_model=16, d_kv=8, num_heads=2, d_ff=16, num_layers=1]",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_recipe_is_whole(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.output_dir.startswith("runs/")
    assert f"tfaigc train examples/{path.name}\n" in path.read_text(encoding="utf-8")


@pytest.mark.network
@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("answers", "exact_match"),
        ("choices", "accuracy"),
        ("digits", "accuracy"),
        ("embeddings", "accuracy_at_1"),
        ("entities", "f1"),
        ("masked_words", "perplexity"),
        ("pretraining", "perplexity"),
        ("pronouncer", "word_error_rate"),
        ("spans", "perplexity"),
    ],
)
def test_a_recipe_trains_on_a_part_of_its_data(
    name: str, metric: str, tiny_bert: Path, tmp_path: Path
) -> None:
    [path] = [each for each in EXAMPLES if each.stem == name]
    start = {"model_name_or_path": tiny_bert}
    if load_recipe(path).model_type is not None:
        start = {"config_overrides": TINY[name]}
        if name != "digits":
            start["vocabulary_size"] = 300
    settings = {
        **start,
        "output_dir": tmp_path / "run",
        "max_train_samples": 40,
        "num_train_epochs": 1,
    }
    overrides = [f"{key}={value}" for key, value in settings.items()]
    done = CliRunner().invoke(cli, ["train", str(path), *overrides])
    assert done.exit_code == 0, done.output
    assert metric in json.loads((tmp_path / "run" / "metrics.json").read_text())
