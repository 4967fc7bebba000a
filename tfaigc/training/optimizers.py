"""AdamW as fine-tuning uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from tfaigc.errors import ConfigError
from tfaigc.training import fused_adamw
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
    """Keras's AdamW in few passes over memory, where TensorFlow has the operations for it.

    The update of an embedding table is a large part of a small model's training step: Keras
    writes it as two dozen operations, each of which reads or writes the whole table, although a
    batch has gradients for some hundred of its rows only. The results are PyTorch's, up to
    rounding; where the operations are missing, Keras's, which differ in where epsilon stands.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable and its two moments.

        Args:
            gradient: float, the variable's shape; a tensor, or rows of one (IndexedSlices).
            variable: The variable.
            learning_rate: float, ().
        """
        if not self._is_fused(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        self._update_fused(gradient, variable, self._begin_step(variable.dtype, learning_rate))

    def _backend_update_step(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any], learning_rate: Any
    ) -> None:
        pairs = list(zip(grads, trainable_variables, strict=True))
        others = [pair for pair in pairs if not self._is_fused(pair[1])]
        if others:
            super()._backend_update_step(*zip(*others, strict=True), learning_rate)
        # What all variables of a dtype have in common is computed once.
        steps: dict[Any, fused_adamw.Step] = {}
        for gradient, variable in pairs:
            if self._is_fused(variable):
                if variable.dtype not in steps:
                    steps[variable.dtype] = self._begin_step(variable.dtype, learning_rate)
                self._update_fused(gradient, variable, steps[variable.dtype])

    def _begin_step(self, dtype: Any, learning_rate: Any) -> fused_adamw.Step:
        return fused_adamw.begin_step(
            dtype,
            learning_rate=learning_rate,
            decay=self.weight_decay,
            number=self.iterations + 1,
            betas=(self.beta_1, self.beta_2),
            epsilon=self.epsilon,
        )

    def _update_fused(self, gradient: Any, variable: Any, step: fused_adamw.Step) -> None:
        index = self._get_variable_index(variable)
        fused_adamw.update(
            variable.value if isinstance(variable, keras.Variable) else variable,
            self._momentums[index].value,
            self._velocities[index].value,
            gradient,
            step=step,
            decays=self.weight_decay is not None and self._use_weight_decay(variable),
        )

    def _clip_gradients(self, grads: Sequence[Any]) -> Sequence[Any]:
        if not _has_fused_updates() or not self.global_clipnorm:
            clipped: Sequence[Any] = super()._clip_gradients(grads)
            return clipped
        return fused_adamw.clip_by_global_norm(grads, self.global_clipnorm)

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        super()._apply_weight_decay([each for each in variables if not self._is_fused(each)])

    def _is_fused(self, variable: Any) -> bool:
        return not self.amsgrad and _has_fused_updates() and fused_adamw.is_resource(variable)


def _has_fused_updates() -> bool:
    """Tells whether variables live as one TensorFlow resource each, outside any distribution."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy()
