"""tfaigc: ``fit`` on raw records, and ``infer`` or ``evaluate``."""

from __future__ import annotations

import math
from typing import Any

import keras
import protocol
import tensorflow as tf
from tasks import TASKS

import tfaigc
from tfaigc.training.precision import Precision, resolve_precision

MODELS = {
    "text_classification": tfaigc.TextClassifier,
    "token_classification": tfaigc.TokenClassifier,
    "causal_lm": tfaigc.CausalLM,
}


def load(job: protocol.Job, precision: Precision) -> Any:
    """Loads the checkpoint, under a fresh classifier where the task has one."""
    head = {"labels": job.labels} if job.labels else {}
    return MODELS[job.task].from_pretrained(
        job.model, max_length=job.max_length, seed=job.seed, dtype=precision.policy, **head
    )


def train(job: protocol.Job, model: Any) -> tuple[protocol.Clock, int]:
    """Trains on the job's rows as ``fit(rows)`` would, but without the token cache.

    With the cache every run but the first would be spared the tokenizing.

    Returns:
        The clock, and how many tokens an epoch had, padding not counted.
    """
    rows = job.train_rows()
    clock = protocol.Clock()
    dataset = model.dataset(
        rows,
        batch_size=job.batch_size,
        packed=job.task == "causal_lm",
        shuffle=True,
        seed=job.seed,
        cache=False,
    )
    model.compile(learning_rate=job.learning_rate)
    ended = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: clock.step_ended()
    )
    clock.fit_called()
    model.fit(dataset, epochs=job.epochs, callbacks=[ended], verbose=0)
    return clock, int(dataset.batch_order.lengths.sum())


def measure(job: protocol.Job, model: Any) -> dict[str, float]:
    """Trains, and judges the trained model by the test rows."""
    clock, tokens = train(job, model)
    if job.task == "causal_lm":

        def loss() -> float:
            batches = model.dataset(job.test_rows(), batch_size=job.inference_batch_size)
            found = model.evaluate(batches, return_dict=True, verbose=0)
            return math.log(found["perplexity"])

        return protocol.writing_figures(clock, tokens=job.epochs * tokens, loss=loss)
    answered = TASKS[job.task].answered

    def answer(questions: list[Any]) -> list[Any]:
        answers = model.infer(questions, batch_size=job.inference_batch_size)
        found = [each[answered] for each in answers]
        return [job.labels.index(label) for label in found] if answered == "label" else found

    return protocol.classification_figures(job, clock, answer)


def main() -> None:
    """Does the job, and hands the figures back."""
    job = protocol.Job.from_command_line()
    keras.utils.set_random_seed(job.seed)
    precision = resolve_precision(job.options["precision"])
    model = load(job, precision)
    protocol.hand_back(
        measure(job, model),
        packages=["tfaigc", "keras", "tensorflow", "tensorflow-text", "tokenizers"],
        notes={
            "threads": tf.config.threading.get_intra_op_parallelism_threads() or "all cores",
            "device": [device.name for device in tf.config.list_physical_devices()],
            "precision": precision.policy.removeprefix("mixed_"),
            "jit_compile": bool(model.jit_compile),
            "optimizer": "AdamW, warm-up 10 % and linear decay, weight decay 0.01, clip 1",
        },
    )


if __name__ == "__main__":
    main()
