"""Every kind of bad input of a training run: one message, status 2, nothing written."""

from __future__ import annotations

import errno
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Verb = Callable[..., Result]


@pytest.fixture
def desk(
    tmp_path: Path, tiny_bert: Path, reviews_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A directory with a recipe, a model and data, all of them good."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_bert, "model")
    shutil.copy(reviews_csv, "reviews.csv")
    Path("recipe.yaml").write_text(
        "model_name_or_path: model\ntrain_data: reviews.csv\noutput_dir: runs/a\n"
        "export_dir: saved/a\nnum_train_epochs: 1\n"
    )
    return tmp_path


def refused(desk: Path, tfaigc: Verb, *overrides: str) -> str:
    """Trains, and checks that it ends as bad input must; gives the message."""
    before = sorted(desk.rglob("*"))
    result = tfaigc("train", "recipe.yaml", *overrides)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output
    assert "Next:" not in result.output
    assert sorted(desk.rglob("*")) == before
    return result.stderr


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        import os

        return os.system, ("touch executed",)


@pytest.mark.parametrize(
    ("overrides", "fragments"),
    [
        (["train_data=review.csv"], ["review.csv must be an existing file", "'reviews.csv'?"]),
        (["train_data=model"], ["model must be a file. Received: a directory."]),
        (["text_column=txt"], ["must have a column 'txt'", "Did you mean 'text'?"]),
        (["label_column=lable"], ["must have a column 'lable'", "Did you mean 'label'?"]),
        (["labels=[negative, positiv]"], ["reviews.csv, line 2: label must be one of"]),
        (["validation_data=v.csv"], ["v.csv must be an existing file"]),
        (["model_name_or_path=modell/"], ["modell"]),
        (["max_length=129"], ["max_length must be at most 128 for this checkpoint", "129"]),
        (["output_dir=reviews.csv"], ["output_dir must be a directory", "is a file"]),
        (["output_dir=model"], ["output_dir must be a new or empty directory", "config.json"]),
        (["export_dir=model"], ["nothing but numbered versions", "model"]),
        (["learing_rate=1", "seed=x"], ["2 faults", "'learning_rate'?", "a whole number from 0"]),
    ],
)
def test_settings(desk: Path, tfaigc: Verb, overrides: list[str], fragments: list[str]) -> None:
    message = refused(desk, tfaigc, *overrides)
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        (b"text,label\nfine,positive\n,negative\n", ["reviews.csv, line 3: text is empty."]),
        (b"text,label\nfine,positive\ndull,\n", ["reviews.csv, line 3: label is missing."]),
        (b"text,label\nfine,positive\nwarm,positive\n", ["at least two classes", "positive"]),
        (b"text,label\nfine,positive\nd\xffll,negative\n", ["reviews.csv, line 3", "UTF-8"]),
        (b"text,label\nfine,positive\na,b,negative\n", ["reviews.csv, line 3", "2 fields"]),
        (b'text,label\n"fine,positive\n', ["reviews.csv, line 2", "quote"]),
        (b"", ["must hold at least one record"]),
    ],
)
def test_data(desk: Path, tfaigc: Verb, content: bytes, fragments: list[str]) -> None:
    Path("reviews.csv").write_bytes(content)
    message = refused(desk, tfaigc)
    for fragment in fragments:
        assert fragment in message


def test_a_checkpoint_without_weights(desk: Path, tfaigc: Verb) -> None:
    Path("model/model.safetensors").unlink()
    message = refused(desk, tfaigc)
    assert "model must hold weights" in message
    assert "model.safetensors" in message


def test_a_truncated_checkpoint(desk: Path, tfaigc: Verb) -> None:
    path = Path("model/model.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    assert "model.safetensors" in refused(desk, tfaigc)


def test_a_pickle_with_code_is_never_executed(desk: Path, tfaigc: Verb) -> None:
    Path("model/model.safetensors").unlink()
    Path("model/pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    message = refused(desk, tfaigc)
    assert "system" in message
    assert "pytorch_model.bin" in message
    assert not Path("executed").exists()


def test_no_space_while_the_directory_is_made(
    desk: Path, tfaigc: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("tfaigc.workflows.run_directory.write_text", full)
    message = refused(desk, tfaigc)
    assert "No space left on device: 'runs/a/recipe.yaml'. Free some space" in message


def test_an_unreadable_recipe(desk: Path, tfaigc: Verb) -> None:
    result = tfaigc("train", "recip.yaml")
    assert result.exit_code == 2
    assert "Did you mean 'recipe.yaml'?" in result.stderr
