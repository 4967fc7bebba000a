"""``tfaigc profile``: what it measures, prints and writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tfaigc.tasks import TextClassifier
from tfaigc.training.profiling import training_flops


@pytest.mark.slow
def test_figures_add_up_and_are_written_beside_the_run(
    tfaigc: Callable[..., Result], tmp_path: Path, tiny_bert: Path, reviews_csv: Path
) -> None:
    settings = {
        "model_name_or_path": tiny_bert,
        "train_data": reviews_csv,
        "output_dir": tmp_path / "run",
        "batch_size": 8,
    }
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    result = tfaigc("profile", recipe, "--steps", 3)
    assert result.exit_code == 0, result.output
    for name in ("step", "speed", "padding", "arithmetic", "memory"):
        assert f"\n{name} " in result.stdout
    assert not (tmp_path / "run").exists()

    directory = tmp_path / "run-profile"
    written = json.loads((directory / "profile.json").read_text())
    assert written["steps"] == 3
    assert 16 < written["examples"] <= 24
    figures = written["figures"]
    parts = [figures[f"{name}_ms"] for name in ("input_wait", "forward", "backward", "optimizer")]
    assert sum(parts) == pytest.approx(figures["step_ms"])
    assert all(part >= 0 for part in parts)
    assert 0 <= figures["padding_share"] < 1
    assert 0 < figures["model_flop_utilization"] < 1
    assert list(directory.rglob("*.xplane.pb"))


def test_the_operations_of_training_are_those_of_its_matrices_and_attention(
    tiny_bert: Path,
) -> None:
    model = TextClassifier.from_pretrained(tiny_bert, labels=["negative", "positive"])
    # Two blocks of four 32 by 32 and two 32 by 64 matrices; the pooler; two classes.
    weights = 2 * (4 * 32 * 32 + 2 * 32 * 64) + 32 * 32 + 32 * 2
    attention = 2 * (2 * 2 * 32 * 7**2)
    assert training_flops(model, tokens=7, pairs=49) == 3 * (2 * weights * 7 + attention)
