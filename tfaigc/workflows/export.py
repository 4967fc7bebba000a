"""``tfaigc export``: a model directory into a verified SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tfaigc.data import Table
from tfaigc.errors import TfaigcError
from tfaigc.export import prune, read_metadata, refuse_foreign_files
from tfaigc.export.weights import EXACT, describe_weights
from tfaigc.workflows.kinds import kind_of_model
from tfaigc.workflows.models import find_model, load_model
from tfaigc.workflows.run_directory import check_writable, recipe_of_run
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.splits import read_examples, read_splits, stored_labels

if TYPE_CHECKING:
    from tfaigc.tasks import Task


def export(
    model: str,
    directory: str,
    *,
    dtype: str = EXACT,
    data: str | None = None,
    columns: Mapping[str, str | None] = MappingProxyType({}),
    keep: int | None = None,
    screen: Screen,
) -> Path:
    """Exports a model as the next version in a directory.

    Args:
        model: The model's source, usually a directory that `train` wrote.
        directory: Where the numbered versions are.
        dtype: How large weights are stored; see `tfaigc.export.weights.WEIGHT_DTYPES`.
        data: Labelled data, to measure what another dtype than float32 changes; None: what the run
            that trained the model was measured on, where it is there.
        columns: Our names of fields to the data's columns; see ``read_examples``.
        keep: How many of the newest versions stay; None: all.
        screen: Where remarks go.

    Returns:
        The version's directory.

    Raises:
        TfaigcError: The model cannot be loaded, the directory cannot be used, or the SavedModel
            does not answer as the model does.
    """
    check_export_directory(directory)
    records = None
    if data is not None:
        found = find_model(model)
        kind, names = kind_of_model(found).targets, stored_labels(found)
        records, _ = read_examples(data, kind, columns=columns, names=names, screen=screen)
    elif dtype != EXACT:
        records = _records_of_run(find_model(model).parent, screen)
    loaded = load_model(model, screen=screen)
    version = export_model(loaded, directory, dtype=dtype, records=records, screen=screen)
    if keep is not None and (removed := prune(Path(directory), keep=keep)):
        screen.fact("removed", ", ".join(map(str, removed)))
    screen.next_command("predict", directory, *loaded.asked)
    return version


def convert(model: str, directory: str, *, file_format: str, screen: Screen) -> Path:
    """Writes a model's file for another runtime than TensorFlow.

    Args:
        model: The model's source.
        directory: A new or empty directory.
        file_format: See `tfaigc.export.formats.FORMATS`.
        screen: Where remarks go.

    Returns:
        The file.

    Raises:
        TfaigcError: The model cannot be loaded or converted, or the directory cannot be used.
    """
    check_writable(Path(directory), "The export's directory")
    loaded = load_model(model, screen=screen)
    screen.remark("Converting, then asking the file")
    file = loaded.convert(directory, file_format=file_format)
    screen.fact("exported", f"{file}, which answers as the model does; its tokenizer is beside it")
    screen.next_command("predict", model, *loaded.asked)
    return file


def check_export_directory(directory: str) -> None:
    """Makes sure that versions may be written to a directory; changes nothing.

    Args:
        directory: Where the numbered versions are, or will be.

    Raises:
        TfaigcError: It cannot be used.
    """
    check_writable(Path(directory), "The export's directory")
    refuse_foreign_files(Path(directory))


def export_model(
    model: Task,
    directory: str,
    *,
    dtype: str = EXACT,
    records: Table | None = None,
    screen: Screen,
) -> Path:
    """Exports a model that is in memory, and says where to.

    Args:
        model: The model.
        directory: Where the numbered versions are.
        dtype: How large weights are stored.
        records: What to measure another dtype than float32 on.
        screen: Where remarks go.

    Returns:
        The version's directory.
    """
    screen.remark("Exporting, then asking the SavedModel in a fresh process")
    version = model.export(directory, dtype=dtype, records=records)
    if dtype == EXACT:
        screen.fact("exported", f"{version}, which answers as the model does")
    else:
        screen.fact("exported", f"{version}, which answers as the model with these weights does")
        screen.fact("weights", describe_weights(read_metadata(version)["weights"]))
    return version


def _records_of_run(directory: Path, screen: Screen) -> Table | None:
    """Reads what the run in a directory was measured on, if it can be."""
    recipe = recipe_of_run(directory)
    if recipe is None:
        return None
    try:
        name, table = read_splits(recipe, screen=screen).reported
    except TfaigcError as error:
        screen.remark(f"The run's data cannot be read, so scores alone are compared: {error}")
        return None
    screen.fact("measured on", f"the {name} split of the run: {len(table):,} records")
    return table
