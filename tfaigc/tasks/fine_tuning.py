"""Training with Keras's own verbs, on raw records too."""

from __future__ import annotations

import functools
import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfaigc.data import EpochOrder, Table
from tfaigc.errors import ConfigError, TrainingError
from tfaigc.models import TransformerStack
from tfaigc.tasks.recovery import fit_to_the_end
from tfaigc.training import callbacks as training_callbacks
from tfaigc.training.accumulation import weighted_train_step
from tfaigc.training.optimizers import adamw
from tfaigc.training.schedules import WarmupSchedule

_log = logging.getLogger("tfaigc")

# Where nothing is known of the batches, nobody has larger ones.
_MOST_PARTS = 4096


class FineTunedModel(keras.Model):
    """A model whose ``compile`` knows how to fine-tune, and whose ``fit`` takes raw records."""

    _schedule: WarmupSchedule | None = None
    _parts: int = 1
    _usual_weight: float | None = None

    @abstractmethod
    def default_loss(self) -> keras.losses.Loss:
        """Returns the task's loss."""

    @abstractmethod
    def default_metrics(self) -> list[Any]:
        """Returns the metrics that training shows."""

    @abstractmethod
    def dataset(self, records: Any, *, batch_size: int = 32, shuffle: bool = False) -> Any:
        """Takes records to batches."""

    def compile(
        self,
        optimizer: Any = None,
        loss: Any = None,
        *,
        metrics: Any = None,
        learning_rate: float = 5e-5,
        weight_decay: float = 0.01,
        warmup_steps: float = 0.1,
        lr_scheduler_type: str = "linear",
        max_grad_norm: float | None = 1.0,
        gradient_accumulation_steps: int = 1,
        gradient_checkpointing: bool = False,
        **keras_arguments: Any,
    ) -> None:
        """Prepares training: AdamW with warm-up and decay, the task's loss and metrics.

        Args:
            optimizer: Keras's; it wins over the knobs below.
            loss: Keras's; it wins over the task's.
            metrics: Keras's; they win over the task's.
            learning_rate: The peak.
            weight_decay: Decay of matrices, as a share of the learning rate.
            warmup_steps: Steps of the rise; below 1, their share of all steps.
            lr_scheduler_type: See ``tfaigc.training.schedules.WarmupSchedule``.
            max_grad_norm: Longest gradient over all weights; None: no clipping.
            gradient_accumulation_steps: How many batches make a step. ``fit`` cuts records into
                steps of so many batches; a dataset's batches are steps already, and each is
                computed in so many parts. More of them take less memory and more time; the
                gradients are those of the whole step.
            gradient_checkpointing: Whether the backward pass computes each layer again instead
                of keeping what it computed: less memory, more time.
            **keras_arguments: Further arguments of ``keras.Model.compile``.

        Raises:
            ConfigError: An argument is out of its range, or no layer can be computed again.
        """
        self._set_checkpointing(gradient_checkpointing)
        if gradient_accumulation_steps < 1:
            raise ConfigError(
                "gradient_accumulation_steps must be at least 1. "
                f"Received: {gradient_accumulation_steps}. Pass 1 to compute a step at once."
            )
        self._parts = gradient_accumulation_steps
        if self._parts > 1:
            # Parts have sizes that only a step knows, which XLA cannot compile.
            keras_arguments.setdefault("jit_compile", False)
        self._schedule = None
        if optimizer is None:
            self._schedule = WarmupSchedule(
                learning_rate, kind=lr_scheduler_type, warmup_steps=warmup_steps
            )
            optimizer = adamw(
                self, self._schedule, weight_decay=weight_decay, max_grad_norm=max_grad_norm
            )
        super().compile(
            optimizer=optimizer,
            loss=self.default_loss() if loss is None else loss,
            metrics=self.default_metrics() if metrics is None else metrics,
            **keras_arguments,
        )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        validation_data: Any = None,
        initial_epoch: int = 0,
        **keras_arguments: Any,
    ) -> keras.callbacks.History:
        """Trains, as ``keras.Model.fit`` does; raw records are made into batches first.

        Args:
            x: Records, or what ``dataset`` made of them, or Keras's own kinds of data.
            y: Targets, for Keras's own kinds of data.
            batch_size: Examples in a batch; 32 for records.
            epochs: The epoch to train up to.
            verbose: Keras's.
            callbacks: Keras callbacks, such as ``tfaigc.callbacks.standard(...)``.
            validation_data: Like ``x``.
            initial_epoch: Epochs that were trained before.
            **keras_arguments: Further arguments of ``keras.Model.fit``.

        Returns:
            The history of losses and metrics.

        Raises:
            DataError: Records cannot be read or used.
            TrainingError: The model is not compiled, or the run's length cannot be told.
        """
        if not self.compiled:
            raise TrainingError("A model must be compiled before fit. Call model.compile() first.")
        if y is None:
            step_size = (batch_size or 32) * self._parts
            x = self._as_batches(x, batch_size=step_size, shuffle=True)
        validation_data = self._as_batches(validation_data, batch_size=batch_size)
        self.suit_data(x, validation_data)
        callbacks = list(callbacks or ())
        training_callbacks.attach(callbacks, x)
        self._prepare_run(
            x,
            epochs=epochs,
            steps_per_epoch=keras_arguments.get("steps_per_epoch"),
            initial_epoch=initial_epoch,
            steps_done=training_callbacks.steps_done(callbacks),
        )
        if isinstance(x, tf.data.Dataset):
            # Keras warns where its own default meets a dataset, which has its order already.
            keras_arguments.setdefault("shuffle", False)
        fit = functools.partial(
            super().fit,
            x,
            y,
            batch_size=None if isinstance(x, tf.data.Dataset) else batch_size,
            epochs=epochs,
            verbose=verbose,
            validation_data=validation_data,
            **keras_arguments,
        )
        try:
            return fit_to_the_end(
                self,
                fit,
                order=getattr(x, "batch_order", None),
                callbacks=[*_order_keepers(x), *callbacks],
                initial_epoch=initial_epoch,
            )
        finally:
            training_callbacks.close(callbacks)

    def _prepare_run(self, x: Any, **length: Any) -> None:
        """Weighs batches, plans the schedule, and makes the optimizer's variables."""
        self._weigh_batches(getattr(x, "batch_order", None))
        self._plan_schedule(x, **length)
        if not self.optimizer.built:
            # Variables made inside the first step would have TensorFlow trace that step twice.
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def suit_data(self, *datasets: Any) -> None:
        """Looks at what is trained on and measured by; some losses depend on it.

        Args:
            *datasets: What ``dataset`` made, or Keras's own kinds of data, or None.

        Raises:
            ConfigError: They do not go together, or not with the loss.
        """

    def train_step(self, data: Any) -> Any:
        """Does one step, in parts where ``compile`` or a lack of memory says so.

        Batches of a number of tokens count by their examples; see ``weighted_train_step``.
        """
        if self._parts == 1 and self._usual_weight is None:
            return super().train_step(data)
        return weighted_train_step(
            self,
            data,
            parts=self._parts,
            weight=self.loss_weight,
            usual_weight=self._usual_weight,
        )

    def test_step(self, data: Any) -> Any:
        """Measures one batch, whose loss counts by ``loss_weight``, not by its rows.

        So a validation's loss is the same whatever its batches are, packed ones too.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        # Keras has each replica's loss stand for its share of the whole one.
        replicas = tf.cast(tf.distribute.get_strategy().num_replicas_in_sync, loss.dtype)
        weight = self.loss_weight(y, sample_weight)
        self._loss_tracker.update_state(loss * replicas, sample_weight=weight)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def loss_weight(self, y: Any, sample_weight: Any) -> Any:
        """Says how much some examples count in the mean that the loss takes.

        Args:
            y: Targets.
            sample_weight: Their weights, or None.

        Returns:
            float32, (): here, the number of examples.
        """
        return tf.cast(tf.shape(tf.nest.flatten(y)[0])[0], tf.float32)

    def compute_in_more_parts(self, order: Any) -> bool:
        """Halves what a step has in memory, and doubles the number of its parts.

        Args:
            order: The dataset's ``batch_order``, or None.

        Returns:
            Whether that is possible.
        """
        rows = getattr(order, "most_rows", _MOST_PARTS)
        if self._parts >= rows:
            return False
        self._parts *= 2
        # See compile: XLA must know the sizes of the parts.
        self.jit_compile = False
        self.train_function = None
        _log.warning(
            "Out of memory: steps are computed in %d parts from here on%s; what they learn "
            "stays the same.",
            self._parts,
            "" if order is None else f", of at most {-(-rows // self._parts)} examples",
        )
        return True

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **keras_arguments: Any
    ) -> Any:
        """Measures loss and metrics, as ``keras.Model.evaluate`` does; takes raw records too."""
        if y is None:
            x = self._as_batches(x, batch_size=batch_size)
        self.suit_data(x)
        batch_size = None if isinstance(x, tf.data.Dataset) else batch_size
        return super().evaluate(x, y, batch_size=batch_size, **keras_arguments)

    def _set_checkpointing(self, recomputes: bool) -> None:
        """Tells the stacks whether to keep what they compute."""
        stacks = [each for each in self._flatten_layers() if isinstance(each, TransformerStack)]
        if recomputes and not stacks:
            raise ConfigError(
                "gradient_checkpointing needs layers of tfaigc. Received: a network without any. "
                "Pass gradient_checkpointing=False."
            )
        for stack in stacks:
            stack.recomputes = recomputes

    def _weigh_batches(self, order: Any) -> None:
        """Notes how much batches weigh, by which each step is to count."""
        usual_weight = getattr(order, "usual_weight", None)
        if usual_weight != self._usual_weight:
            self._usual_weight = usual_weight
            self.train_function = None

    def _as_batches(self, data: Any, *, batch_size: int | None, shuffle: bool = False) -> Any:
        if data is None or not is_raw(data):
            return data
        return self.dataset(data, batch_size=batch_size or 32, shuffle=shuffle)

    def _plan_schedule(
        self,
        data: Any,
        *,
        epochs: int,
        steps_per_epoch: int | None,
        initial_epoch: int,
        steps_done: int,
    ) -> None:
        """Tells the learning rate's schedule where the run began and where it ends."""
        if self._schedule is None:
            return
        if steps_per_epoch is None and isinstance(data, tf.data.Dataset):
            steps_per_epoch = int(data.cardinality())
        if not steps_per_epoch or steps_per_epoch < 1:
            raise TrainingError(
                "The learning rate's schedule must know how many steps an epoch has. Received: "
                "data of unknown length. Pass steps_per_epoch=, or compile with an optimizer."
            )
        done = steps_done or initial_epoch * steps_per_epoch
        self._schedule.plan(
            total_steps=epochs * steps_per_epoch,
            first_step=int(self.optimizer.iterations) - done,
        )


def is_raw(data: Any) -> bool:
    """Tells records from Keras's own kinds of data."""
    if isinstance(data, (str, Path, Table)) or type(data).__name__ == "DataFrame":
        return True
    return isinstance(data, list) and all(isinstance(record, (str, Mapping)) for record in data)


def _order_keepers(data: Any) -> list[keras.callbacks.Callback]:
    """Makes the callback that tells our own data which epoch it is in."""
    order = getattr(data, "batch_order", None)
    return [] if order is None else [EpochOrder(order)]
