"""Measures how soon a small T5, trained from scratch, knows how English words are pronounced.

Run it with a Python in whose environment tfaigc is installed. A T5 of 1.4 million weights learns
the words of CMU's dictionary, without stress, but for a tenth of them that is drawn by the seed. As
it goes on, the share of wrong sounds and words is measured on some of that tenth, and in the end
on all of it. Of a word's pronunciations the nearest counts. Minutes are those of training alone.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from typing import Any

from harness.machine import describe, in_words

CONFIG = {
    "model_type": "t5",
    "d_model": 128,
    "d_kv": 32,
    "num_heads": 4,
    "d_ff": 512,
    "num_layers": 3,
    "num_decoder_layers": 3,
    "dropout_rate": 0.1,
}
BATCH_SIZE, LEARNING_RATE, WARMUP, SMOOTHING, MAX_LENGTH = 128, 1e-3, 0.1, 0.1, 40


def split(seed: int) -> tuple[list[dict[str, str]], dict[str, list[str]]]:
    """Returns the training pairs, and the pronunciations of each held-out word."""
    import numpy as np

    from tfaigc.data import pronunciations

    known: dict[str, list[str]] = {}
    for row in pronunciations(every=True).rows:
        known.setdefault(row["source"], []).append(row["target"])
    words = sorted(known)
    order = np.random.default_rng(seed).permutation(len(words))
    cut = len(words) // 10
    held_out = {words[index]: known[words[index]] for index in order[:cut]}
    train = [
        {"source": word, "target": target}
        for word in (words[index] for index in order[cut:])
        for target in known[word]
    ]
    return train, held_out


def error_rates(written: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Returns the share of wrong sounds, and of words with any, by the nearest reference."""
    from rapidfuzz.distance import Levenshtein

    edits = sounds = wrong = 0
    for one, others in zip(written, references, strict=True):
        found = one.split()
        distances = [(Levenshtein.distance(found, each.split()), each) for each in others]
        distance, nearest = min(distances, key=lambda pair: pair[0] / len(pair[1].split()))
        edits, sounds, wrong = (
            edits + distance,
            sounds + len(nearest.split()),
            wrong + bool(distance),
        )
    return edits / sounds, wrong / len(written)


def make_model(train: Sequence[dict[str, str]], seed: int) -> Any:
    """Makes the model, with a tokenizer that has a token for each letter and each sound."""
    import tfaigc

    texts = (text for pair in train for text in pair.values())
    tokenizer = tfaigc.Tokenizer.train(
        texts, kind="wordpiece", vocabulary_size=1000, family=CONFIG["model_type"]
    )
    return tfaigc.Seq2SeqLM.from_scratch(
        CONFIG, tokenizer, max_length=MAX_LENGTH, max_target_length=MAX_LENGTH, seed=seed
    )


def run(*, minutes: float, epochs: int, measured: int, seed: int) -> None:
    """Trains, and prints a row of the curve from time to time."""
    import keras

    train, held_out = split(seed)
    some = dict(list(held_out.items())[:measured])
    model = make_model(train, seed)
    batches = model.dataset(train, batch_size=BATCH_SIZE, shuffle=True, seed=seed)
    model.compile(
        learning_rate=LEARNING_RATE,
        warmup_steps=WARMUP,
        lr_scheduler_type="cosine",
        label_smoothing=SMOOTHING,
    )
    steps = len(batches.batch_order)
    print(f"{model.count_params():,} weights, {len(train):,} pairs, {steps} steps in an epoch\n")
    print("| epochs | minutes | wrong sounds | wrong words |\n| --- | --- | --- | --- |")

    class Curve(keras.callbacks.Callback):
        """Measures after each epoch, and stops when the time is up."""

        seconds, started = 0.0, 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds += time.perf_counter() - self.started
            self.row(f"{epoch + 1}", some)
            self.model.stop_training = self.seconds >= 60 * minutes

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.seconds + time.perf_counter() - self.started >= 60 * minutes:
                self.model.stop_training = True

        def row(self, name: str, words: dict[str, list[str]]) -> None:
            written = model.generate(list(words), batch_size=256)
            sounds, whole = error_rates(written, list(words.values()))
            print(f"| {name} | {self.seconds / 60:.1f} | {sounds:.2%} | {whole:.2%} |", flush=True)

    curve = Curve()
    model.fit(batches, epochs=epochs, verbose=0, callbacks=[curve])
    curve.row("all held-out words", held_out)
    print(f"\nSeed {seed}; {in_words(describe())}.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the learning curve as a Markdown table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="of training, at most")
    parser.add_argument("--epochs", type=int, default=8, help="which the learning rate falls over")
    parser.add_argument("--measured", type=int, default=1000, help="held-out words in the curve")
    parser.add_argument("--seed", type=int, default=0)
    run(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
