"""How many tokens of a text and its pair are kept."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def one_of_two(cut: Any, whole: Any, *, room: int) -> Any:
    """Decides how many tokens of the one text that is cut are kept.

    Args:
        cut: int64, (n,): the lengths of the texts that are cut.
        whole: int64, (n,): the lengths of the others.
        room: The most tokens of both together.

    Returns:
        int64, (n,): the tokens to keep.

    Raises:
        tf.errors.InvalidArgumentError: A text that is to be kept whole leaves no room.
    """
    left = room - whole
    check = tf.debugging.assert_equal(
        tf.reduce_any((cut > left) & (left < 1)),
        False,
        message="The text that is not truncated must leave room for a token of the other one. "
        "Pass a larger max_length, or truncation='longest_first'.",
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.minimum(cut, left)


def longest_first(first: Any, second: Any, *, room: int) -> tuple[Any, Any]:
    """Divides the room between two texts as the Rust tokenizer does.

    The shorter text stays whole as long as it takes at most half of the room; otherwise both get
    half of it, and the longer one the odd token.

    Args:
        first: int64, (n,): the lengths of the texts.
        second: int64, (n,): the lengths of their pairs.
        room: The most tokens of both together.

    Returns:
        int64, (n,), twice: the tokens to keep of each.
    """
    half = room // 2
    short, long = tf.minimum(first, second), tf.maximum(first, second)
    long = tf.where(short > room, short, tf.maximum(short, room - short))
    over = short + long > room
    short = tf.where(over, tf.cast(half, tf.int64), short)
    long = tf.where(over, tf.cast(half + room % 2, tf.int64), long)
    fits = first + second <= room
    swapped = first > second
    kept_first = tf.where(fits, first, tf.where(swapped, long, short))
    kept_second = tf.where(fits, second, tf.where(swapped, short, long))
    return kept_first, kept_second
