"""Continues texts token by token with a language model of any family."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from tfaigc.families.headed import HeadedBackbone
from tfaigc.layers import LanguageModelHead, Memory, TextCache, attention_bias, make_layout
from tfaigc.models import TransformerStack
from tfaigc.models.writing import check_writes, empty_cache, extend, remember


class WriterState(NamedTuple):
    """What a writer remembers of the texts that it writes.

    Attributes:
        cache: What its decoder remembers.
        heads: For each layer, keys and values of the texts that an encoder has read; or empty.
        bias: float, (batch, 1, 1, length): which of these texts' tokens there are; or empty.
    """

    cache: TextCache
    heads: tuple[tuple[Any, Any], ...] = ()
    bias: Any = ()


class Writer:
    """Scores what may come next, and remembers what came before.

    Args:
        network: A causal language model, or an encoder-decoder with a language model's head.

    Raises:
        ConfigError: The network looks ahead, so that what it made of a text changes with what is
            written behind it.
    """

    def __init__(self, network: HeadedBackbone) -> None:
        self._network = network
        self._stack = _decoder(network)
        check_writes(self._stack)

    def start(self, token_ids: Any, padding_mask: Any, *, room: Any) -> tuple[Any, WriterState]:
        """Reads the texts that are to be continued.

        Args:
            token_ids: int, (batch, length).
            padding_mask: int, (batch, length): 0 where padding stands, which is before a text.
            room: How many tokens will be written at most.

        Returns:
            Logits of the next token, float32, (batch, vocabulary), and the state.
        """
        batch, length = ops.shape(token_ids)
        cache = empty_cache(self._stack, batch=batch, capacity=length + room)
        return self._read(token_ids, WriterState(cache), padding_mask)

    def start_from(
        self, inputs: dict[str, Any], token_ids: Any, *, room: Any
    ) -> tuple[Any, WriterState]:
        """Has the encoder of an encoder-decoder read texts, and begins to write others.

        Args:
            inputs: ``encoder_token_ids`` and ``encoder_padding_mask``: int, (batch, length).
            token_ids: int, (batch, begun): what the texts to be written begin with.
            room: How many tokens will be written at most.

        Returns:
            See ``start``.
        """
        stacks = self._network.backbone.encoder_decoder
        assert stacks is not None
        mask = inputs["encoder_padding_mask"]
        encoded = stacks.encode(inputs["encoder_token_ids"], padding_mask=mask)
        layout = make_layout(mask, remove_padding=False)
        bias = attention_bias(mask, dtype=self._stack.compute_dtype)
        memories = remember(self._stack, Memory(layout.to_rows(encoded), layout, bias))
        batch, begun = ops.shape(token_ids)
        cache = empty_cache(self._stack, batch=batch, capacity=begun + room)
        heads = tuple(memory.heads for memory in memories if memory.heads is not None)
        state = WriterState(cache, heads, bias)
        return self._read(token_ids, state, ops.ones_like(token_ids))

    def step(self, tokens: Any, state: WriterState) -> tuple[Any, WriterState]:
        """Writes a token behind each text.

        Args:
            tokens: int, (batch,).
            state: What ``start`` or ``step`` returned.

        Returns:
            See ``start``.
        """
        token_ids = tokens[:, None]
        return self._read(token_ids, state, ops.ones_like(token_ids))

    def take(self, state: WriterState, rows: Any) -> WriterState:
        """Picks texts, int, (picked,), each any number of times."""
        heads = tuple(
            (ops.take(key, rows, axis=0), ops.take(value, rows, axis=0))
            for key, value in state.heads
        )
        bias = ops.take(state.bias, rows, axis=0) if state.heads else ()
        return WriterState(state.cache.take(rows), heads, bias)

    def _read(
        self, token_ids: Any, state: WriterState, padding_mask: Any
    ) -> tuple[Any, WriterState]:
        layout = make_layout(padding_mask, remove_padding=False)
        memories = [Memory(None, layout, state.bias, heads) for heads in state.heads]
        sequence, cache = extend(
            self._stack, token_ids, state.cache, padding_mask=padding_mask, memories=memories
        )
        head = self._network.head
        assert isinstance(head, LanguageModelHead)
        table = self._network.backbone.token_table if head.settings.tied else None
        return head(sequence[:, -1], table=table), state._replace(cache=cache)


def _decoder(network: HeadedBackbone) -> TransformerStack:
    """Finds the stack that writes."""
    backbone = network.backbone
    if backbone.encoder_decoder is not None:
        return backbone.encoder_decoder.decoder
    assert isinstance(backbone.encoder, TransformerStack)
    return backbone.encoder
