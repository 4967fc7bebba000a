"""Intervals and tests from examples' scores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tfaigc.cli import cli
from tfaigc.evaluation import Report, classification_report
from tfaigc.evaluation.example_scores import ExampleScores, p_value


def flips(count: int, share: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(count) < share).astype(float)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        low, high = ExampleScores("accuracy", flips(150, 0.7, seed), np.ones(150)).interval()
        covered += low <= 0.7 <= high
    assert 88 <= covered <= 99


def test_a_permutation_test_has_its_level_and_its_power() -> None:
    ones = np.ones(120)
    levels = []
    for seed in range(60):
        one, other = (
            ExampleScores("accuracy", flips(120, 0.7, 2 * seed + each), ones) for each in (0, 1)
        )
        levels.append(p_value(one, other))
    assert np.mean(np.array(levels) < 0.1) < 0.25
    base = flips(120, 0.6, 7)
    better = np.maximum(base, flips(120, 0.4, 8))
    assert p_value(*(ExampleScores("accuracy", each, ones) for each in (base, better))) < 0.01


@pytest.mark.parametrize(("scale", "value"), [("root", 1.5), ("exponential", np.exp(2.25))])
def test_scales(scale: str, value: float) -> None:
    scores = ExampleScores("error", np.array([1.0, 8.0]), np.array([1.0, 3.0]), scale)
    assert scores.value == pytest.approx(value)
    again = ExampleScores.from_json(json.loads(json.dumps(scores.to_json())))
    assert again.value == pytest.approx(value)


def report(right: int, texts: int = 40) -> Report:
    references = np.arange(texts) % 2
    taken = np.where(np.arange(texts) < right, references, 1 - references)
    return classification_report(
        class_names=["a", "b"],
        references=references,
        probabilities=np.eye(2)[taken],
        texts=[f"text {each}" for each in range(texts)],
    )


def test_runs_are_compared(tmp_path: Path) -> None:
    for name, each in {"a": report(20), "b": report(38), "other": report(20, texts=42)}.items():
        each.save(tmp_path / name)

    def compare(*names: str) -> tuple[int, str]:
        places = [str(tmp_path / name) for name in names]
        done = CliRunner().invoke(cli, ["evaluate", "--compare", *places])
        return done.exit_code, done.output

    status, out = compare("a", "b")
    assert status == 0, out
    assert "accuracy 0.5000 0.9500 +0.4500" in " ".join(out.split())
    assert f"{tmp_path / 'b'} is better" in out
    assert "may be chance" in compare("a", "a")[1]
    status, out = compare("a", "other")
    assert status == 2
    assert "on the same examples" in out
    assert "must hold a report" in compare("a", "missing")[1]


def test_the_main_metric_has_bounds() -> None:
    made = Report("Results", {"f1": 0.5}, examples=ExampleScores("f1", np.ones(4), np.full(4, 2)))
    assert made.metrics == {"f1": 0.5, "f1_low": 0.5, "f1_high": 0.5}
    assert "f1_low and f1_high bound f1" in made.to_markdown()
