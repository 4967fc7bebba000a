"""Measures loading a checkpoint into `tfaigc.Backbone` beside `transformers.AutoModel`.

Run it with a Python in whose environment tfaigc, transformers and PyTorch are installed, and name
directories in Hugging Face layout. Each side has a process of its own; they load in turns, after
one load to warm up. Peak memory is taken from fresh processes: what one load adds to the largest
resident set, as a multiple of the weights' size in float32.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.machine import describe, in_words

CONTENDERS = ("tfaigc", "transformers")


def loader(contender: str) -> Callable[[str], Any]:
    """Imports a contender, and returns what loads a directory with it."""
    if contender == "tfaigc":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        import tfaigc

        # TensorFlow sets itself up at the first operation.
        tf.Variable(tf.zeros(8)).assign_add(tf.ones(8))
        return tfaigc.Backbone.from_pretrained
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    torch.zeros(8) + torch.ones(8)
    return lambda directory: transformers.AutoModel.from_pretrained(directory, dtype=torch.float32)


def work(contender: str, directory: str) -> None:
    """Loads once for each line of stdin; prints the seconds and the bytes that the peak rose."""
    load = loader(contender)
    for _ in sys.stdin:
        before = peak()
        start = time.perf_counter()
        model = load(directory)
        took = time.perf_counter() - start
        print(took, peak() - before, numbers(model), flush=True)
        del model


def peak() -> int:
    """Returns the process's largest resident set so far, in bytes."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def numbers(model: Any) -> int:
    """Counts a model's parameters."""
    if hasattr(model, "count_params"):
        return int(model.count_params())
    return sum(parameter.numel() for parameter in model.parameters())


class Worker:
    """A process that loads when it is told to."""

    def __init__(self, contender: str, directory: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", contender, directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def load(self) -> tuple[float, float]:
        """Loads once; returns the seconds, and the rise of the peak by the weights' size."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        print("load", file=stdin, flush=True)
        took, rise, count = stdout.readline().split()
        return float(took), float(rise) / (4 * int(count))

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def measure(directory: str, rounds: int) -> list[str]:
    """Returns one directory's rows of the table."""
    workers = {name: Worker(name, directory) for name in CONTENDERS}
    memory = {name: worker.load()[1] for name, worker in workers.items()}
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, worker in workers.items():
            times[name].append(worker.load()[0])
    for worker in workers.values():
        worker.close()
    middle = {name: statistics.median(series) for name, series in times.items()}
    label = Path(directory).name
    return [
        f"| {label}, {name} | {middle[name]:.3f} | {min(series):.3f} to {max(series):.3f} "
        f"| {middle[name] / middle['transformers']:.2f} | {memory[name]:.2f} |"
        for name, series in times.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints medians of interleaved rounds and their ratios as a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directories", nargs="+", help="checkpoints in Hugging Face layout")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--worker", choices=CONTENDERS, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.worker:
        work(asked.worker, asked.directories[0])
        return
    if asked.rounds < 1:
        parser.error(f"--rounds must be 1 or more. Received: {asked.rounds}.")
    print(
        "| | median, s | least to most, s | time / transformers' | peak memory / weights |\n"
        "| --- | --- | --- | --- | --- |"
    )
    for directory in asked.directories:
        print("\n".join(measure(directory, asked.rounds)), flush=True)
    print(f"\n{asked.rounds} interleaved loads each; {in_words(describe())}.")


if __name__ == "__main__":
    main()
