"""What all workers share: the job, the clock, and the figures that a run hands back.

A worker is started as ``python WORKER JOB.json FIGURES.json`` in a process of its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasks import TASKS


@dataclass(frozen=True)
class Job:
    """What to train on and how; equal for all contenders but for the options.

    Attributes:
        task: What is trained, as tfaigc names it.
        model: Directory of the checkpoint, in Hugging Face layout.
        train_file: JSON lines, with the fields of the task: ``text`` and ``label``, a class
            number; ``words`` and ``tags``; or ``prompt`` and ``response``.
        test_file: The same, held out.
        labels: The classes or tags; class numbers are places in this list.
        options: The contender's own.
    """

    task: str
    model: str
    train_file: str
    test_file: str
    labels: list[str]
    epochs: int
    batch_size: int
    inference_batch_size: int
    max_length: int
    learning_rate: float
    seed: int
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_command_line(cls) -> Job:
        """Reads the job file that the first argument names."""
        return cls(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))

    def train_rows(self) -> list[dict[str, Any]]:
        """Reads the training rows."""
        return _rows(self.train_file)

    def test_rows(self) -> list[dict[str, Any]]:
        """Reads the test rows."""
        return _rows(self.test_file)


class Clock:
    """Times a training: its preparation, its first step, and the steady rest.

    The first step holds tracing and compilation; the steady rest runs from its end to the last
    step's end, epochs' ends between them included.
    """

    def __init__(self) -> None:
        self.created = self.called = self.first = self.last = time.perf_counter()
        self.first_cpu = self.last_cpu = time.process_time()
        self.steps = 0

    def fit_called(self) -> None:
        """Marks the end of preparation, such as tokenizing."""
        self.called = time.perf_counter()

    def step_ended(self) -> None:
        """Marks the end of an optimizer step."""
        self.last, self.last_cpu = time.perf_counter(), time.process_time()
        if not self.steps:
            self.first, self.first_cpu = self.last, self.last_cpu
        self.steps += 1

    def figures(self, *, amount: float, first: float) -> dict[str, float]:
        """Returns the times and the speeds.

        Args:
            amount: What was trained on, in the work's unit, epochs counted.
            first: How much of it the first step took.
        """
        if self.steps < 2:
            raise RuntimeError(f"A steady speed needs two steps or more. Received: {self.steps}.")
        seconds, rest = self.last - self.first, amount - first
        return {
            "prepare_seconds": self.called - self.created,
            "first_step_seconds": self.first - self.called,
            "steady_seconds": seconds,
            "steps": self.steps,
            "train_amount": amount,
            "train_per_second": rest / seconds,
            "train_cpu_ms": 1000 * (self.last_cpu - self.first_cpu) / rest,
            "whole_train_per_second": amount / (self.last - self.created),
        }


def classification_figures(
    job: Job, clock: Clock, answer: Callable[[list[Any]], Sequence[Any]]
) -> dict[str, float]:
    """Returns the figures of a training that has ended, and of inference on the test rows.

    Args:
        job: What was trained.
        clock: It has timed the training.
        answer: Takes questions, raw texts or lists of words, to class numbers or tags.
    """
    examples = job.epochs * len(job.train_rows())
    return {
        **clock.figures(amount=examples, first=job.batch_size),
        "training_peak_memory_mib": peak_memory_mib(),
        **_time_inference(job, answer),
        "peak_memory_mib": peak_memory_mib(),
    }


def _time_inference(job: Job, answer: Callable[[list[Any]], Sequence[Any]]) -> dict[str, float]:
    """Times the answers to all test rows, after a batch to warm up, and scores them."""
    task, rows = TASKS[job.task], job.test_rows()
    questions = [row[task.asked] for row in rows]
    start = time.perf_counter()
    answer(questions[: job.inference_batch_size])
    warm, warm_cpu = time.perf_counter(), time.process_time()
    answers = list(answer(questions))
    end, end_cpu = time.perf_counter(), time.process_time()
    return {
        "first_inference_seconds": warm - start,
        "infer_per_second": len(rows) / (end - warm),
        "infer_cpu_ms": 1000 * (end_cpu - warm_cpu) / len(rows),
        task.figure: task.score([row[task.answered] for row in rows], answers),
    }


def writing_figures(clock: Clock, *, tokens: int, loss: Callable[[], float]) -> dict[str, float]:
    """Returns the figures of a language model's training that has ended.

    Args:
        clock: It has timed the training.
        tokens: How many were trained on, padding not counted.
        loss: Computes the mean cross-entropy of the test rows' responses.
    """
    return {
        # Rows that are packed hold nearly the same number each.
        **clock.figures(amount=tokens, first=tokens / max(clock.steps, 1)),
        "peak_memory_mib": peak_memory_mib(),
        "test_loss": loss(),
    }


def peak_memory_mib() -> float:
    """Returns the most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux KiB.
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def hand_back(figures: dict[str, float], *, packages: Sequence[str], notes: dict[str, Any]) -> None:
    """Writes the figures to the file that the second argument names.

    Args:
        figures: Numbers by name.
        packages: Whose versions are noted.
        notes: What the run was set to in fact, such as the number of threads.
    """
    answer = {
        "figures": figures,
        "versions": {name: version(name) for name in packages},
        "notes": notes,
    }
    Path(sys.argv[2]).write_text(json.dumps(answer, indent=2), encoding="utf-8")


def _rows(file: str) -> list[dict[str, Any]]:
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
