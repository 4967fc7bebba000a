"""A training step whose batch counts by its weight, computed in parts to save memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras


def weighted_train_step(
    model: Any,
    data: Any,
    *,
    parts: int,
    weight: Callable[[Any, Any], Any],
    usual_weight: float | None = None,
) -> dict[str, Any]:
    """Does the training step of a whole batch, with the activations of a part in memory.

    The gradients are those of the whole batch up to rounding, also where parts differ in size:
    each counts with its share of the batch's weight. Dropout differs, of course.

    Losses are means over a batch. Where batches differ in weight by design, each mean's gradient
    is multiplied by the batch's share of the usual weight: over an epoch all examples then count
    alike, whichever batches they were in.

    Args:
        model: A compiled model on the TensorFlow backend.
        data: What Keras's ``train_step`` gets.
        parts: In how many parts to compute the batch; fewer where it has fewer examples.
        weight: Takes targets and sample weights, of a part or of the batch, to a number, float32,
            (): what the mean that the loss takes divides by.
        usual_weight: The weight of batches, on average; None: all batches count alike.

    Returns:
        The metrics, as ``train_step`` gives them.
    """
    import tensorflow as tf

    _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    rows = tf.shape(tf.nest.flatten(data)[0])[0]
    count = tf.minimum(parts, rows)
    whole = tf.cast(weight(y, sample_weight), tf.float32)
    worth = 1.0 if usual_weight is None else whole / usual_weight

    def compute(part: Any) -> tuple[Any, list[Any]]:
        taken = data
        if parts > 1:
            begin, end = part * rows // count, (part + 1) * rows // count
            taken = _take_rows(data, begin, end)
        x_part, y_part, weight_part = keras.utils.unpack_x_y_sample_weight(taken)
        share = tf.cast(weight(y_part, weight_part), tf.float32) / whole
        with tf.GradientTape() as tape:
            y_pred = model(x_part, training=True)
            loss = model.compute_loss(
                x=x_part, y=y_part, y_pred=y_pred, sample_weight=weight_part, training=True
            )
            loss = loss * tf.cast(share, loss.dtype)
            scaled = model.optimizer.scale_loss(loss * tf.cast(worth, loss.dtype))
        model.compute_metrics(x_part, y_part, y_pred, weight_part)
        return loss, tape.gradient(scaled, model.trainable_weights)

    loss, gradients = compute(0) if parts == 1 else _sum(compute, count)
    model._loss_tracker.update_state(loss, sample_weight=whole)
    model.optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
    metrics: dict[str, Any] = model.get_metrics_result()
    return metrics


def _take_rows(data: Any, begin: Any, end: Any) -> Any:
    """Takes some rows of a batch, and of what it has for each text the texts in these rows."""
    import tensorflow as tf

    inputs = data[0] if isinstance(data, tuple) else data
    if not isinstance(inputs, Mapping) or "text_starts" not in inputs:
        return tf.nest.map_structure(lambda tensor: tensor[begin:end], data)
    grids = {name: grid[begin:end] for name, grid in inputs.items() if name != "text_starts"}
    cells = tf.shape(inputs["token_ids"])[1] * tf.stack([begin, end])
    first, behind = tf.unstack(tf.searchsorted(inputs["text_starts"], cells))
    starts = inputs["text_starts"][first:behind] - cells[0]
    targets = tf.nest.map_structure(lambda tensor: tensor[first:behind], tuple(data[1:]))
    return ({**grids, "text_starts": starts}, *targets)


def _sum(compute: Callable[[Any], tuple[Any, list[Any]]], count: Any) -> tuple[Any, list[Any]]:
    """Adds up the losses and gradients of parts 0 to ``count`` - 1, one after the other."""
    import tensorflow as tf

    loss, gradients = compute(tf.constant(0))
    present = [gradient for gradient in gradients if gradient is not None]

    def body(part: Any, loss: Any, *sums: Any) -> tuple[Any, ...]:
        more_loss, more = compute(part)
        added = [gradient for gradient in more if gradient is not None]
        packed = _regroup(sums, present)
        return (part + 1, loss + more_loss, *_flatten(map(_add, packed, added)))

    flat = _flatten(present)
    invariants = [_any_rows(tensor, gradient) for tensor, gradient in _owners(present)]
    _, loss, *sums = tf.while_loop(
        lambda part, *_: part < count,
        body,
        (tf.constant(1), loss, *flat),
        shape_invariants=(tf.TensorShape([]), loss.shape, *invariants),
        # The parts must not be in memory together.
        parallel_iterations=1,
    )
    summed = iter(_regroup(sums, present))
    return loss, [None if gradient is None else next(summed) for gradient in gradients]


def _add(one: Any, other: Any) -> Any:
    """Adds gradients; the rows of tables are strung together, as the optimizer merges them."""
    import tensorflow as tf

    if not isinstance(one, tf.IndexedSlices):
        return one + other
    return tf.IndexedSlices(
        tf.concat([one.values, other.values], axis=0),
        tf.concat([one.indices, other.indices], axis=0),
        one.dense_shape,
    )


def _owners(gradients: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pairs each tensor that a loop must carry with its gradient."""
    import tensorflow as tf

    return [
        (tensor, gradient)
        for gradient in gradients
        for tensor in (
            (gradient.values, gradient.indices)
            if isinstance(gradient, tf.IndexedSlices)
            else (gradient,)
        )
    ]


def _flatten(gradients: Any) -> list[Any]:
    return [tensor for tensor, _ in _owners(list(gradients))]


def _any_rows(tensor: Any, gradient: Any) -> Any:
    """The shape that a tensor keeps through the loop."""
    import tensorflow as tf

    if isinstance(gradient, tf.IndexedSlices):
        return tf.TensorShape([None, *tensor.shape[1:]])
    return tensor.shape


def _regroup(tensors: Sequence[Any], like: Sequence[Any]) -> list[Any]:
    """Undoes ``_flatten``."""
    import tensorflow as tf

    rest = iter(tensors)
    return [
        tf.IndexedSlices(next(rest), next(rest), gradient.dense_shape)
        if isinstance(gradient, tf.IndexedSlices)
        else next(rest)
        for gradient in like
    ]
