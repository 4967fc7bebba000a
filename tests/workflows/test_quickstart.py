"""``tfaigc quickstart``: on a tiny model, and the real one where there is a package index."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from readme import blocks, outline

from tfaigc.data import Table
from tfaigc.recipe import load_recipe
from tfaigc.workflows import quickstart as module
from tfaigc.workflows import splits

Verb = Callable[..., Result]
EXAMPLE = Path(__file__).parents[2] / "examples" / "sentiment.yaml"


@pytest.fixture
def _small(
    tiny_bert: Path,
    reviews: list[dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "MODEL", str(tiny_bert))
    table = Table(
        [dict(each) for each in reviews], "movie_reviews", range(48), columns=("text", "label")
    )
    monkeypatch.setitem(splits.BUILT_IN, "movie_reviews", lambda: table)


@pytest.mark.slow
@pytest.mark.usefixtures("_small")
def test_it_trains_exports_asks_and_may_be_run_again(
    tfaigc: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tfaigc("quickstart")
    assert first.exit_code == 0, first.output
    assert Path("runs/quickstart/report.md").is_file()
    assert Path("savedmodels/quickstart/1/saved_model.pb").is_file()
    for sentence in module.SENTENCES:
        assert sentence in first.stdout
    assert first.stdout.rstrip().endswith(
        "tfaigc predict savedmodels/quickstart 'Now a sentence of your own.'"
    )
    [printed] = [block.text for block in blocks("text") if block.text.startswith("data ")]
    assert outline(first.output) == outline(printed)
    # The export itself is tested above and elsewhere, and takes most of the time.
    monkeypatch.setattr(
        "tfaigc.tasks.TextClassifier.export", lambda _, directory, **__: Path(directory)
    )
    second = tfaigc("quickstart", "--epochs", "1")
    assert second.exit_code == 0, second.output
    assert "where an earlier run is replaced" in second.stdout
    assert load_recipe("runs/quickstart/recipe.yaml").num_train_epochs == 1


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("name", ["notes.txt", "recipe.yaml"])
def test_it_replaces_nothing_but_itself(tfaigc: Verb, name: str) -> None:
    place = Path("mine") / name
    place.parent.mkdir()
    place.write_text("model_name_or_path: m\ntrain_data: a.csv\noutput_dir: mine\n")
    result = tfaigc("quickstart", "--output-dir", "mine")
    assert result.exit_code == 2
    assert "must be new, empty, or an earlier quickstart's" in result.stderr
    assert [each.name for each in Path("mine").iterdir()] == [name]


def test_the_example_recipe_is_that_of_quickstart() -> None:
    own = {"output_dir", "export_dir", "overwrite_output_dir", "model_name_or_path", "labels"}
    ours, example = module.quickstart_recipe(), load_recipe(EXAMPLE)
    for field in dataclasses.fields(ours):
        if field.name not in own:
            assert getattr(ours, field.name) == getattr(example, field.name), field.name
    assert ours.model_name_or_path.partition("#")[0] == example.model_name_or_path.partition("#")[0]


@pytest.mark.network
@pytest.mark.slow
def test_the_real_one_reaches_its_accuracy(
    tfaigc: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    # 0.85 is promised for both epochs over all reviews, which take as long as many other tests.
    is_whole = request.config.getoption("--whole-quickstart")
    part = [] if is_whole else ["--epochs", 1, "--max-train-samples", 2500]
    result = tfaigc("quickstart", *part)
    assert result.exit_code == 0, result.output
    metrics = json.loads(Path("runs/quickstart/metrics.json").read_text())
    assert metrics["accuracy"] >= (0.85 if is_whole else 0.78)
    assert Path("savedmodels/quickstart/1/saved_model.pb").is_file()
