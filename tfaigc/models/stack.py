"""The one stack: embeddings, then blocks in which tokens see each other, or only those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from tfaigc.layers import (
    AttentionCache,
    LayerFactory,
    Layout,
    Memory,
    attention_bias,
    make_layout,
    positions_in_text,
    positions_past_padding,
    recomputed,
    rotary_angles,
)
from tfaigc.layers.rotary import RotarySettings
from tfaigc.models.config import TransformerConfig
from tfaigc.models.parts import (
    make_block,
    make_embeddings,
    make_end,
    make_relative_bias,
    make_relative_embeddings,
    make_relative_waves,
)


class TransformerStack(keras.layers.Layer):
    """A stack of Transformer blocks over embedded tokens.

    Args:
        config: The stack's settings.
        factory: Makes the elementary layers.
        token: The table of tokens, where stacks share one; None: this one has its own.

    Attributes:
        frozen_layers: How many of the lowest layers training leaves alone, with the embeddings;
            None: none, nor the embeddings. See ``freeze_lowest``.
        recomputes: Whether the backward pass computes each block again instead of keeping what it
            computed, which takes less memory and more time.
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        factory: LayerFactory,
        token: keras.layers.Embedding | None = None,
        name: str = "encoder",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.config = config
        self.embeddings = make_embeddings(config, factory, token=token)
        self.relative_bias = make_relative_bias(config, factory)
        self.relative_embeddings = make_relative_embeddings(config, factory)
        self.relative_waves = make_relative_waves(config, factory)
        order = config.block_order()
        numbers = list(dict.fromkeys(order))
        self.blocks = [make_block(config, number, factory) for number in numbers]
        # One block may come up several times, with the same weights.
        self.block_order = tuple(numbers.index(number) for number in order)
        self.final_norm, self.final_projection, self.final_dropout = make_end(config, factory)
        self.layer_drop = (
            factory.layer_drop(config.layer_drop, name="layer_drop") if config.layer_drop else None
        )
        self.frozen_layers: int | None = None
        self.recomputes = False
        self.spare_row = None
        if config.spare_row:
            self.spare_row = factory.embedding(1, config.hidden_size, name="spare_row")
            self.spare_row.trainable = False

    def build(self, input_shape: Any) -> None:
        """Builds the parts."""
        for part in (
            self.embeddings,
            self.relative_bias,
            self.relative_embeddings,
            self.relative_waves,
            self.spare_row,
            *self.blocks,
        ):
            if part is not None:
                part.build(None)
        for part in (self.final_norm, self.final_projection):
            if part is not None:
                part.build((None, self.config.hidden_size))

    def call(
        self,
        token_ids: Any,
        *,
        padding_mask: Any,
        segment_ids: Any,
        pack_ids: Any = None,
        global_mask: Any = None,
        memory: Memory | None = None,
        remove_padding: bool = False,
        training: bool = False,
    ) -> Any:
        """Encodes a batch.

        Args:
            token_ids: int, (batch, length).
            padding_mask: int, (batch, length): 1 where a token is, 0 where padding is.
            segment_ids: int, (batch, length).
            pack_ids: int, (batch, length), or None: several texts in one row, each under an id
                of its own; a text's tokens stand together and attend only to each other.
            global_mask: int, (batch, length), or None: 1 where a token is global; only for stacks
                with global attention.
            memory: What the blocks' cross-attention looks at; None where they have none.
            remove_padding: Whether padding is left out of the dense layers. The result is the
                same but for padded cells, which are then zero; XLA cannot compile it.
            training: Whether dropout is active.

        Returns:
            float, (batch, length, output width).
        """
        layout = make_layout(padding_mask, remove_padding=remove_padding)
        rows = self.embeddings(
            layout.to_rows(token_ids),
            positions=self._positions(token_ids, padding_mask, pack_ids, layout),
            segment_ids=layout.to_rows(segment_ids),
            training=training and self.frozen_layers is None,
        )
        extra: dict[str, Any] = {} if memory is None else {"memory": memory}
        if self.relative_embeddings is not None:
            extra["distances"] = self.relative_embeddings(token_ids)
        if self.relative_waves is not None:
            extra["distances"] = self.relative_waves(segment_ids, training=training)
        if global_mask is not None:
            everywhere = attention_bias(padding_mask, pack_ids=pack_ids, dtype=self.compute_dtype)
            extra["global_tokens"] = (ops.cast(global_mask, "bool"), everywhere)
        rows = self.run_blocks(
            rows,
            layout=layout,
            biases=self.biases(padding_mask, pack_ids=pack_ids, global_mask=global_mask),
            angles=self._angles(token_ids, padding_mask, pack_ids),
            training=training,
            **extra,
        )
        return layout.to_grid(self.finish(rows, training=training))

    def run_blocks(
        self,
        rows: Any,
        *,
        layout: Layout,
        biases: Mapping[int | None, Any],
        angles: Mapping[RotarySettings, Any],
        caches: Sequence[AttentionCache] = (),
        memories: Sequence[Memory] = (),
        training: bool = False,
        **extra: Any,
    ) -> Any:
        """Takes rows through all blocks.

        Args:
            rows: float, (rows, hidden).
            layout: Where each row lies in the grid.
            biases: What ``biases`` returned.
            angles: What ``turn`` returned.
            caches: Each layer's tokens before these; empty: there are none.
            memories: What each layer's cross-attention looks at; empty: all at ``memory``, if it
                is given.
            training: Whether dropout is active.
            **extra: What all blocks take alike.

        Returns:
            float, (rows, hidden).
        """
        for layer, index in enumerate(self.block_order):
            if angles:
                extra["angles"] = angles[self.config.rotary[layer]]
            if caches:
                extra["cache"] = caches[layer]
            if memories:
                extra["memory"] = memories[layer]
            if layer == self.frozen_layers:
                rows = ops.stop_gradient(rows)
            learns = training and layer >= (self.frozen_layers or 0)
            block = self.blocks[index]
            before = rows
            rows = (partial(recomputed, block) if self.recomputes and learns else block)(
                rows,
                layout=layout,
                bias=biases[self._window(layer)],
                training=learns,
                **extra,
            )
            if self.layer_drop is not None:
                rows = self.layer_drop(rows, before, training=learns)
        return ops.stop_gradient(rows) if self.frozen_layers == len(self.block_order) else rows

    def finish(self, rows: Any, *, training: bool) -> Any:
        """Takes the last block's rows, float, (rows, hidden), to (rows, output width)."""
        if self.final_norm is not None:
            rows = self.final_norm(rows, training=training)
        if self.final_projection is not None:
            rows = self.final_projection(rows)
        if self.final_dropout is not None:
            rows = self.final_dropout(rows, training=training)
        return rows

    def _window(self, layer: int) -> int | None:
        return self.config.windows[layer] if self.config.windows else None

    def biases(
        self,
        padding_mask: Any,
        *,
        pack_ids: Any = None,
        global_mask: Any = None,
        queries: Any = None,
    ) -> dict[int | None, Any]:
        """Builds the bias on attention scores for each window that a layer has.

        Args:
            padding_mask: int, (batch, length).
            pack_ids: See ``call``.
            global_mask: See ``call``.
            queries: int, (queries,): the columns of the tokens that attend; None: all of them.

        Returns:
            By window, float, broadcastable to (batch, heads, queries, length).
        """
        biases = {
            window: attention_bias(
                padding_mask,
                causal=self.config.causal,
                pack_ids=pack_ids,
                window=window,
                global_mask=global_mask,
                queries=queries,
                dtype=self.compute_dtype,
            )
            for window in dict.fromkeys(self.config.windows or (None,))
        }
        if self.relative_bias is not None:
            relative = self.relative_bias(padding_mask, queries=queries)
            biases = {window: bias + relative for window, bias in biases.items()}
        return biases

    def _angles(
        self, token_ids: Any, padding_mask: Any, pack_ids: Any
    ) -> dict[RotarySettings, Any]:
        """Computes the rotary positions for each of the settings that a layer has."""
        if not self.config.rotary:
            return {}
        return self.turn(self._count(token_ids, padding_mask, pack_ids))

    def turn(self, positions: Any) -> dict[RotarySettings, Any]:
        """Computes rotary angles at positions, int, (batch, length), by their settings."""
        return {
            settings: rotary_angles(positions, settings)
            for settings in dict.fromkeys(self.config.rotary)
        }

    def _positions(self, token_ids: Any, padding_mask: Any, pack_ids: Any, layout: Layout) -> Any:
        """Finds each row's row in the position table, or None where there is no table."""
        if self.config.position_kind == "none":
            return None
        if self.config.position_kind == "past_padding":
            positions = positions_past_padding(
                token_ids, padding_id=self.config.position_padding_id, pack_ids=pack_ids
            )
        else:
            positions = self._count(token_ids, padding_mask, pack_ids)
        return layout.to_rows(positions + self.config.position_offset)

    def _count(self, token_ids: Any, padding_mask: Any, pack_ids: Any) -> Any:
        counted = padding_mask if self.config.skip_padding else None
        return positions_in_text(token_ids, pack_ids, padding_mask=counted)
