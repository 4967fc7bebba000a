"""Recipes: one reading of every value, and all faults of a file at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tfaigc.errors import RecipeError
from tfaigc.recipe import Recipe, load_recipe, make_recipe, recipe_text
from tfaigc.recipe.other_names import OTHER_NAMES
from tfaigc.recipe.schema import headings, keys

MINIMAL = {"model_name_or_path": "model", "train_data": "a.csv", "output_dir": "runs/a"}


def write(directory: Path, *lines: str) -> Path:
    path = directory / "recipe.yaml"
    text = [f"{key}: {value}" for key, value in MINIMAL.items()]
    path.write_text("\n".join([*text, *lines]) + "\n", encoding="utf-8")
    return path


def faults(path: Path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as raised:
        load_recipe(path, overrides)
    return str(raised.value)


def test_values_are_read_as_people_mean_them(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "learning_rate: 3e-5",
        "labels: [no, yes, 0, true, 1.50]",
        "num_train_epochs: 3.0",
        "text_column: 12",
        "max_grad_norm: null",
        "max_length: ~",
    )
    recipe = load_recipe(path)
    assert recipe.learning_rate == 3e-5
    assert recipe.labels == ("no", "yes", "0", "true", "1.50")
    assert recipe.num_train_epochs == 3
    assert isinstance(recipe.num_train_epochs, int)
    assert recipe.text_column == "12"
    assert recipe.max_grad_norm is None
    assert recipe.max_length is None


def test_defaults_are_the_documented_ones() -> None:
    recipe = make_recipe(MINIMAL)
    assert (recipe.learning_rate, recipe.weight_decay, recipe.warmup_steps) == (5e-5, 0.01, 0.1)
    assert (recipe.num_train_epochs, recipe.batch_size, recipe.max_grad_norm) == (3, 32, 1.0)
    assert (recipe.validation_fraction, recipe.test_fraction) == (0.1, 0.1)


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_recipe(MINIMAL).seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("override", "key", "expected"),
    [
        ("learning_rate=3e-5", "learning_rate", 3e-5),
        ("training.learning_rate=3e-5", "learning_rate", 3e-5),
        ("Training.batch_size=8", "batch_size", 8),
        ("--seed=4", "seed", 4),
        ("labels=[a, b]", "labels", ("a", "b")),
        ("report_to=mlflow", "report_to", ("mlflow",)),
        ("report_to=[]", "report_to", ()),
        ("text_column=Review: text", "text_column", "Review: text"),
        ("text_column=@text", "text_column", "@text"),
        ("train_data=my reviews=2.csv", "train_data", "my reviews=2.csv"),
        ("max_length=", "max_length", None),
        ("batch_tokens=4096", "batch_tokens", 4096),
        ("freeze_layers=all", "freeze_layers", "all"),
        ("freeze_layers=6", "freeze_layers", 6),
        (
            "model_name_or_path=pypi://a==1/b#sha256=00",
            "model_name_or_path",
            "pypi://a==1/b#sha256=00",
        ),
    ],
)
def test_overrides_win(tmp_path: Path, override: str, key: str, expected: object) -> None:
    assert getattr(load_recipe(write(tmp_path, "batch_size: 64"), [override]), key) == expected


def test_the_last_of_two_overrides_wins(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path), ["seed=1", "seed=2"]).seed == 2


def test_an_override_replaces_the_alternative_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "validation_fraction: 0.2")
    recipe = load_recipe(path, ["validation_data=valid.csv"])
    assert recipe.validation_data == "valid.csv"


def test_all_faults_are_reported_at_once_with_line_key_and_nearest_name(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "learing_rate: 3e-5",  # line 4
        "epochs: 3",
        "batch_size: lots",
        "precision: bfloat",
        "seed: 1",
        "seed: 2",  # line 9
        "training:",
        "  max_length: 12",
        "labels: [only]",
        "zzz: 1",
    )
    message = faults(path, "weight_decay=2", "model.seed=1", "nonsense", "warmup=0.1")
    lines = message.splitlines()
    assert lines[0] == f"{path} has 12 faults:"
    for expected in (
        "line 4, learing_rate: there is no such key. Did you mean 'learning_rate'?",
        "line 5, epochs: there is no such key; here it is called 'num_train_epochs'.",
        "line 6, batch_size: must be a whole number from 1 up. Received: 'lots'.",
        "Received: 'bfloat'. Did you mean 'bfloat16'?",
        "line 9, seed: stands twice, first in line 8. Keep one of the two.",
        "line 10, training: a recipe is flat",
        "line 12, labels: must be a list of two or more different names, or null. "
        "Received: ['only'].",
        "line 13, zzz: there is no such key. The keys are: model_name_or_path, ",
        "override 'weight_decay=2', weight_decay: must be a number from 0 to 1. Received: 2.",
        "override 'model.seed=1': seed stands under 'training', not 'model'.",
        "override 'nonsense': must have the form key=value",
        "override 'warmup=0.1', warmup: there is no such key; here it is called 'warmup_steps'.",
    ):
        assert expected in message
    numbers = [int(line.split(",")[0].split()[1]) for line in lines[1:9]]
    assert numbers == sorted(numbers)


def test_required_keys_are_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing yet\n")
    message = faults(path)
    for key in MINIMAL:
        assert f"{key}: is missing. Add it: " in message


@pytest.mark.parametrize(
    ("setting", "fragment"),
    [
        ("num_train_epochs: 0", "a whole number from 1 up. Received: 0"),
        ("num_train_epochs: 1.5", "a whole number from 1 up. Received: 1.5"),
        ("freeze_layers: some", "a whole number from 0 up, or 'all', or null. Received: 'some'"),
        ("num_train_epochs: true", "a whole number from 1 up. Received: True"),
        ("learning_rate: .nan", "a number above 0 to 1. Received: nan"),
        ("learning_rate: -1", "Received: -1"),
        ("learning_rate: !!float much", "Received: 'much'"),
        ("learning_rate:", "Received: nothing"),
        ("learning_rate: 3e-5x", "Received: '3e-5x'"),
        ("warmup_steps: 1.5", "a share of all steps below 1. Received: 1.5"),
        ("report_to: [mlfow]", "Received: ['mlfow']. Did you mean 'mlflow'?"),
        ("max_grad_norm: .inf", "a number above 0, or null. Received: inf"),
        ("overwrite_output_dir: yes", "true or false. Received: 'yes'"),
        ("task: translation", ". Received: 'translation'."),
        ("lr_scheduler_type: cosin", "Did you mean 'cosine'?"),
        ("labels: negative", "Write it as [negative, positive]."),
        ("labels: [a, a]", "two or more different names"),
        ("labels: [a, [b]]", "a recipe is flat"),
        ("text_column: ''", "some text. Received: nothing"),
    ],
)
def test_wrong_values(tmp_path: Path, setting: str, fragment: str) -> None:
    message = faults(write(tmp_path, setting))
    assert "line 4, " in message
    assert fragment in message


def test_keys_that_conflict(tmp_path: Path) -> None:
    path = write(tmp_path, "test_data: t.csv", "test_fraction: 0.1")
    message = faults(path, "validation_fraction=0.95", "export_dir=runs/a")
    assert "test_data, test_fraction: both are given" in message
    assert "export_dir: must differ from output_dir" in message
    path = write(tmp_path, "batch_size: 8", "batch_tokens: 64", "cache_features: true")
    message = faults(path, "packed=true")
    for fragment in (
        "batch_tokens, batch_size: both are given",
        "cache_features: needs freeze_layers: all",
        "cache_features, packed: features have no rows",
    ):
        assert fragment in message
    two_thirds = faults(write(tmp_path), "validation_fraction=0.5", "test_fraction=0.5")
    assert "together they must be below 1. Received: 1." in two_thirds


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    good = write(tmp_path)
    assert "does not exist. Did you mean 'recipe.yaml'?" in faults(tmp_path / "recip.yaml")
    assert "which is a directory. Name the file in it." in faults(tmp_path)
    good.write_bytes(b"model_name_or_path: a\ntrain_data: \xff\xfe\n")
    assert "line 2, with the byte 0xff. Save the file as UTF-8." in faults(good)
    good.write_text("a: b\nc: [1, 2\nd: 3\n")
    assert "line 3: " in faults(good)
    good.write_text("- a\n- b\n")
    assert "line 1: a recipe must hold lines of the form" in faults(good)
    good.write_text("seed: !!python/object/apply:os.system ['true']\n")
    assert "seed: must be a whole number" in faults(good)


def test_the_text_of_a_recipe_reads_back_equal(tmp_path: Path) -> None:
    recipe = make_recipe(
        {
            **MINIMAL,
            "labels": ["yes", "no", "1e5", "a # b", "ü: x", "null"],
            "learning_rate": 3e-5,
            "warmup_steps": 7,
            "validation_data": "b c.csv",
            "text_column": "'quoted'",
        }
    )
    path = tmp_path / "as_run.yaml"
    text = recipe_text(recipe, "As run.")
    path.write_text(text, encoding="utf-8")
    assert load_recipe(path) == recipe
    assert [line[2:] for line in text.splitlines() if line.startswith("# ")][1:] == headings()


def test_other_names_lead_to_keys_and_never_shadow_one() -> None:
    assert set(OTHER_NAMES.values()) <= keys().keys()
    assert not OTHER_NAMES.keys() & keys().keys()
    assert {each.name for each in dataclasses.fields(Recipe)} == keys().keys()
