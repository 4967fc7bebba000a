"""AdamW as fine-tuning uses it."""

from __future__ import annotations

from typing import Any

import keras

from tfaigc.errors import ConfigError
from tfaigc.training.schedules import WarmupSchedule


def adamw(
    model: keras.Model,
    learning_rate: float | WarmupSchedule,
    *,
    weight_decay: float = 0.01,
    max_grad_norm: float | None = 1.0,
) -> keras.optimizers.AdamW:
    """Makes the default optimizer: AdamW (Loshchilov and Hutter, arXiv:1711.05101).

    Weights decay in matrices only; biases and norms do not.

    Args:
        model: The built model that will be trained.
        learning_rate: The rate, or a schedule of rates.
        weight_decay: Share of a matrix, times the learning rate, that each step takes away.
        max_grad_norm: Longest gradient, over all weights together; None: no clipping.

    Returns:
        The optimizer.

    Raises:
        ConfigError: An argument is out of its range.
    """
    if weight_decay < 0:
        raise ConfigError(f"weight_decay must be at least 0. Received: {weight_decay}.")
    if max_grad_norm is not None and max_grad_norm <= 0:
        raise ConfigError(
            f"max_grad_norm must be above 0, or None for no clipping. Received: {max_grad_norm}."
        )
    optimizer = AdamW(
        learning_rate,
        weight_decay=weight_decay,
        beta_2=0.999,
        epsilon=1e-8,
        global_clipnorm=max_grad_norm,
    )
    vectors = [variable for variable in model.trainable_variables if len(variable.shape) < 2]
    optimizer.exclude_from_weight_decay(var_list=vectors)
    return optimizer


@keras.saving.register_keras_serializable("tfaigc")
class AdamW(keras.optimizers.AdamW):
    """Keras's AdamW, whose update is one fused operation where TensorFlow has one.

    The update of an embedding table is a large part of a small model's training step: Keras
    writes it as a dozen operations, each of which reads and writes the whole table.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable and its two moments.

        Args:
            gradient: float, the variable's shape.
            variable: The variable.
            learning_rate: float, ().
        """
        if not _has_fused_update(self, variable):
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.convert_to_tensor(tf.cast(gradient, variable.dtype)),
            use_locking=True,
        )


def _has_fused_update(optimizer: AdamW, variable: Any) -> bool:
    """Tells whether a variable lives as one TensorFlow resource outside any distribution."""
    if keras.backend.backend() != "tensorflow" or optimizer.amsgrad:
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy() and isinstance(
        getattr(variable, "handle", None), tf.Tensor
    )
