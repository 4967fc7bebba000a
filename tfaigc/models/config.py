"""The settings of a Transformer, in one vocabulary for all families."""

from __future__ import annotations

from dataclasses import dataclass

from tfaigc.errors import ConfigError
from tfaigc.layers.layer_factory import NORM_KINDS
from tfaigc.layers.rotary import RotarySettings
from tfaigc.models.settings import DisentangledSettings, ImageSettings

# learned: a table, from row 0 on. past_padding: a table whose rows are counted from the padding
# token's id on, and padding tokens are not counted. sinusoidal: a table of waves that training
# leaves alone. none: no table.
POSITION_KINDS = ("learned", "past_padding", "sinusoidal", "none")


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """What a stack needs to know to be built.

    Args:
        vocabulary_size: Number of tokens.
        hidden_size: Width of the activations.
        num_layers: Number of blocks.
        num_heads: Number of attention heads; divides ``hidden_size`` where no head size is given.
        num_key_value_heads: Number of heads of keys and values; 0: as many as of queries.
        head_size: Width of a head; 0: the heads share ``hidden_size``.
        intermediate_size: Width inside the feed-forward networks.
        max_positions: Number of positions that can be told apart.
        num_segments: Number of segment ids; 0: segments are not told apart.
        embedding_size: Width of the embedding tables; 0: ``hidden_size``.
        always_project: Whether a dense layer follows the embeddings between equal widths too.
        project_tokens: Whether that layer, without a bias then, takes token embeddings to
            ``hidden_size`` before others are added; only between different widths.
        embedding_norm: Whether the embeddings are normed.
        embedding_scale: Factor on token embeddings.
        output_size: Width of what the stack returns; 0: ``hidden_size``. Another width takes a
            dense layer without a bias after the last block.
        position_kind: One of ``POSITION_KINDS``.
        position_offset: Rows of the table of positions before the one for position 0.
        skip_padding: Whether padding is left out when positions are counted, wherever it stands.
        position_padding_id: The token that positions are counted past; see ``"past_padding"``.
        relative_buckets: Buckets of distances that bias attention scores; 0: no such bias.
        relative_rows: Rows of the table of these biases; 0: as many as there are buckets.
        relative_waves: Whether attention looks at distances as waves, and at whether two tokens
            share a segment; then segments are told apart there alone.
        relative_distance: From this distance on, all distances count as one.
        disentangled: Settings of disentangled attention, or None: attention is dot products.
        rotary: For each layer, its rotary positions; empty: none.
        windows: For each layer, how far away tokens may be that a token attends to, or None;
            empty: tokens attend however far.
        global_attention: Whether single tokens may attend, and be attended to, however far.
        pre_norm: Whether norms stand before attention and feed-forward, and once at the end,
            instead of after each residual sum.
        first_norm: Whether the first block norms its input; only with ``pre_norm``.
        final_norm: Whether there is a norm at the end; only with ``pre_norm``.
        final_dropout: Share of the last activations that training drops.
        layer_drop: Chance that training leaves a block out.
        parallel_residual: Whether attention and feed-forward of a block read the same input; only
            with ``pre_norm``.
        norm_kind: One of ``NORM_KINDS``.
        norm_bias: Whether layer norms have biases.
        attention_biases: Whether the projections of attention have biases.
        attention_output_bias: Whether its last projection has one; None: as the others.
        attention_scales: For each layer, what queries are multiplied with; empty: the root of the
            head size's inverse.
        query_key_norm: Whether each head's queries and keys are normed by their root mean square.
        feed_forward_biases: Whether the feed-forward networks have biases.
        gated: Whether a second projection gates the feed-forward networks' activations.
        num_groups: Groups of layers with shared weights; 0: each layer has its own.
        blocks_in_group: Blocks that a layer of such a group consists of.
        activation: Activation of the feed-forward networks, under its name in ``config.json``.
        norm_epsilon: Added to the variance in layer norms.
        hidden_dropout: Share of activations that training drops: of the embeddings, and wherever
            no other share is given.
        attention_dropout: Share of attention weights that training drops.
        attention_output_dropout: Share of what attention adds; None: ``hidden_dropout``.
        feed_forward_inner_dropout: Share of the activations inside the feed-forward networks.
        feed_forward_output_dropout: Share of what these networks add; None: ``hidden_dropout``.
        initializer_range: Standard deviation of fresh weights.
        causal: Whether a token attends only to itself and the tokens before it.
        tied_output: Whether a language model scores tokens by the table of token embeddings.
        image: Settings of images, for encoders of images instead of tokens; or None.
        cross_attention: Whether each block also attends to an encoder's activations.
        decoder: Settings of the decoder behind this encoder, or None: there is none.
        separate_tables: Whether encoder and decoder have a table of token embeddings each.
        spare_table: Whether there is a third table, which nothing reads; some checkpoints have it.
        spare_row: Whether there is a row of ``hidden_size`` that nothing reads; some checkpoints
            have it.

    Raises:
        ConfigError: A size is not positive, a share is not in [0, 1), or the heads do not divide
            the width.
    """

    vocabulary_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int
    num_segments: int
    num_key_value_heads: int = 0
    head_size: int = 0
    embedding_size: int = 0
    always_project: bool = False
    project_tokens: bool = False
    embedding_norm: bool = True
    embedding_scale: float = 1.0
    output_size: int = 0
    position_kind: str = "learned"
    position_padding_id: int = 0
    position_offset: int = 0
    skip_padding: bool = False
    relative_buckets: int = 0
    relative_rows: int = 0
    relative_waves: bool = False
    relative_distance: int = 128
    disentangled: DisentangledSettings | None = None
    rotary: tuple[RotarySettings, ...] = ()
    windows: tuple[int | None, ...] = ()
    global_attention: bool = False
    pre_norm: bool = False
    first_norm: bool = True
    final_norm: bool = True
    final_dropout: float = 0.0
    layer_drop: float = 0.0
    parallel_residual: bool = False
    norm_kind: str = "layer"
    norm_bias: bool = True
    attention_biases: bool = True
    attention_output_bias: bool | None = None
    attention_scales: tuple[float, ...] = ()
    query_key_norm: bool = False
    feed_forward_biases: bool = True
    gated: bool = False
    num_groups: int = 0
    blocks_in_group: int = 1
    activation: str = "gelu"
    norm_epsilon: float = 1e-12
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    attention_output_dropout: float | None = None
    feed_forward_inner_dropout: float = 0.0
    feed_forward_output_dropout: float | None = None
    initializer_range: float = 0.02
    causal: bool = False
    tied_output: bool = True
    image: ImageSettings | None = None
    cross_attention: bool = False
    decoder: TransformerConfig | None = None
    separate_tables: bool = False
    spare_table: bool = False
    spare_row: bool = False

    def __post_init__(self) -> None:
        """Checks what would otherwise fail deep inside a layer."""
        for size in (
            *(() if self.image else ("vocabulary_size",)),
            "hidden_size",
            "num_heads",
            "intermediate_size",
            "max_length",
            "blocks_in_group",
        ):
            if getattr(self, size) < 1:
                raise ConfigError(f"{size} must be at least 1. Received: {getattr(self, size)}.")
        for size in (
            "num_layers",
            "num_segments",
            "embedding_size",
            "output_size",
            "num_groups",
            "num_key_value_heads",
            "head_size",
        ):
            if getattr(self, size) < 0:
                raise ConfigError(f"{size} must be at least 0. Received: {getattr(self, size)}.")
        if self.num_groups > self.num_layers:
            raise ConfigError(
                "num_groups must be at most num_layers. "
                f"Received: num_groups={self.num_groups}, num_layers={self.num_layers}."
            )
        for kind, kinds in (("position_kind", POSITION_KINDS), ("norm_kind", NORM_KINDS)):
            if getattr(self, kind) not in kinds:
                raise ConfigError(
                    f"{kind} must be one of {', '.join(kinds)}. Received: {getattr(self, kind)!r}."
                )
        for share in ("hidden_dropout", "attention_dropout", "layer_drop"):
            if not 0 <= getattr(self, share) < 1:
                raise ConfigError(f"{share} must be in [0, 1). Received: {getattr(self, share)}.")
        self._check_heads()
        self._check_buckets()

    def _check_heads(self) -> None:
        if not self.head_size and self.hidden_size % self.num_heads:
            raise ConfigError(
                "hidden_size must be a multiple of num_heads. "
                f"Received: hidden_size={self.hidden_size}, num_heads={self.num_heads}."
            )
        if self.num_key_value_heads and self.num_heads % self.num_key_value_heads:
            raise ConfigError(
                "num_heads must be a multiple of num_key_value_heads. Received: num_heads="
                f"{self.num_heads}, num_key_value_heads={self.num_key_value_heads}."
            )
        size = self.head_size or self.hidden_size // self.num_heads
        for settings in dict.fromkeys(self.rotary):
            if settings.size > size:
                raise ConfigError(
                    "Rotary positions can turn no more numbers than a head has, in pairs. "
                    f"Received: {settings.size} of {size}. Correct the head's size in config.json."
                )

    def _check_buckets(self) -> None:
        """Checks that some buckets hold single distances, and that others lie beyond them."""
        if not self.relative_buckets:
            return
        single = self.relative_buckets // (2 if self.causal else 4)
        if not 0 < single < self.relative_distance:
            raise ConfigError(
                "The distances that have buckets of their own must be at least one, and fewer "
                f"than relative_distance. Received: {single} in {self.relative_buckets} buckets, "
                f"relative_distance={self.relative_distance}. Correct config.json."
            )

    @property
    def max_length(self) -> int:
        """Longest input, in tokens."""
        if self.position_kind == "past_padding":
            return self.max_positions - self.position_padding_id - 1
        return self.max_positions

    @property
    def output_width(self) -> int:
        """Width of what the stack returns."""
        return self.output_size or self.hidden_size

    def block_order(self) -> list[tuple[int, ...]]:
        """Lists the blocks in the order in which an input passes through them.

        Returns:
            Each block's numbers: its own, or those of its group and of its place there. A block
            of a group comes up again with every layer of the group.
        """
        if not self.num_groups:
            return [(index,) for index in range(self.num_layers)]
        layers_in_group = self.num_layers / self.num_groups
        return [
            (int(layer / layers_in_group), place)
            for layer in range(self.num_layers)
            for place in range(self.blocks_in_group)
        ]
