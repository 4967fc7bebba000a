"""AdamW's arithmetic on TensorFlow variables, in few passes over memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

# Below this many elements a table's update costs less than compiling a function for it.
_LARGE_TABLE: Final = 1_000_000


class Step(NamedTuple):
    """What one step does alike to all variables of a dtype.

    Attributes:
        rate: The learning rate, ().
        decayed: Share of a variable that is taken away, ().
        betas: What is kept of the two means.
        kept: The same as tensors; (), ().
        powers: The same, to the power of the step's number; (), ().
        epsilon: Added to the root of the velocity before its bias is corrected, ().
    """

    rate: Any
    decayed: Any
    betas: tuple[float, float]
    kept: tuple[Any, Any]
    powers: tuple[Any, Any]
    epsilon: Any


def is_resource(variable: Any) -> bool:
    """Tells whether a variable, Keras's or TensorFlow's, is one TensorFlow resource."""
    import tensorflow as tf

    inner = getattr(variable, "value", variable)
    return isinstance(getattr(inner, "handle", getattr(variable, "handle", None)), tf.Tensor)


def clip_by_global_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Scales gradients down to a length (Pascanu et al., arXiv:1211.5063).

    Args:
        gradients: Tensors, IndexedSlices or None.
        limit: The greatest length of all gradients together.

    Returns:
        The gradients, scaled by one number; IndexedSlices have each row once. All are NaN if the
        length is not finite.
    """
    import tensorflow as tf

    merged = [_merge_rows(gradient) for gradient in gradients]
    parts = [_values(gradient) for gradient in merged if gradient is not None]
    halves = [tf.nn.l2_loss(tf.cast(part, tf.float32)) for part in parts]
    norm = tf.sqrt(2.0 * tf.add_n(halves))
    scale = limit / tf.maximum(norm, limit) + (norm - norm)
    return [None if gradient is None else _scale(gradient, scale) for gradient in merged]


def begin_step(
    dtype: Any,
    *,
    learning_rate: Any,
    decay: float | None,
    number: Any,
    betas: tuple[float, float],
    epsilon: float,
) -> Step:
    """Computes once what ``update`` needs of each variable.

    Args:
        dtype: The variables'.
        learning_rate: float, ().
        decay: Share of a variable, times the learning rate, that is taken away, or None.
        number: The number of this step, from 1.
        betas: What is kept of the two means.
        epsilon: Added to the root of the velocity, after the correction of its bias, as in the
            paper (Kingma and Ba, arXiv:1412.6980, algorithm 1) and in PyTorch. Keras adds it
            before, which in the first steps makes it up to thirty times as large.

    Returns:
        The numbers.
    """
    import tensorflow as tf

    rate, count = tf.cast(learning_rate, dtype), tf.cast(number, dtype)
    kept = (tf.cast(betas[0], dtype), tf.cast(betas[1], dtype))
    powers = (tf.pow(kept[0], count), tf.pow(kept[1], count))
    return Step(
        rate=rate,
        decayed=rate * tf.cast(decay or 0.0, dtype),
        betas=betas,
        kept=kept,
        powers=powers,
        epsilon=tf.cast(epsilon, dtype) * tf.sqrt(1.0 - powers[1]),
    )


def update(
    variable: Any, momentum: Any, velocity: Any, gradient: Any, *, step: Step, decays: bool
) -> None:
    """Updates one variable and its two moments (arXiv:1711.05101, algorithm 2).

    Args:
        variable: tf.Variable, float.
        momentum: tf.Variable: the mean of the gradients.
        velocity: tf.Variable: the mean of their squares.
        gradient: A tensor, or IndexedSlices that have each row once.
        step: The step's numbers.
        decays: Whether a share of the variable is taken away.
    """
    import tensorflow as tf

    dtype, betas, powers = variable.dtype, step.betas, step.powers
    if _is_large_table(variable, gradient) and min(betas) > 0:
        rows = tf.cast(gradient.values, dtype)
        for moment, beta, values in (
            (momentum, betas[0], rows),
            (velocity, betas[1], tf.square(rows)),
        ):
            # The table's update shrinks what is added here as well.
            added = values * tf.constant((1.0 - beta) / beta, dtype)
            moment.scatter_add(tf.IndexedSlices(added, gradient.indices))
        corrected = step.rate * tf.sqrt(1.0 - powers[1]) / (1.0 - powers[0])
        shrink = 1.0 - step.decayed if decays else tf.ones((), dtype)
        # A function of its own for each trace: TensorFlow ties a trace to its variables.
        update_table = tf.function(_update_table, jit_compile=True, autograph=False)
        update_table(variable, momentum, velocity, corrected, shrink, *step.kept, step.epsilon)
        return
    if decays:
        variable.assign_sub(variable * step.decayed)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=momentum.handle,
        v=velocity.handle,
        beta1_power=powers[0],
        beta2_power=powers[1],
        lr=step.rate,
        beta1=step.kept[0],
        beta2=step.kept[1],
        epsilon=step.epsilon,
        grad=tf.convert_to_tensor(tf.cast(gradient, dtype)),
        use_locking=True,
    )


def _update_table(
    variable: Any,
    momentum: Any,
    velocity: Any,
    rate: Any,
    shrink: Any,
    beta_1: Any,
    beta_2: Any,
    epsilon: Any,
) -> None:
    """Updates a table whose moments already hold the gradient.

    Every row moves in each step, with a gradient or without. As operations this takes a dozen
    passes over the table; compiled into one loop, it takes one.
    """
    import tensorflow as tf

    mean, square = momentum * beta_1, velocity * beta_2
    variable.assign(variable * shrink - rate * mean / (tf.sqrt(square) + epsilon))
    momentum.assign(mean)
    velocity.assign(square)


def _is_large_table(variable: Any, gradient: Any) -> bool:
    """Tells whether compiling a function for the update pays, which eager steps would repeat."""
    import tensorflow as tf

    large = variable.shape.num_elements() >= _LARGE_TABLE
    return large and _is_sparse(gradient) and not tf.executing_eagerly()


def _merge_rows(gradient: Any) -> Any:
    """Adds up the rows of IndexedSlices that stand there several times."""
    import tensorflow as tf

    if not _is_sparse(gradient):
        return gradient
    indices, places = tf.unique(gradient.indices)
    rows = tf.math.unsorted_segment_sum(gradient.values, places, tf.shape(indices)[0])
    return tf.IndexedSlices(rows, indices, gradient.dense_shape)


def _scale(gradient: Any, scale: Any) -> Any:
    import tensorflow as tf

    scaled = _values(gradient) * tf.cast(scale, gradient.dtype)
    if not _is_sparse(gradient):
        return scaled
    return tf.IndexedSlices(scaled, gradient.indices, gradient.dense_shape)


def _values(gradient: Any) -> Any:
    return gradient.values if _is_sparse(gradient) else gradient


def _is_sparse(gradient: Any) -> bool:
    import tensorflow as tf

    return isinstance(gradient, tf.IndexedSlices)
