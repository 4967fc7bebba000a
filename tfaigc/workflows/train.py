"""``tfaigc train``: a recipe into a trained model, a report and, on request, an export."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.data import Table, describe_lengths
from tfaigc.recipe import Recipe
from tfaigc.workflows.evaluate import show_report
from tfaigc.workflows.export import check_export_directory, export_model
from tfaigc.workflows.from_scratch import find_start, make_model, name_start
from tfaigc.workflows.kinds import kind_of_recipe
from tfaigc.workflows.loading import load_tensorflow
from tfaigc.workflows.models import describe_model
from tfaigc.workflows.run_directory import (
    HISTORY,
    METRICS,
    MODEL,
    TOKENIZER,
    RunDirectory,
    State,
    remove,
)
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.splits import Splits, read_splits, settle_labels

if TYPE_CHECKING:
    from tfaigc.evaluation import Report
    from tfaigc.tasks import Task


@dataclass(frozen=True)
class TrainedRun:
    """What a run left.

    Attributes:
        directory: The run's directory.
        metrics: What ``metrics.json`` holds.
        exported: The SavedModel's version directory, where one was asked for.
    """

    directory: Path
    metrics: dict[str, float]
    exported: Path | None


def train(
    recipe: Recipe, *, screen: Screen, same_command: str | None = None, last: bool = True
) -> TrainedRun:
    """Trains as a recipe says, or goes on where the same recipe was interrupted.

    Args:
        recipe: The recipe.
        screen: Where remarks go.
        same_command: The command line that goes on after an interruption.
        last: Whether to print the next command.

    Returns:
        What the run left.

    Raises:
        TfaigcError: Something in the recipe, the data or the model cannot be used.
        TrainingInterrupted: Ctrl-C, after a checkpoint was saved.
    """
    directory = RunDirectory(recipe)
    state = directory.check()
    if recipe.export_dir is not None:
        check_export_directory(recipe.export_dir)
    splits = read_splits(recipe, screen=screen)
    made_before = directory.path / TOKENIZER if state is State.INTERRUPTED else None
    start = find_start(recipe)
    model = load_model(recipe, start, splits, screen, tokenizer_directory=made_before)
    with (
        directory.open(state, splits.fingerprint()) as path,
        _interruption_explained(same_command),
    ):
        _say_where(path, state, directory.has_checkpoints(), screen)
        if start is None:
            # Another of the same texts may differ.
            model.tokenizer.save_pretrained(path / TOKENIZER)
        seconds = _fit(model, recipe, splits, path, screen, same_command)
        # What is measured, saved and exported computes in float32, as the one who loads it will.
        model = model.in_float32()
        report = _measure(model, recipe, splits, path, seconds)
        _save_model(model, path)
        exported = None
        if recipe.export_dir is not None:
            _, records = splits.reported
            exported = export_model(
                *(model, recipe.export_dir),
                dtype=recipe.export_dtype,
                records=records,
                screen=screen,
            )
        directory.finish()
    name, table = splits.reported
    show_report(report, f"{name} split", len(table), screen)
    screen.fact("written", f"{path}: report.md, {METRICS}, plots, tensorboard, {MODEL}")
    if last:
        screen.next_command("predict", str(path / MODEL), *model.asked)
    return TrainedRun(path, dict(report.metrics), exported)


@contextmanager
def _interruption_explained(same_command: str | None) -> Iterator[None]:
    """Says how to go on where Ctrl-C came outside of training, or twice."""
    try:
        yield
    except KeyboardInterrupt as error:
        if str(error) or same_command is None:
            raise
        raise KeyboardInterrupt(f"Go on with: {same_command}") from error


def load_model(
    recipe: Recipe,
    model_directory: Path | None,
    splits: Splits,
    screen: Screen,
    *,
    tokenizer_directory: Path | None = None,
) -> Task:
    """Loads TensorFlow, and the checkpoint that a recipe fine-tunes, or starts from nothing.

    Args:
        recipe: The recipe.
        model_directory: The checkpoint; None: there is none.
        splits: The recipe's data.
        screen: Where remarks go.
        tokenizer_directory: Where there may be a tokenizer that was made for the run before.

    Returns:
        The model, not compiled.
    """
    load_tensorflow(screen)
    import keras

    from tfaigc.training.determinism import make_deterministic
    from tfaigc.training.precision import resolve_precision

    # Python's, NumPy's and TensorFlow's generators too: a callback of the user's may use them.
    if recipe.deterministic:
        make_deterministic(recipe.seed)
    else:
        keras.utils.set_random_seed(recipe.seed)
    precision = resolve_precision(recipe.precision)
    kind = kind_of_recipe(recipe)
    arguments = kind.model_arguments(recipe)
    if kind.targets.field is not None:
        by_class = recipe.labels is None and kind.targets.by_class
        arguments["labels"] = recipe.labels
        if by_class:
            found = splits.labels
            settled = found if model_directory is None else settle_labels(found, model_directory)
            arguments["labels"] = settled
    arguments["max_length"] = recipe.max_length
    model: Task
    if model_directory is None:
        model = make_model(
            recipe,
            kind.load_class(),
            splits.train,
            dtype=precision.policy,
            tokenizer_directory=tokenizer_directory,
            arguments=arguments,
            screen=screen,
        )
    else:
        model = kind.load_class().from_pretrained(
            model_directory, seed=recipe.seed, dtype=precision.policy, **arguments
        )
    if recipe.freeze_layers is not None:
        model.freeze(None if recipe.freeze_layers == "all" else int(recipe.freeze_layers))
    screen.fact("model", describe_model(name_start(recipe), model))
    screen.fact("precision", precision.reason)
    return model


def compile_as(model: Task, recipe: Recipe) -> None:
    """Compiles a model as a recipe says."""
    model.compile(
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup_steps=recipe.warmup_steps,
        lr_scheduler_type=recipe.lr_scheduler_type,
        max_grad_norm=recipe.max_grad_norm,
        gradient_accumulation_steps=recipe.gradient_accumulation_steps,
        gradient_checkpointing=recipe.gradient_checkpointing,
        **{
            argument: getattr(recipe, key)
            for key, argument in kind_of_recipe(recipe).loss_keys.items()
        },
    )


def training_batches(model: Task, recipe: Recipe, table: Table) -> Any:
    """Cuts a table into the steps of a recipe."""
    unit = "batch_size" if recipe.batch_tokens is None else "batch_tokens"
    return model.dataset(
        table,
        **{unit: getattr(recipe, unit) * recipe.gradient_accumulation_steps},
        packed=recipe.packed,
        cache_features=recipe.cache_features,
        shuffle=True,
        seed=recipe.seed,
    )


def _say_where(path: Path, state: State, has_checkpoints: bool, screen: Screen) -> None:
    text = str(path)
    if state is State.REPLACED:
        text += ", where an earlier run is replaced"
    elif state is State.INTERRUPTED and has_checkpoints:
        text += ", where an interrupted run goes on from its last checkpoint"
    elif state is State.INTERRUPTED:
        text += ", where a run stopped before its first checkpoint; it starts again"
    screen.fact("run", text)


def _fit(
    model: Task,
    recipe: Recipe,
    splits: Splits,
    path: Path,
    screen: Screen,
    same_command: str | None,
) -> float:
    """Trains up to the last epoch, leaves the best weights in the model, returns the seconds."""
    from tfaigc.training import callbacks as training_callbacks

    train_data = training_batches(model, recipe, splits.train)
    if hasattr(train_data, "tokens"):
        lengths = np.diff(train_data.tokens.row_splits)
        screen.fact("tokens", describe_lengths(lengths, max_length=model.longest_example))
    validation_data = model.dataset(
        splits.validation, batch_size=recipe.batch_size, cache_features=recipe.cache_features
    )
    compile_as(model, recipe)
    callbacks = training_callbacks.standard(
        path,
        monitor=f"val_{model.monitor}",
        patience=recipe.early_stopping_patience,
        on_nan=recipe.on_nan,
        keep=recipe.save_total_limit,
        every_steps=recipe.save_steps,
        every_minutes=recipe.save_minutes,
        next_command=same_command,
        accept_changes=recipe.resume_changed,
        trackers=[training_callbacks.make_tracker(name) for name in recipe.report_to],
        settings=asdict(recipe),
    )
    training_callbacks.attach(callbacks, train_data)
    point = training_callbacks.resume(callbacks, model)
    epochs = point.epoch if point.stopped else recipe.num_train_epochs
    steps = len(train_data.batch_order)
    screen.fact(
        "training",
        f"epochs: {recipe.num_train_epochs}, steps in each: {steps:,}; Ctrl-C saves a checkpoint",
    )
    started = time.monotonic()
    model.fit(
        train_data,
        validation_data=validation_data,
        epochs=epochs,
        initial_epoch=point.epoch,
        callbacks=callbacks,
        verbose=0 if screen.quiet else 1,
    )
    return round(time.monotonic() - started, 1)


def _measure(model: Task, recipe: Recipe, splits: Splits, path: Path, seconds: float) -> Report:
    """Reports on the test split, or on the validation split where there is no other."""
    from tfaigc.training.callbacks import read_history

    name, table = splits.reported
    report = model.report(table, batch_size=max(recipe.batch_size, 64))
    trained = (
        f"Trained from {name_start(recipe)} on {len(splits.train):,} examples of "
        f"{recipe.train_data} in {seconds / 60:.1f} minutes; this is on the {name} split."
    )
    report = replace(report, title=f"Report on {path.name}", notes=[trained, *report.notes])
    report.save(path, history=read_history(path / HISTORY))
    return report


def _save_model(model: Task, path: Path) -> None:
    """Saves under a temporary name first, so that the model's directory is whole at any time."""
    partial = path / f"{MODEL}.partial"
    remove(partial)
    try:
        model.save_pretrained(partial)
        remove(path / MODEL)
        partial.rename(path / MODEL)
    finally:
        remove(partial)
