"""The verb `serve`, whose options are those of TensorFlow Serving's flags and batching file."""

from __future__ import annotations

from typing import Any

import click

from tfaigc.cli.group import prepare, shared_options


def _sizes(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...]:
    """Reads ``1,8,32``."""
    try:
        return tuple(int(each) for each in value.split(",")) if value else ()
    except ValueError:
        raise click.BadParameter(f"{value!r}: write sizes with commas between: 1,8,32") from None


_positive = click.IntRange(min=1)


@click.command(short_help="Serve SavedModels as TensorFlow Serving does.")
@click.argument("directory", required=False)
@click.option("--model-config-file", default=None, help="Models, version policies and labels.")
@click.option("--model-name", default=None, help="What to call a single model.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8501, show_default=True)
@click.option("--grpc-port", type=click.IntRange(0, 65535), default=None, help="Default: no gRPC.")
@click.option(
    "--max-batch-size",
    type=_positive,
    default=1,
    show_default=True,
    help="Rows of several requests computed together; 1: none.",
)
@click.option(
    "--batch-timeout-micros",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How long a row waits for others though a thread is free.",
)
@click.option(
    "--allowed-batch-sizes",
    callback=_sizes,
    default=None,
    metavar="N,N...",
    help="Sizes to pad to.",
)
@click.option(
    "--max-enqueued-batches",
    type=_positive,
    default=64,
    show_default=True,
    help="What may wait; the rest gets 503 at once.",
)
@click.option("--num-batch-threads", type=_positive, default=None, help="Default: one per core.")
@click.option(
    "--max-runs-per-model", type=_positive, default=None, help="So that none takes all threads."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.001),
    default=30.0,
    show_default=True,
    help="Seconds until a call is given up.",
)
@click.option(
    "--poll-seconds",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How often to look for new versions; 0: never.",
)
@click.option("--max-body-bytes", type=_positive, default=16 * 1024 * 1024, show_default=True)
@click.option(
    "--token-file", default=None, help="Bearer tokens, one a line; who has none gets 401."
)
@click.option("--certificate", default=None, help="For TLS: a PEM file.")
@click.option("--private-key", default=None, help="For TLS: a PEM file.")
@click.option(
    "--requests-per-second",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Of each client; the rest gets 429.",
)
@click.option(
    "--watch",
    type=click.FloatRange(0, 1, min_open=True),
    default=None,
    help="Count lengths, unknown tokens, scores and labels of this share of the requests.",
)
@click.option(
    "--log-texts",
    type=click.Choice(["redacted", "raw"]),
    default=None,
    help="Print the texts of watched requests too, without what identifies people or as they are.",
)
@click.option("--log-requests", is_flag=True, help="Print a JSON line for each request.")
@shared_options
@click.pass_context
def serve(
    context: click.Context,
    /,
    directory: str | None,
    model_config_file: str | None,
    model_name: str | None,
    **options: Any,
) -> None:
    """Serve what `tfaigc export`, or anything else, has written below DIRECTORY.

    DIRECTORY holds the versions of a model (1/, 2/ ...), or models, each with versions. A model
    config file of TensorFlow Serving may take its place. New versions are loaded when they appear;
    SIGTERM and Ctrl-C end the server when all requests under way are answered.
    """
    if (directory is None) == (model_config_file is None):
        raise click.UsageError("Give either DIRECTORY or --model-config-file FILE.")
    if model_config_file is not None and model_name is not None:
        raise click.UsageError("A model config file has the names of models.")
    screen = prepare(context)
    from tfaigc.workflows.serve import require_serving_extra
    from tfaigc.workflows.serve import serve as run

    require_serving_extra()
    run(
        directory,
        model_config_file=model_config_file,
        model_name=model_name,
        screen=screen,
        **{name: value for name, value in options.items() if value is not None},
    )
