"""Which tokens a token may attend to, as a bias on the attention scores."""

from __future__ import annotations

from typing import Any

from keras import ops


def attention_bias(
    padding_mask: Any,
    *,
    causal: bool = False,
    pack_ids: Any = None,
    window: int | None = None,
    global_mask: Any = None,
    queries: Any = None,
    dtype: str = "float32",
) -> Any:
    """Builds the bias that is added to attention scores before the softmax.

    Args:
        padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
        causal: Whether a token attends only to itself and the tokens before it.
        pack_ids: int, (batch, length), or None: tokens attend only to tokens of the same id.
        window: Tokens attend only to tokens at most this far away; None: however far away.
        global_mask: int, (batch, length), or None: tokens attend to those with 1 however far.
        queries: int, (queries,): the columns of the tokens that attend; None: all of them.
        dtype: The floating type of the scores.

    Returns:
        float, (batch, 1, queries or 1, length): 0 where attention is allowed, a large negative
        number elsewhere.

    Example:
        >>> attention_bias(ops.array([[1, 0]]))[0, 0, 0, 0]
        <tf.Tensor: ... numpy=0.0>
    """
    allowed = ops.cast(padding_mask, "bool")[:, None, None, :]
    columns = ops.arange(ops.shape(padding_mask)[1], dtype="int32")
    queries = columns if queries is None else queries
    if pack_ids is not None:
        same = ops.equal(pack_ids[:, :, None], pack_ids[:, None, :])
        allowed = ops.logical_and(allowed, same[:, None, :, :])
    if causal:
        before = ops.greater_equal(queries[:, None], columns[None, :])
        allowed = ops.logical_and(allowed, before[None, None, :, :])
    if window is not None:
        near = ops.less_equal(ops.abs(queries[:, None] - columns[None, :]), window)
        near = near[None, None, :, :]
        if global_mask is not None:
            near = ops.logical_or(near, ops.cast(global_mask, "bool")[:, None, None, :])
        allowed = ops.logical_and(allowed, near)
    # The type's own minimum would overflow to infinity when a score is added to it.
    lowest = -3e4 if dtype == "float16" else -1e9
    return ops.where(allowed, ops.cast(0.0, dtype), ops.cast(lowest, dtype))
