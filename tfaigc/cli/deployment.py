"""The verb `deploy`, whose options have the names of those of `serve` and of TensorFlow Serving."""

from __future__ import annotations

from typing import Any

import click

from tfaigc.cli.group import prepare, shared_options

_positive = click.IntRange(min=1)


@click.command(short_help="Write production files for exported models.")
@click.argument("directories", nargs=-1, required=True, metavar="DIRECTORY...")
@click.option(
    "--target",
    type=click.Choice(["docker", "kubernetes", "kserve"]),
    default="docker",
    show_default=True,
    help="What runs the server.",
)
@click.option("--out", required=True, metavar="DIR", help="Where the files go; new or empty.")
@click.option("--name", default=None, help="Of the deployment, and of a single model.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="[MODEL/]LABEL=VERSION",
    help="Name a version, as stable=3; only named versions of the model are served then.",
)
@click.option(
    "--latest",
    type=_positive,
    default=1,
    show_default=True,
    help="How many of the newest versions to serve.",
)
@click.option(
    "--server-version",
    default=None,
    help="Of TensorFlow Serving; default: that of the exporting TensorFlow.",
)
@click.option("--image", default=None, help="kubernetes: the image with the models in it.")
@click.option("--storage-uri", default=None, help="kserve: the directory with the models.")
@click.option(
    "--max-batch-size",
    type=_positive,
    default=32,
    show_default=True,
    help="Rows of several requests computed together; 1: none.",
)
@click.option("--batch-timeout-micros", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--max-enqueued-batches", type=_positive, default=64, show_default=True)
@click.option("--num-batch-threads", type=_positive, default=None, help="Default: one per core.")
@click.option("--max-body-bytes", type=_positive, default=64 * 1024 * 1024, show_default=True)
@click.option(
    "--timeout",
    type=_positive,
    default=30,
    show_default=True,
    help="Seconds until a request is given up.",
)
@click.option("--min-replicas", type=_positive, default=2, show_default=True, help="In a cluster.")
@click.option("--max-replicas", type=_positive, default=10, show_default=True)
@click.option("--cpus", type=_positive, default=2, show_default=True, help="Of each server.")
@click.option("--memory", default=None, help="Of each server, as 4Gi; default: after the models.")
@shared_options
@click.pass_context
def deploy(
    context: click.Context,
    /,
    directories: tuple[str, ...],
    max_batch_size: int,
    batch_timeout_micros: int,
    max_enqueued_batches: int,
    num_batch_threads: int | None,
    **options: Any,
) -> None:
    """Write what production needs to serve the models in each DIRECTORY by TensorFlow Serving.

    A DIRECTORY holds the versions of a model (1/, 2/ ...), or models, each with versions. DIR gets
    configuration for the official image, a proxy in front of it (TLS, bearer tokens, limits), what
    the target runs, alerts with their tests, a dashboard, and a README.md that says how to begin.
    """
    screen = prepare(context)
    from tfaigc.deployment import Batching
    from tfaigc.workflows.deploy import deploy as run

    run(
        directories,
        batching=Batching(
            max_batch_size=max_batch_size,
            batch_timeout_micros=batch_timeout_micros,
            max_enqueued_batches=max_enqueued_batches,
            num_batch_threads=num_batch_threads or options["cpus"],
        ),
        screen=screen,
        **{name: value for name, value in options.items() if value is not None},
    )
