"""The directory of a run: who may write there, and what is there at which time.

A run writes ``recipe.yaml`` first, ``metrics.json`` near its end, and removes ``checkpoints`` last.
A directory with a recipe that has not come so far is an interrupted run, which the same recipe goes
on with.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfaigc.errors import RecipeError, TrainingError
from tfaigc.recipe import Recipe, load_recipe, recipe_text
from tfaigc.training.directory_lock import LOCK_FILE, DirectoryLock
from tfaigc.workflows.files import write_text

RECIPE = "recipe.yaml"
METRICS = "metrics.json"
HISTORY = "history.jsonl"
CHECKPOINTS = "checkpoints"
MODEL = "model"
TOKENIZER = "tokenizer"
_OLD_CHECKPOINTS = ".checkpoints-of-a-finished-run"
_FINGERPRINT = ".data-fingerprint"
_WRITTEN = (
    *(RECIPE, METRICS, HISTORY, "history.csv", "report.md", "predictions.jsonl", "tensorboard"),
    *("headline.json", "confusion_matrix.png", "learning_curves.png", "reliability.png"),
    *("scatter.png", "thresholds.png"),
    *(CHECKPOINTS, _OLD_CHECKPOINTS, _FINGERPRINT, MODEL, f"{MODEL}.partial", TOKENIZER),
)

_log = logging.getLogger(__name__)


class State(enum.Enum):
    """What a run directory is to a recipe."""

    NEW = "new"
    INTERRUPTED = "interrupted"
    REPLACED = "replaced"


class RunDirectory:
    """Where one recipe's run goes.

    Args:
        recipe: The recipe; its ``output_dir`` is the directory.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.path = Path(recipe.output_dir)

    def check(self) -> State:
        """Finds out whether the recipe may run here; changes nothing.

        Returns:
            What the directory is to the recipe.

        Raises:
            RecipeError: It is a file, cannot be written, or holds something else.
        """
        check_writable(self.path, "output_dir")
        if not self._names():
            return State.NEW
        finished = (self.path / METRICS).exists() and not (self.path / CHECKPOINTS).exists()
        earlier = recipe_of_run(self.path)
        if earlier is not None and not finished:
            changes = _differences(earlier, self.recipe)
            if not changes or self.recipe.resume_changed:
                return State.INTERRUPTED
        if self.recipe.overwrite_output_dir:
            return State.REPLACED
        raise RecipeError(self._refusal(finished, earlier))

    @contextlib.contextmanager
    def open(self, state: State, fingerprint: str = "") -> Iterator[Path]:
        """Makes the directory ready, and keeps other runs out of it meanwhile.

        Args:
            state: What `check` returned.
            fingerprint: Of the data, which a run that goes on must not have changed.

        Yields:
            The directory, with the recipe as run in it.

        Raises:
            TrainingError: Another process trains there, or has done so since `check`; or an
                interrupted run had other data.
        """
        with _made(self.path), _locked(self.path):
            if self.check() is not state:
                raise TrainingError(_taken(self.path))
            for leftover in self._leftovers():
                remove(leftover)
            if state is State.REPLACED:
                for name in _WRITTEN:
                    remove(self.path / name)
            if state is State.INTERRUPTED and self.has_checkpoints():
                self._tell_changes()
                self._check_data(fingerprint)
            opening = "The recipe as run. Run it again with: tfaigc train THIS_FILE output_dir=…"
            write_text(self.path / RECIPE, recipe_text(self.recipe, opening))
            write_text(self.path / _FINGERPRINT, fingerprint)
            yield self.path

    def finish(self) -> None:
        """Marks the run as finished: its checkpoints are of no more use."""
        checkpoints = self.path / CHECKPOINTS
        if checkpoints.exists():
            # A renaming is done or not; a removal may be interrupted.
            remove(self.path / _OLD_CHECKPOINTS)
            checkpoints.rename(self.path / _OLD_CHECKPOINTS)
        remove(self.path / _OLD_CHECKPOINTS)
        remove(self.path / _FINGERPRINT)
        remove(self.path / TOKENIZER)

    def has_checkpoints(self) -> bool:
        """Says whether there is a checkpoint to go on from."""
        directory = self.path / CHECKPOINTS
        return any(directory.glob("*step-*"))

    def _check_data(self, fingerprint: str) -> None:
        path = self.path / _FINGERPRINT
        if not path.exists() or path.read_text(encoding="utf-8") == fingerprint:
            return
        if not self.recipe.resume_changed:
            raise TrainingError(
                "A run must go on with the data that it began with. Received: other rows than "
                f"those of the interrupted run in {str(self.path)!r}. Bring the former data back, "
                "pass resume_changed=true to go on with the new data, "
                f"output_dir={_free_name(self.path)}, or overwrite_output_dir=true to start anew."
            )
        _log.warning("The run goes on with other data.")

    def _tell_changes(self) -> None:
        earlier = self.earlier_recipe()
        if earlier is not None and (changes := _differences(earlier, self.recipe)):
            _log.warning("The run goes on with another recipe: %s.", "; ".join(changes))

    def earlier_recipe(self) -> Recipe | None:
        """Reads the recipe of the run that is there, if there is one."""
        return recipe_of_run(self.path)

    def holds_only_foreign_files(self) -> bool:
        """Says whether there are files, but none of a run."""
        return bool(self._names()) and recipe_of_run(self.path) is None

    def _names(self) -> list[str]:
        if not self.path.is_dir():
            return []
        ignored = {self.path / LOCK_FILE, *self._leftovers()}
        return sorted(each.name for each in self.path.iterdir() if each not in ignored)

    def _leftovers(self) -> list[Path]:
        """What a killed process was writing, or removing."""
        return [
            path
            for name in _WRITTEN
            for ending in ("-*", ".tmp")
            for path in self.path.glob(f".{name}{ending}")
        ]

    def _refusal(self, finished: bool, earlier: Recipe | None) -> str:
        rule = "output_dir must be a new or empty directory, or hold an interrupted run of the same"
        other = _free_name(self.path)
        moves = (
            f"Pass output_dir={other} to keep both, or overwrite_output_dir=true to replace the run"
        )
        if finished and earlier is not None:
            return (
                f"{rule} recipe. Received: {str(self.path)!r}, which holds a finished run. {moves}."
            )
        if earlier is not None:
            changes = "; ".join(_differences(earlier, self.recipe))
            return (
                f"{rule} recipe. Received: {str(self.path)!r}, which holds an interrupted run of "
                f"another: {changes}. Go on with 'tfaigc train {self.path / RECIPE}', or "
                f"pass resume_changed=true to go on with the changes. {moves}."
            )
        names = self._names()
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return (
            f"{rule} recipe. Received: {str(self.path)!r}, which holds {listed}. "
            f"Pass output_dir={other}, or overwrite_output_dir=true to write between these files."
        )


def check_writable(path: Path, key: str) -> None:
    """Makes sure that a directory exists or could be made; changes nothing.

    Args:
        path: The directory.
        key: What the recipe or the option calls it.

    Raises:
        RecipeError: It is a file, lies below a file, or may not be written.
    """
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir():
        raise RecipeError(
            f"{key} must be a directory. Received: {str(path)!r}, but {str(nearest)!r} is a file. "
            "Pass another path."
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise RecipeError(
            f"{key} must be writable. Received: {str(path)!r}, but {str(nearest)!r} is not. "
            "Pass another path, or change its permissions."
        )


def remove(path: Path) -> None:
    """Removes a file or a directory, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def recipe_of_run(path: Path) -> Recipe | None:
    """Reads the recipe of the run in a directory, if there is one."""
    with contextlib.suppress(RecipeError):
        return load_recipe(path / RECIPE)
    return None


def _differences(earlier: Recipe, recipe: Recipe) -> list[str]:
    """What keeps a run from going on; where it lies and what it exports may change."""
    free = {"output_dir", "export_dir", "export_dtype", "resume_changed"}
    if not recipe.overwrite_output_dir:
        free.add("overwrite_output_dir")
    return [
        f"{field.name} was {getattr(earlier, field.name)}, is {getattr(recipe, field.name)}"
        for field in dataclasses.fields(recipe)
        if field.name not in free and getattr(earlier, field.name) != getattr(recipe, field.name)
    ]


def _free_name(path: Path) -> Path:
    """The path with the first number behind it that is not taken."""
    number = 2
    while (other := path.with_name(f"{path.absolute().name}-{number}")).exists():
        number += 1
    return other


@contextlib.contextmanager
def _made(directory: Path) -> Iterator[None]:
    """Makes a directory; takes it away again if nothing came into it."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Holds the directory for this process."""
    lock = DirectoryLock(directory)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _taken(directory: Path) -> str:
    return (
        "A run directory must stay as it was found until the run begins. Received: "
        f"{str(directory)!r}, which another run has used meanwhile. Run the same command again."
    )
