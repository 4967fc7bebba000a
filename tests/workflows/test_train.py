"""``tfaigc train`` from a recipe to a report, a model and an export; interrupted and resumed."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from click.testing import Result

from tfaigc.recipe import load_recipe
from tfaigc.training.precision import resolve_precision

Verb = Callable[..., Result]


def test_a_run_leaves_what_it_promises(run: Any) -> None:
    metrics = json.loads((run.directory / "metrics.json").read_text())
    assert 0 <= metrics["accuracy"] <= 1
    assert metrics.keys() >= {"macro_f1", "accuracy"}
    report = (run.directory / "report.md").read_text()
    for word in ("precision", "recall", "F1", "negative", "positive", "confusion_matrix.png"):
        assert word in report
    for name in ("confusion_matrix.png", "learning_curves.png"):
        assert (run.directory / name).read_bytes().startswith(b"\x89PNG")
    events = [
        json.loads(line) for line in (run.directory / "history.jsonl").read_text().splitlines()
    ]
    assert [each["epoch"] for each in events if each["event"] == "epoch"] == [1, 2]
    assert list((run.directory / "tensorboard").rglob("events.*"))
    assert not list(run.directory.glob(".*"))
    assert not (run.directory / "checkpoints").exists()
    assert (run.export / "1" / "saved_model.pb").is_file()


def test_the_recipe_as_run_is_the_recipe(run: Any) -> None:
    assert load_recipe(run.directory / "recipe.yaml") == load_recipe(run.recipe)


def test_what_is_printed(run: Any) -> None:
    out = run.result.stdout
    for line in (
        "48 rows",
        "classes      negative 24, positive 24",
        "splits       train 38, validation 6, test 4",
        "tokens       half of the examples up to 7, 95 % up to 7, the longest 7",
        f"precision    {resolve_precision('auto').reason}",
        f"tfaigc predict {run.directory / 'model'} 'A gorgeous film.'",
    ):
        assert line in out
    assert "test split: accuracy" in out


def test_transformers_loads_the_model(run: Any) -> None:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(run.directory / "model")
    assert model.config.id2label == {0: "negative", 1: "positive"}


def test_a_finished_run_is_not_touched(run: Any, tfaigc: Verb) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.directory.rglob("*")}
    result = tfaigc("train", run.recipe)
    assert result.exit_code == 2
    assert "which holds a finished run." in result.stderr
    assert before == {path: path.stat().st_mtime_ns for path in run.directory.rglob("*")}


def test_the_export_answers_as_the_model_does(run: Any, tfaigc: Verb) -> None:
    texts = ["this film is very gorgeous", "Ünknown wörds…"]
    model = tfaigc("predict", run.directory / "model", *texts)
    export = tfaigc("predict", run.export, *texts)
    pairs = zip(model.stdout.splitlines(), export.stdout.splitlines(), strict=True)
    for ours, theirs in ((json.loads(a), json.loads(b)) for a, b in pairs):
        assert ours["text"] == theirs["text"]
        assert ours["label"] == theirs["label"]
        assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-5)


def test_evaluate_reports_and_refuses_a_directory_in_use(
    run: Any, tfaigc: Verb, reviews_jsonl: Path, tmp_path: Path
) -> None:
    arguments = ["evaluate", run.directory / "model", reviews_jsonl, "--output-dir", tmp_path / "r"]
    result = tfaigc(*arguments)
    assert result.exit_code == 0, result.stderr
    metrics = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert f"reviews.jsonl: accuracy {metrics['accuracy']:.4f}" in result.stdout
    again = tfaigc(*arguments)
    assert again.exit_code == 2
    assert "output_dir must be a new or empty directory" in again.stderr


def test_evaluate_refuses_labels_that_the_model_lacks(
    run: Any, tfaigc: Verb, tmp_path: Path
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\nfine,positiv\n")
    result = tfaigc("evaluate", run.directory / "model", path)
    assert result.exit_code == 2
    assert "data.csv, line 2: label must be one of negative, positive." in result.stderr
    assert "Did you mean 'positive'?" in result.stderr


@pytest.mark.slow
def test_export_takes_the_next_number(run: Any, tfaigc: Verb, tmp_path: Path) -> None:
    result = tfaigc("export", run.directory / "model", run.export)
    assert result.exit_code == 0, result.stderr
    assert (run.export / "2" / "saved_model.pb").is_file()
    assert f"tfaigc predict {run.export} 'A gorgeous film.'" in result.stdout


def test_smaller_weights_are_measured_on_what_the_run_was(
    run: Any, tfaigc: Verb, tmp_path: Path
) -> None:
    model = run.directory / "model"
    result = tfaigc("export", model, tmp_path / "small", "--dtype", "int8")
    assert result.exit_code == 0, result.stderr
    [line] = re.findall(r"weights +(int8, .*)", result.stdout)
    metrics = json.loads((run.directory / "metrics.json").read_text())
    assert f"accuracy {metrics['accuracy']:.4f} → " in line
    assert line in (tmp_path / "small" / "1" / "model_card.md").read_text(encoding="utf-8")
    for options in (["--data", run.recipe], ["--format", "litert", "--dtype", "int8"]):
        refused = tfaigc("export", model, tmp_path / "other", *options)
        assert refused.exit_code == 2
        assert "--dtype" in refused.stderr


def test_export_refuses_a_directory_with_other_files(
    run: Any, tfaigc: Verb, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = tfaigc("export", run.directory / "model", tmp_path)
    assert refused.exit_code == 2
    assert "nothing but numbered versions" in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_info_describes_the_model_and_the_export(run: Any, tfaigc: Verb) -> None:
    model, export = tfaigc("info", run.directory / "model"), tfaigc("info", run.export)
    for result in (model, export):
        assert result.exit_code == 0
        assert "negative, positive" in result.stdout
    assert "serving_default: text → label, probabilities, score" in export.stdout


def _ctrl_c_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the next run get a SIGINT while it trains."""
    from tfaigc.training import callbacks as training_callbacks

    standard = training_callbacks.standard

    def interrupted(*arguments: Any, **settings: Any) -> list[keras.callbacks.Callback]:
        seen = [0]

        def count(batch: int, logs: Any) -> None:
            seen[0] += 1
            if seen[0] == steps:
                signal.raise_signal(signal.SIGINT)

        ctrl_c = keras.callbacks.LambdaCallback(on_train_batch_end=count)
        return [ctrl_c, *standard(*arguments, **settings)]

    monkeypatch.setattr(training_callbacks, "standard", interrupted)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3, 10])
def test_ctrl_c_saves_and_the_same_command_goes_on_to_equal_weights(
    run: Any, tfaigc: Verb, tmp_path: Path, steps: int
) -> None:
    command = ["train", run.recipe, f"output_dir={tmp_path / 'run'}", "export_dir=null"]
    with pytest.MonkeyPatch.context() as patch:
        _ctrl_c_after(steps, patch)
        stopped = tfaigc(*command)
    assert stopped.exit_code == 130, stopped.output
    assert "A checkpoint was saved" in stopped.stderr
    assert "Go on with: " in stopped.stderr
    assert "Traceback" not in stopped.output
    assert not (tmp_path / "run" / "metrics.json").exists()
    assert not (tmp_path / "run" / "model").exists()

    other = tfaigc(*command, "seed=5")
    assert other.exit_code == 2
    assert "an interrupted run of another: seed was 0, is 5." in other.stderr

    finished = tfaigc(*command)
    assert finished.exit_code == 0, finished.output
    assert "goes on from its last checkpoint" in finished.stdout
    weights = "model/model.safetensors"
    assert (tmp_path / "run" / weights).read_bytes() == (run.directory / weights).read_bytes()
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_ctrl_c_outside_of_training_says_how_to_go_on(
    run: Any, tfaigc: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["tfaigc", "train", "the same.yaml"])
    monkeypatch.setattr("sys.orig_argv", ["python", "/bin/tfaigc", "train", "the same.yaml"])

    def ctrl_c(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tfaigc.workflows.train._fit", ctrl_c)
    result = tfaigc("train", run.recipe, f"output_dir={tmp_path / 'run'}")
    assert result.exit_code == 130
    assert result.stderr.endswith("stopped: Go on with: tfaigc train 'the same.yaml'\n")


@pytest.mark.slow
def test_a_failure_after_training_goes_on_without_training_again(
    run: Any, tfaigc: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["train", run.recipe, f"output_dir={tmp_path / 'run'}", "export_dir=null"]
    with pytest.MonkeyPatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device", "model.safetensors")

        patch.setattr("tfaigc.tasks.TextClassifier.save_pretrained", full)
        failed = tfaigc(*command)
    assert failed.exit_code == 2
    assert "No space left on device: 'model.safetensors'. Free some space" in failed.stderr
    assert not list((tmp_path / "run").glob("model*"))
    finished = tfaigc(*command)
    assert finished.exit_code == 0, finished.output
    weights = "model/model.safetensors"
    assert (tmp_path / "run" / weights).read_bytes() == (run.directory / weights).read_bytes()
