"""Where the time of a training step goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

_MATRIX_SIZE: Final = 2048
_MATRIX_REPEATS: Final = 8


@dataclass(frozen=True)
class StepTimes:
    """Seconds of some steps, by what they went to.

    Attributes:
        input_wait: Waiting for batches, which are made beside the steps.
        forward: Logits and loss.
        backward: Gradients.
        optimizer: Clipping, the weights' update and metrics.
    """

    input_wait: float
    forward: float
    backward: float
    optimizer: float

    @property
    def total(self) -> float:
        """All of them together."""
        return self.input_wait + self.forward + self.backward + self.optimizer


@dataclass(frozen=True)
class TrainingProfile:
    """What some training steps did, and how long that took.

    Attributes:
        steps: How many steps were measured.
        examples: How many examples they had.
        tokens: How many tokens these had.
        cells: How many places for tokens the batches had, padding included.
        times: Where the time went.
        model_flops: Floating-point operations that the tokens need, forward and backward;
            padding and recomputing do not count.
        peak_flops: Operations per second that this machine reached in a large matrix product.
        peak_memory: Bytes: the accelerator's, or this process's where there is none.
    """

    steps: int
    examples: int
    tokens: int
    cells: int
    times: StepTimes
    model_flops: float
    peak_flops: float
    peak_memory: int

    def figures(self) -> dict[str, float]:
        """Lists what people compare.

        Returns:
            Milliseconds by step, and rates by second, under plain names.
        """
        seconds = self.times.total
        by_part = {
            f"{each.name}_ms": 1000 * getattr(self.times, each.name) / self.steps
            for each in fields(self.times)
        }
        return {
            "step_ms": 1000 * seconds / self.steps,
            **by_part,
            "padding_share": 1 - self.tokens / self.cells,
            "examples_per_second": self.examples / seconds,
            "tokens_per_second": self.tokens / seconds,
            "model_flop_utilization": self.model_flops / seconds / self.peak_flops,
            "peak_memory_mib": self.peak_memory / 2**20,
        }

    def to_json(self) -> dict[str, Any]:
        """Gives everything as values that JSON can hold."""
        return {**asdict(self), "figures": self.figures()}


def profile_training(
    model: Any, dataset: Any, *, steps: int = 20, directory: Path | None = None
) -> TrainingProfile:
    """Trains a few steps, and looks where their time goes.

    Forward and backward passes are timed apart from the steps, on the same batches: forward alone,
    gradients, and the whole step; the differences are the parts. The model is trained by it.

    Args:
        model: A compiled task model.
        dataset: What its ``dataset`` made.
        steps: How many steps to measure; at least as many are done before, to compile.
        directory: Where TensorBoard's own profile of some further steps goes; None: nowhere.

    Returns:
        The profile.
    """
    import tensorflow as tf

    parts = _Parts(model)
    batches = _endless(dataset)
    for _ in range(max(3, steps // 2)):
        parts.time(next(batches))
    waits, seconds, seen = 0.0, [0.0, 0.0, 0.0], _Counts()
    for _ in range(steps):
        began = time.perf_counter()
        batch = next(batches)
        waits += time.perf_counter() - began
        seconds = [sum(pair) for pair in zip(seconds, parts.time(batch), strict=True)]
        seen.add(batch)
    forward, gradients, whole = seconds
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        tf.profiler.experimental.start(str(directory))
        for number in range(min(steps, 5)):
            with tf.profiler.experimental.Trace("train", step_num=number, _r=1):
                parts.step(next(batches))
        tf.profiler.experimental.stop()
    return TrainingProfile(
        steps=steps,
        examples=seen.examples,
        tokens=seen.tokens,
        cells=seen.cells,
        times=StepTimes(
            input_wait=waits,
            forward=forward,
            backward=max(0.0, gradients - forward),
            optimizer=max(0.0, whole - gradients),
        ),
        model_flops=training_flops(model, tokens=seen.tokens, pairs=seen.pairs),
        peak_flops=measure_peak_flops(model.compute_dtype),
        peak_memory=peak_memory(),
    )


def training_flops(model: Any, *, tokens: int, pairs: int) -> float:
    """Counts the operations that training on some examples needs.

    Each weight of a matrix takes a product and a sum by token, and twice that in the backward
    pass (Kaplan et al., arXiv:2001.08361, section 2.1); attention does the same with each pair of
    tokens, once for the scores and once for the values. Tables are looked up, not multiplied.

    Args:
        model: A task model.
        tokens: The number of tokens.
        pairs: The sum of the examples' squared lengths.

    Returns:
        Floating-point operations.
    """
    config = model.backbone.config
    tables = {id(each) for layer in _embeddings(model) for each in layer.weights}
    matrices = sum(
        keras.ops.size(each)
        for each in model.trainable_weights
        if len(each.shape) >= 2 and id(each) not in tables
    )
    attention = 2 * 2 * config.num_layers * config.hidden_size * pairs
    return 3.0 * (2 * int(matrices) * tokens + attention)


def measure_peak_flops(dtype: str) -> float:
    """Measures how fast this machine multiplies large matrices.

    Args:
        dtype: Their dtype.

    Returns:
        Operations per second, the best of a few tries.
    """
    import tensorflow as tf

    matrix = tf.cast(tf.random.stateless_normal((_MATRIX_SIZE,) * 2, (0, 1)), dtype)

    multiply = tf.function(lambda left: tf.reduce_sum(tf.cast(left @ matrix, tf.float32)))

    best = min(_clock(lambda: multiply(matrix)) for _ in range(_MATRIX_REPEATS))
    return 2.0 * _MATRIX_SIZE**3 / best


def peak_memory() -> int:
    """Reads the most bytes that were in use, on the first accelerator or in this process."""
    import resource
    import sys

    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Parts:
    """The forward pass, the gradients and the step of a model, each compiled alone."""

    def __init__(self, model: Any) -> None:
        import tensorflow as tf

        def loss_of(batch: Any) -> Any:
            x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
            y_pred = model(x, training=True)
            return model.compute_loss(x, y, y_pred, weight, training=True)

        def forward(batch: Any) -> Any:
            return loss_of(batch)

        def gradients(batch: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = loss_of(batch)
            flat = tf.nest.flatten(tape.gradient(loss, model.trainable_weights))
            # Without a use of every gradient the graph would be pruned.
            used = [tf.cast(tf.reduce_sum(each[..., :1]), tf.float32) for each in _dense(flat)]
            return loss, used

        def compiled(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            made: Callable[[Any], Any] = tf.function(
                function, reduce_retracing=True, jit_compile=model.jit_compile or None
            )
            return made

        self._functions = [compiled(each) for each in (forward, gradients, model.train_step)]

    def time(self, batch: Any) -> list[float]:
        return [_clock(lambda: function(batch)) for function in self._functions]  # noqa: B023

    def step(self, batch: Any) -> None:
        _clock(lambda: self._functions[-1](batch))


class _Counts:
    """Counts what is in batches."""

    def __init__(self) -> None:
        self.examples = self.tokens = self.cells = self.pairs = 0

    def add(self, batch: Any) -> None:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        mask = x["padding_mask"].numpy()
        lengths = mask.reshape(-1, mask.shape[-1]).sum(axis=-1).astype("int64")
        examples = int(mask.shape[0])
        if "pack_ids" in x:
            lengths = np.bincount(x["pack_ids"].numpy().ravel())[1:]
            examples = len(lengths)
        self.examples += examples
        self.tokens += int(lengths.sum())
        self.cells += mask.size
        self.pairs += int((lengths**2).sum())


def _embeddings(model: Any) -> list[Any]:
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Embedding)]


def _dense(gradients: list[Any]) -> list[Any]:
    return [getattr(each, "values", each) for each in gradients if each is not None]


def _endless(dataset: Any) -> Iterator[Any]:
    while True:
        yield from dataset


def _clock(action: Callable[[], Any]) -> float:
    """Times an action until its results are on the host."""
    import tensorflow as tf

    began = time.perf_counter()
    for each in tf.nest.flatten(action()):
        each.numpy()
    return time.perf_counter() - began
