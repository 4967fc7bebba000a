"""Run directories: what is refused, what goes on, what is replaced."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from killing import kills

from tfaigc.errors import RecipeError, TrainingError
from tfaigc.recipe import Recipe, load_recipe, make_recipe
from tfaigc.workflows.run_directory import RunDirectory, State


def recipe_for(path: Path, **settings: object) -> Recipe:
    base = {"model_name_or_path": "model", "train_data": "a.csv", "output_dir": str(path)}
    return make_recipe({**base, **settings})


def refusal(recipe: Recipe) -> str:
    with pytest.raises(RecipeError) as raised:
        RunDirectory(recipe).check()
    return str(raised.value)


def interrupt(recipe: Recipe) -> None:
    """Leaves a directory as a run does that was interrupted."""
    directory = RunDirectory(recipe)
    with directory.open(directory.check()) as path:
        (path / "checkpoints" / "step-00000001").mkdir(parents=True)


@pytest.mark.parametrize("make", [False, True])
def test_a_new_or_empty_directory_is_taken(tmp_path: Path, make: bool) -> None:
    path = tmp_path / "runs" / "a"
    if make:
        path.mkdir(parents=True)
    directory = RunDirectory(recipe_for(path))
    assert directory.check() is State.NEW
    assert path.exists() is make
    with directory.open(State.NEW):
        assert load_recipe(path / "recipe.yaml") == directory.recipe
    directory.finish()
    assert [each.name for each in path.iterdir()] == ["recipe.yaml"]


def test_other_files_are_refused_with_the_next_moves(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    message = refusal(recipe_for(tmp_path))
    assert f"{str(tmp_path)!r}, which holds notes.txt." in message
    assert f"output_dir={tmp_path}-2" in message
    assert "overwrite_output_dir=true" in message
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_a_finished_run_is_refused_and_replaced_on_request(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path)
    interrupt(recipe)
    (tmp_path / "metrics.json").write_text("{}")
    assert RunDirectory(recipe).check() is State.INTERRUPTED
    RunDirectory(recipe).finish()
    for name in ("metrics.json", "report.md", "notes.txt"):
        (tmp_path / name).write_text("{}")
    assert "which holds a finished run." in refusal(recipe)
    again = RunDirectory(dataclasses.replace(recipe, overwrite_output_dir=True))
    assert again.check() is State.REPLACED
    with again.open(State.REPLACED):
        assert sorted(each.name for each in tmp_path.iterdir()) == [
            *(".data-fingerprint", ".lock", "notes.txt", "recipe.yaml")
        ]


def test_an_interrupted_run_of_the_same_recipe_goes_on(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, labels=["a", "b"], max_grad_norm=None)
    interrupt(recipe)
    directory = RunDirectory(recipe)
    assert directory.check() is State.INTERRUPTED
    with directory.open(State.INTERRUPTED):
        assert directory.has_checkpoints()


def test_an_interrupted_run_does_not_go_on_with_other_data(tmp_path: Path) -> None:
    directory = RunDirectory(recipe_for(tmp_path))
    with directory.open(State.NEW, "before"):
        (tmp_path / "checkpoints" / "step-00000001").mkdir(parents=True)
    with pytest.raises(TrainingError, match="Received: other rows than those"):
        directory.open(State.INTERRUPTED, "after").__enter__()
    with directory.open(State.INTERRUPTED, "before"):
        pass
    directory.finish()
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.yaml"]


def test_where_a_run_exports_to_may_change(tmp_path: Path) -> None:
    interrupt(recipe_for(tmp_path))
    changed = recipe_for(tmp_path, export_dir=str(tmp_path / "exports"))
    assert RunDirectory(changed).check() is State.INTERRUPTED


def test_an_interrupted_run_of_another_recipe_is_refused(tmp_path: Path) -> None:
    interrupt(recipe_for(tmp_path, learning_rate=3e-5))
    message = refusal(recipe_for(tmp_path, learning_rate=2e-5))
    assert "an interrupted run of another: learning_rate was 3e-05, is 2e-05." in message
    assert f"tfaigc train {tmp_path / 'recipe.yaml'}" in message
    fresh = recipe_for(tmp_path, learning_rate=2e-5, overwrite_output_dir=True)
    assert RunDirectory(fresh).check() is State.REPLACED


def test_changes_pass_when_they_are_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = RunDirectory(recipe_for(tmp_path, learning_rate=3e-5))
    with first.open(State.NEW, "before"):
        (tmp_path / "checkpoints" / "step-00000001").mkdir(parents=True)
    changed = RunDirectory(recipe_for(tmp_path, learning_rate=2e-5, resume_changed=True))
    assert changed.check() is State.INTERRUPTED
    with changed.open(State.INTERRUPTED, "after"):
        pass
    assert "learning_rate was 3e-05, is 2e-05" in caplog.text
    assert "The run goes on with other data." in caplog.text
    same = recipe_for(tmp_path, learning_rate=2e-5)
    assert RunDirectory(same).check() is State.INTERRUPTED


def test_a_run_that_replaced_another_goes_on_by_the_same_command(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, overwrite_output_dir=True)
    (tmp_path / "notes.txt").write_text("mine")
    interrupt(recipe)
    assert RunDirectory(recipe).check() is State.INTERRUPTED
    assert RunDirectory(recipe_for(tmp_path)).check() is State.INTERRUPTED


def test_a_kill_at_any_change_leaves_a_directory_that_the_same_command_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    recipe = recipe_for(run)

    def train() -> None:
        directory = RunDirectory(recipe)
        with directory.open(directory.check(), "data") as path:
            (path / "checkpoints" / "step-00000001").mkdir(parents=True, exist_ok=True)
            (path / "metrics.json").write_text("{}")
            directory.finish()

    for killed in kills(train, tmp_path, monkeypatch):
        if not killed:
            assert "which holds a finished run." in refusal(recipe)
        elif (run / "metrics.json").exists() and not (run / "checkpoints").exists():
            # It came to its end but for leftovers, which are in nobody's way.
            assert "which holds a finished run." in refusal(recipe)
        else:
            train()
        shutil.rmtree(run, ignore_errors=True)


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = refusal(recipe_for(tmp_path / "file" / "run"))
    assert f"but {str(tmp_path / 'file')!r} is a file." in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "output_dir must be writable" in refusal(recipe_for(tmp_path / "run"))


def test_two_processes_do_not_share_a_directory(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path)
    with (
        RunDirectory(recipe).open(State.NEW),
        pytest.raises(TrainingError, match="where another one trains"),
        RunDirectory(recipe).open(State.INTERRUPTED),
    ):
        raise AssertionError("the second process got in")


def test_the_lock_of_a_killed_process_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("")
    assert RunDirectory(recipe_for(tmp_path)).check() is State.NEW
