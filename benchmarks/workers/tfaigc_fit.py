"""tfaigc's TextClassifier: ``fit`` and ``infer`` on raw strings."""

from __future__ import annotations

from typing import Any

import keras
import protocol
import tensorflow as tf

import tfaigc
from tfaigc.training.precision import resolve_precision


def train(job: protocol.Job, model: tfaigc.TextClassifier) -> protocol.Clock:
    """Trains on the job's rows as ``fit(rows)`` would, but without the token cache.

    With the cache every run but the first would be spared the tokenizing.
    """
    rows = job.train_rows()
    clock = protocol.Clock()
    dataset = model.dataset(
        rows, batch_size=job.batch_size, shuffle=True, seed=job.seed, cache=False
    )
    model.compile(learning_rate=job.learning_rate)
    ended = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: clock.step_ended()
    )
    clock.fit_called()
    model.fit(dataset, epochs=job.epochs, callbacks=[ended], verbose=0)
    return clock


def main() -> None:
    """Trains, classifies, and hands the figures back."""
    job = protocol.Job.from_command_line()
    keras.utils.set_random_seed(job.seed)
    precision = resolve_precision(job.options.get("precision", "float32"))
    model = tfaigc.TextClassifier.from_pretrained(
        job.model,
        labels=job.labels,
        max_length=job.max_length,
        seed=job.seed,
        dtype=precision.policy,
    )
    clock = train(job, model)
    training_memory = protocol.peak_memory_mib()

    def classify(texts: list[str]) -> list[int]:
        answers: list[dict[str, Any]] = model.infer(texts, batch_size=job.inference_batch_size)
        return [job.labels.index(answer["label"]) for answer in answers]

    examples = job.epochs * len(job.train_rows())
    protocol.hand_back(
        {
            **clock.figures(examples=examples, batch_size=job.batch_size),
            **protocol.time_inference(
                classify, job.test_rows(), batch_size=job.inference_batch_size
            ),
            "training_peak_memory_mib": training_memory,
            "peak_memory_mib": protocol.peak_memory_mib(),
        },
        packages=["tfaigc", "keras", "tensorflow", "tensorflow-text", "tokenizers"],
        notes={
            "threads": tf.config.threading.get_intra_op_parallelism_threads() or "all cores",
            "device": [device.name for device in tf.config.list_physical_devices()],
            "dtype": precision.policy,
            "jit_compile": bool(model.jit_compile),
            "optimizer": "AdamW, warm-up 10 % and linear decay, weight decay 0.01, clip 1",
        },
    )


if __name__ == "__main__":
    main()
