"""KerasHub's TextClassifier: ``fit`` and ``predict`` on raw strings."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import protocol
import tensorflow as tf


def load(job: protocol.Job) -> Any:
    """Loads the checkpoint through KerasHub's own converter, under a fresh classifier."""
    preprocessor = keras_hub.models.TextClassifierPreprocessor.from_preset(
        job.model, sequence_length=job.max_length
    )
    return keras_hub.models.TextClassifier.from_preset(
        job.model, num_classes=len(job.labels), preprocessor=preprocessor
    )


def train(job: protocol.Job, model: Any) -> protocol.Clock:
    """Trains on the job's rows, tokenized in the pipeline of each epoch."""
    rows = job.train_rows()
    clock = protocol.Clock()
    # Lists given to fit would keep their order in every epoch.
    texts = [row["text"] for row in rows]
    labels = [row["label"] for row in rows]
    dataset = tf.data.Dataset.from_tensor_slices((texts, labels))
    dataset = dataset.shuffle(len(rows), seed=job.seed).batch(job.batch_size)
    model.compile(
        optimizer=keras.optimizers.AdamW(job.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )
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
    model = load(job)
    clock = train(job, model)

    def classify(texts: list[str]) -> list[int]:
        logits = model.predict(texts, batch_size=job.inference_batch_size, verbose=0)
        return [int(row.argmax()) for row in logits]

    protocol.hand_back(
        protocol.classification_figures(job, clock, classify),
        packages=["keras-hub", "keras", "tensorflow", "tensorflow-text"],
        notes={
            "threads": tf.config.threading.get_intra_op_parallelism_threads() or "all cores",
            "device": [device.name for device in tf.config.list_physical_devices()],
            "precision": keras.config.dtype_policy().name,
            "jit_compile": bool(model.jit_compile),
            "optimizer": "keras.optimizers.AdamW, constant rate, weight decay 0.004",
        },
    )


if __name__ == "__main__":
    main()
