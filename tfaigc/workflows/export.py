"""``tfaigc export``: a model directory into a verified SavedModel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.export import prune, refuse_foreign_files
from tfaigc.workflows.models import load_model
from tfaigc.workflows.run_directory import check_writable
from tfaigc.workflows.screen import Screen

if TYPE_CHECKING:
    from tfaigc.tasks import Task


def export(model: str, directory: str, *, keep: int | None = None, screen: Screen) -> Path:
    """Exports a model as the next version in a directory.

    Args:
        model: The model's source, usually a directory that `train` wrote.
        directory: Where the numbered versions are.
        keep: How many of the newest versions stay; None: all.
        screen: Where remarks go.

    Returns:
        The version's directory.

    Raises:
        TfaigcError: The model cannot be loaded, the directory cannot be used, or the SavedModel
            does not answer as the model does.
    """
    check_export_directory(directory)
    loaded = load_model(model, screen=screen)
    version = export_model(loaded, directory, screen=screen)
    if keep is not None and (removed := prune(Path(directory), keep=keep)):
        screen.fact("removed", ", ".join(map(str, removed)))
    screen.next_command("predict", directory, *loaded.asked)
    return version


def check_export_directory(directory: str) -> None:
    """Makes sure that versions may be written to a directory; changes nothing.

    Args:
        directory: Where the numbered versions are, or will be.

    Raises:
        TfaigcError: It cannot be used.
    """
    check_writable(Path(directory), "The export's directory")
    refuse_foreign_files(Path(directory))


def export_model(model: Task, directory: str, *, screen: Screen) -> Path:
    """Exports a model that is in memory, and says where to.

    Args:
        model: The model.
        directory: Where the numbered versions are.
        screen: Where remarks go.

    Returns:
        The version's directory.
    """
    screen.remark("Exporting, then asking the SavedModel in a fresh process")
    version = model.export(directory)
    screen.fact("exported", f"{version}, which answers as the model does")
    return version
