"""Runs tfaigc and its peers side by side, and prints ratios of medians.

Each run is a fresh process; runs interleave (A B C A B C ...), so that a slow minute of the machine
touches all of them. ``python benchmarks/run.py --help`` lists the settings.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import environments, machine
from harness.contenders import BENCHMARKS, CHECKOUT, CONTENDERS, RESULTS
from harness.summary import in_a_line, to_markdown
from harness.works import WORKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the tables, and writes them under ``results/``.

    Returns:
        The exit status: 1 where a run has failed.
    """
    asked = _parse(arguments)
    pythons = {name: environments.ensure(CONTENDERS[name]) for name in asked.contenders}
    started = datetime.datetime.now().astimezone()
    directory = RESULTS / started.strftime("%Y%m%d-%H%M%S")
    directory.mkdir(parents=True)
    job, data = _prepare(directory, asked)
    results = {
        "started": started.isoformat(timespec="seconds"),
        "revision": _revision(),
        "machine": machine.describe(),
        "load_average": machine.load_average(),
        "pairs": asked.pairs,
        "data": asked.data,
        "job": {**WORKS[asked.data].settings, "epochs": job["epochs"]},
        **data,
        "runs": [],
        "failures": [],
    }
    for pair in range(asked.pairs):
        for name, python in pythons.items():
            seeded = {**job, "seed": pair}
            _run(name, python, seeded, directory / f"{pair + 1}-{name}", results)
            # Written each time, so that an interrupted measurement is not lost.
            _write(directory / "results.json", results)
    tables = to_markdown(results)
    (directory / "results.md").write_text(tables, encoding="utf-8")
    print(f"\n{tables}\nWritten to {directory.relative_to(CHECKOUT)}/results.json")
    return 1 if results["failures"] else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=WORKS, default="reviews", help="what is learnt")
    parser.add_argument("--pairs", type=_positive, default=5, help="runs of each contender")
    parser.add_argument("--examples", type=_positive, help="a quick run on the first rows only")
    parser.add_argument("--epochs", type=_positive, help="passes over the training rows")
    parser.add_argument(
        "--contenders",
        nargs="+",
        choices=CONTENDERS,
        metavar="NAME",
        help=f"ratios are taken of the first; of: {', '.join(CONTENDERS)}",
    )
    asked = parser.parse_args(arguments)
    work = WORKS[asked.data]
    asked.contenders = asked.contenders or list(work.contenders)
    asked.examples = asked.examples or work.examples
    asked.epochs = asked.epochs or work.settings["epochs"]
    unable = [name for name in asked.contenders if work.task not in CONTENDERS[name].tasks]
    if unable:
        parser.error(f"--data {asked.data} is not for {', '.join(unable)}.")
    return asked


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0. Received: {text}.")
    return int(text)


def _prepare(directory: Path, asked: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fetches the model and writes the rows; returns the common job and what is in the data."""
    files = {f"{name}_file": str(directory / f"{name}.jsonl") for name in ("train", "test")}
    work = WORKS[asked.data]
    wish = {
        "data": asked.data,
        "model": work.model,
        "models": str(RESULTS / "models"),
        "seed": 0,
        "examples": asked.examples,
        **files,
    }
    python = environments.ensure(CONTENDERS["tfaigc"])
    data = _call(python, "prepare.py", wish, directory / "prepare")
    job = {key: data.pop(key) for key in ("model", "labels")}
    return {"task": work.task, **work.settings, **job, **files, "epochs": asked.epochs}, data


def _run(name: str, python: Path, job: dict[str, Any], stem: Path, results: dict[str, Any]) -> None:
    """Does one run and files its figures, or why there are none."""
    contender = CONTENDERS[name]
    print(f"{stem.name:24}", end="", flush=True)
    try:
        answer = _call(python, contender.worker, {**job, "options": contender.options}, stem)
    except subprocess.CalledProcessError as error:
        results["failures"].append({"contender": name, "exit_status": error.returncode})
        log = stem.with_suffix(".log")
        print(f"failed with exit status {error.returncode}; see {log.relative_to(CHECKOUT)}")
        print("".join(f"    {line}\n" for line in log.read_text("utf-8").splitlines()[-8:]), end="")
        return
    results["runs"].append({"contender": name, **answer})
    print(in_a_line(answer["figures"], WORKS[results["data"]].unit), flush=True)


def _call(python: Path, worker: str, job: dict[str, Any], stem: Path) -> dict[str, Any]:
    """Runs a worker in a fresh process and returns its answer."""
    job_file, answer_file = stem.with_suffix(".job.json"), stem.with_suffix(".answer.json")
    _write(job_file, job)
    command = [str(python), str(BENCHMARKS / "workers" / worker), str(job_file), str(answer_file)]
    with open(stem.with_suffix(".log"), "wb") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True)
    answer: dict[str, Any] = json.loads(answer_file.read_text(encoding="utf-8"))
    return answer


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _revision() -> str:
    """Returns the commit that was measured, marked where the package differs from it."""
    git = ["git", "-C", str(CHECKOUT)]
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if done.returncode:
        return "unknown"
    changes = subprocess.run(
        [*git, "status", "--porcelain", "--", "tfaigc"], capture_output=True, text=True
    )
    return done.stdout.strip() + (" with changes" if changes.stdout.strip() else "")


if __name__ == "__main__":
    sys.exit(main())
