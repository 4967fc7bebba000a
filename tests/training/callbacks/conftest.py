import signal
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def _python_handles_ctrl_c() -> Iterator[None]:
    """Gives Ctrl-C Python's own meaning, which it lacks where a shell began the tests behind it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class FakeBatchOrder:
    """What the callbacks need of a training dataset's `batch_order`."""

    def __init__(self, *, num_examples: int, batch_size: int, seed: int, shuffle: bool) -> None:
        self.num_examples = num_examples
        self.batch_size = self.examples_per_batch = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0
        self.first_step = 0
        self.served: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return -(-self.num_examples // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        epoch, first_step = self.epoch, self.first_step
        self.epoch, self.first_step = epoch + 1, 0
        order = np.arange(self.num_examples)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        for step in range(first_step, len(self)):
            self.served.append((epoch, step))
            yield order[step * self.batch_size : (step + 1) * self.batch_size]


def make_dataset(
    *, num_examples: int = 40, batch_size: int = 8, seed: int = 0, shuffle: bool = True
) -> Any:
    generator = np.random.default_rng(7 if shuffle else 8)
    features = generator.normal(size=(num_examples, 6)).astype("float32")
    labels = (features.sum(axis=1) > 0).astype("int32")
    order = FakeBatchOrder(
        num_examples=num_examples, batch_size=batch_size, seed=seed, shuffle=shuffle
    )

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows in order:
            yield features[rows], labels[rows]

    dataset = tf.data.Dataset.from_generator(
        batches,
        output_signature=(
            tf.TensorSpec((None, 6), tf.float32),
            tf.TensorSpec((None,), tf.int32),
        ),
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(order))).prefetch(2)
    dataset.batch_order = order
    return dataset


_SCHEDULE = keras.optimizers.schedules.CosineDecay(0.01, 50)


def make_model(*, seed: int = 1, optimizer: Any = None, **compile_arguments: Any) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Dropout(0.5)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    model.compile(
        optimizer=optimizer
        or keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.01, 50)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        **compile_arguments,
    )
    return model


class Call(keras.callbacks.Callback):
    """Does something once, at the end of a step of an epoch."""

    def __init__(self, action: Any, *, epoch: int, batch: int) -> None:
        super().__init__()
        self.action = action
        self.at = (epoch, batch)
        self.epoch = -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch) == self.at:
            self.action()


@pytest.fixture(scope="session")
def build() -> Any:
    """Makes equal models, or other ones by `seed=`."""
    return make_model


@pytest.fixture(scope="session")
def eager() -> Any:
    """Makes models that spend no time on compiling graphs, and little on a step."""

    def make(*, seed: int = 1) -> keras.Model:
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
        model.compile(
            optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            run_eagerly=True,
        )
        return model

    return make


@pytest.fixture(scope="session")
def build_dataset() -> Any:
    """Makes datasets of labelled vectors with a `batch_order`."""
    return make_dataset


@pytest.fixture(scope="session")
def call_at() -> Any:
    """A callback that does something at one step."""
    return Call
