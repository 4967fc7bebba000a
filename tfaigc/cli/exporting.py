"""``tfaigc export`` and ``tfaigc check``: SavedModels, written and looked over."""

from __future__ import annotations

import click

from tfaigc.cli.group import labelled_columns, prepare, shared_options


@click.command(short_help="Export a SavedModel that takes raw strings.")
@click.argument("model")
@click.argument("directory")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["saved_model", "litert", "onnx"]),
    default="saved_model",
    show_default=True,
    help="LiteRT and ONNX files take token ids, and one text at a time.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16-weights", "int8"]),
    default="float32",
    show_default=True,
    help="How large weights are stored: whole, in half or in a quarter of the space.",
)
@click.option("--data", default=None, help="Labelled data, to measure what --dtype changes on.")
@labelled_columns
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=None,
    help="Remove all but so many of the newest versions.",
)
@shared_options
@click.pass_context
def export(
    context: click.Context,
    model: str,
    directory: str,
    file_format: str,
    dtype: str,
    data: str | None,
    columns: dict[str, str | None],
    keep: int | None,
) -> None:
    """Export the model directory MODEL as a verified SavedModel: DIRECTORY/1, then 2 and so on.

    With another --format, DIRECTORY is a new one, for the file and the tokenizer's files.

    What another dtype than float32 changes is measured on --data, else on what the run that trained
    MODEL was measured on, else on scores of example texts. It is printed, and stands in the
    SavedModel's model_card.md.
    """
    if data is not None and dtype == "float32":
        raise click.UsageError("--data is for measuring what --dtype changes: give that too.")
    if file_format != "saved_model" and (dtype != "float32" or keep is not None):
        raise click.UsageError("--dtype and --keep are for SavedModels: leave --format out.")
    screen = prepare(context)
    from tfaigc.workflows.export import convert
    from tfaigc.workflows.export import export as run

    if file_format != "saved_model":
        convert(model, directory, file_format=file_format, screen=screen)
        return
    run(model, directory, dtype=dtype, data=data, columns=columns, keep=keep, screen=screen)


@click.command(short_help="Check that TensorFlow Serving would serve a SavedModel.")
@click.argument("directory")
@click.option(
    "--server-version",
    default=None,
    help="The TensorFlow Serving that is to load it; default: that of the exporting TensorFlow.",
)
@shared_options
@click.pass_context
def check(context: click.Context, directory: str, server_version: str | None) -> None:
    """Check a SavedModel, tfaigc's or anyone's, in the model's directory DIRECTORY.

    Reads it, asks it in a process without Keras, as a server would, and measures how long it takes.
    """
    screen = prepare(context)
    from tfaigc.workflows.check import check as run

    run(directory, server_version=server_version, screen=screen)
