"""Reads texts with a stack piece by piece, so that what was read need not be read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from keras import ops

from tfaigc.errors import ConfigError
from tfaigc.layers import Memory, TextCache, make_layout, write_columns
from tfaigc.models.stack import TransformerStack


def check_writes(stack: TransformerStack) -> None:
    """Refuses a stack that cannot go on where it stopped.

    Args:
        stack: What is to write.

    Raises:
        ConfigError: What its tokens see of those before them changes with those behind.
    """
    config = stack.config
    looks_ahead = not config.causal or config.global_attention
    if looks_ahead or stack.relative_embeddings is not None or stack.relative_waves is not None:
        raise ConfigError(
            "A text can be written where a token sees none but those before it, as they were. "
            "Received: attention that looks ahead. Take a causal language model."
        )
    if config.position_kind == "past_padding":
        raise ConfigError(
            "A text can be written where positions are counted from 0. Received: positions past "
            "the padding token. Take another checkpoint."
        )


def empty_cache(stack: TransformerStack, *, batch: Any, capacity: Any) -> TextCache:
    """Makes room for texts that are to be read.

    Args:
        stack: What reads them.
        batch: How many there are.
        capacity: Most tokens of each, padding included.

    Returns:
        The cache, in which nothing is filled.
    """
    attention = stack.blocks[0].attention
    shape = (batch, attention.num_key_value_heads, capacity, attention.head_size)
    empty = tuple(ops.zeros(shape, stack.compute_dtype) for _ in stack.block_order)
    length = ops.convert_to_tensor(0, dtype="int32")
    return TextCache(empty, empty, ops.zeros((batch, capacity), "int32"), length)


def remember(stack: TransformerStack, memory: Memory) -> tuple[Memory, ...]:
    """Computes once what each layer's cross-attention looks at.

    Args:
        stack: A decoder.
        memory: An encoder's rows.

    Returns:
        The memory of each layer.
    """
    layers: list[Any] = [stack.blocks[index].cross_attention for index in stack.block_order]
    return tuple(replace(memory, heads=layer.keys_and_values(memory)) for layer in layers)


def extend(
    stack: TransformerStack,
    token_ids: Any,
    cache: TextCache,
    *,
    padding_mask: Any,
    memories: Sequence[Memory] = (),
) -> tuple[Any, TextCache]:
    """Reads tokens behind those that a cache remembers; see ``check_writes``.

    Args:
        stack: What reads.
        token_ids: int, (batch, new).
        cache: What came before.
        padding_mask: int, (batch, new): 1 where a token is, 0 where padding is.
        memories: What ``remember`` returned, for a decoder with cross-attention.

    Returns:
        float, (batch, new, output width), and the cache with these tokens.
    """
    padding_mask = ops.cast(padding_mask, "int32")
    mask = write_columns(cache.mask, padding_mask, cache.length, axis=1)
    queries = cache.length + ops.arange(ops.shape(token_ids)[1], dtype="int32")
    positions = ops.broadcast_to(queries[None], ops.shape(token_ids))
    if stack.config.skip_padding:
        before = ops.sum(cache.mask, axis=1, keepdims=True)
        positions = before + ops.cumsum(padding_mask, axis=1) - padding_mask
    layout = make_layout(padding_mask, remove_padding=False)
    has_table = stack.config.position_kind != "none"
    rows = stack.embeddings(
        layout.to_rows(token_ids),
        positions=layout.to_rows(positions + stack.config.position_offset) if has_table else None,
        segment_ids=layout.to_rows(ops.zeros_like(token_ids)),
    )
    caches = [cache.layer(layer) for layer in range(len(stack.block_order))]
    rows = stack.run_blocks(
        rows,
        layout=layout,
        biases=stack.biases(mask, queries=queries),
        angles=stack.turn(positions),
        caches=caches,
        memories=memories,
    )
    grown = TextCache(
        tuple(each.key for each in caches),
        tuple(each.value for each in caches),
        mask,
        cache.length + ops.shape(token_ids)[1],
    )
    return layout.to_grid(stack.finish(rows, training=False)), grown
