"""Chooses the bricks that a stack's settings ask for."""

from __future__ import annotations

import keras

from tfaigc.layers import (
    Attention,
    DisentangledAttention,
    FeedForward,
    GlobalAttention,
    LayerFactory,
    RelativeAttention,
    RelativeBias,
    RelativeEmbeddings,
    RelativeWaves,
    TransformerBlock,
    TransformerEmbeddings,
)
from tfaigc.models.config import TransformerConfig


def make_block(
    config: TransformerConfig, number: tuple[int, ...], factory: LayerFactory
) -> TransformerBlock:
    """Makes one block.

    Args:
        config: The stack's settings.
        number: The block's place in the stack, or its group and its place there.
        factory: Makes the elementary layers.

    Returns:
        The block, not built.
    """
    return TransformerBlock(
        attention=make_attention(config, number, factory),
        feed_forward=FeedForward(
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            activation_name=config.activation,
            factory=factory,
            use_bias=config.feed_forward_biases,
            gated=config.gated,
            inner_dropout=config.feed_forward_inner_dropout,
        ),
        hidden_size=config.hidden_size,
        norm_epsilon=config.norm_epsilon,
        norm_bias=config.norm_bias,
        norm_kind=config.norm_kind,
        attention_dropout=_given(config.attention_output_dropout, config.hidden_dropout),
        feed_forward_dropout=_given(config.feed_forward_output_dropout, config.hidden_dropout),
        factory=factory,
        pre_norm=config.pre_norm,
        parallel_residual=config.parallel_residual,
        attention_norm=config.first_norm or number != (0,),
        cross_attention=(
            _dot_product_attention(config, number, factory, name="cross_attention")
            if config.cross_attention
            else None
        ),
        name="_".join(["block", *map(str, number)]),
    )


def make_attention(
    config: TransformerConfig, number: tuple[int, ...], factory: LayerFactory
) -> Attention | DisentangledAttention | GlobalAttention | RelativeAttention:
    """Makes the attention of one block, not built; see ``make_block``."""
    if config.global_attention:
        return GlobalAttention(
            hidden_size=config.hidden_size,
            num_heads=config.num_heads,
            dropout=config.attention_dropout,
            factory=factory,
        )
    if config.relative_waves:
        return RelativeAttention(
            hidden_size=config.hidden_size,
            num_heads=config.num_heads,
            dropout=config.attention_dropout,
            factory=factory,
        )
    distances = config.disentangled
    if distances is None:
        return _dot_product_attention(config, number, factory, name="attention")
    return DisentangledAttention(
        hidden_size=config.hidden_size,
        num_heads=config.num_heads,
        dropout=config.attention_dropout,
        terms=distances.terms if distances.has_table else (),
        num_scaled=1 + len(distances.terms),
        shared=distances.shared,
        distance_dropout=config.hidden_dropout,
        factory=factory,
    )


def _dot_product_attention(
    config: TransformerConfig, number: tuple[int, ...], factory: LayerFactory, *, name: str
) -> Attention:
    return Attention(
        hidden_size=config.hidden_size,
        num_heads=config.num_heads,
        dropout=config.attention_dropout,
        factory=factory,
        use_bias=config.attention_biases,
        output_bias=config.attention_output_bias,
        num_key_value_heads=config.num_key_value_heads,
        head_size=config.head_size,
        scale=config.attention_scales[number[0]] if config.attention_scales else None,
        query_key_norm=config.norm_epsilon if config.query_key_norm else None,
        name=name,
    )


def make_embeddings(
    config: TransformerConfig, factory: LayerFactory, *, token: keras.layers.Embedding | None
) -> TransformerEmbeddings:
    """Makes what embeds tokens, not built.

    Args:
        config: The stack's settings.
        factory: Makes the elementary layers.
        token: The table of tokens, where stacks share one; None: it is made here.
    """
    has_table = config.position_kind != "none"
    return TransformerEmbeddings(
        vocabulary_size=config.vocabulary_size,
        hidden_size=config.hidden_size,
        embedding_size=config.embedding_size or config.hidden_size,
        num_positions=config.max_positions + config.position_offset if has_table else 0,
        num_segments=0 if config.relative_waves else config.num_segments,
        norm_epsilon=config.norm_epsilon,
        norm_bias=config.norm_bias,
        norm_kind=config.norm_kind if config.embedding_norm else None,
        dropout=config.hidden_dropout,
        factory=factory,
        always_project=config.always_project,
        project_tokens=config.project_tokens,
        token=token,
        token_scale=config.embedding_scale,
        sinusoidal=config.position_kind == "sinusoidal",
    )


def make_end(
    config: TransformerConfig, factory: LayerFactory
) -> tuple[keras.layers.Layer | None, keras.layers.Dense | None, keras.layers.Dropout | None]:
    """Makes what follows the last block, not built.

    Args:
        config: The stack's settings.
        factory: Makes the elementary layers.

    Returns:
        A norm, a projection to another width, and dropout; None for each that is not asked for.
    """
    norm = projection = dropout = None
    if config.pre_norm and config.final_norm:
        norm = factory.norm(
            config.norm_kind, config.norm_epsilon, name="final_norm", use_bias=config.norm_bias
        )
    if config.output_width != config.hidden_size:
        projection = factory.dense(config.output_size, name="final_projection", use_bias=False)
    if config.final_dropout:
        dropout = factory.dropout(config.final_dropout, name="final_dropout")
    return norm, projection, dropout


def make_relative_bias(config: TransformerConfig, factory: LayerFactory) -> RelativeBias | None:
    """Makes the bias by distance, not built, if the settings ask for one."""
    if not config.relative_buckets:
        return None
    return RelativeBias(
        num_heads=config.num_heads,
        num_buckets=config.relative_buckets,
        num_rows=config.relative_rows or None,
        max_distance=config.relative_distance,
        both_ways=not config.causal,
        factory=factory,
    )


def make_relative_embeddings(
    config: TransformerConfig, factory: LayerFactory
) -> RelativeEmbeddings | None:
    """Makes the vectors for distances, not built, if the settings ask for them."""
    distances = config.disentangled
    if distances is None or not distances.has_table:
        return None
    return RelativeEmbeddings(
        hidden_size=config.hidden_size,
        num_buckets=distances.num_buckets,
        max_distance=distances.max_distance,
        max_length=config.max_length,
        norm_epsilon=config.norm_epsilon if distances.norm else None,
        factory=factory,
    )


def make_relative_waves(config: TransformerConfig, factory: LayerFactory) -> RelativeWaves | None:
    """Makes what looks at pairs of tokens, if the settings ask for it."""
    if not config.relative_waves:
        return None
    return RelativeWaves(
        hidden_size=config.hidden_size,
        max_distance=config.relative_distance,
        dropout=config.hidden_dropout,
        factory=factory,
    )


def _given(share: float | None, otherwise: float) -> float:
    return otherwise if share is None else share
