"""What a head reads: one row for each text, or one for each token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from tfaigc.errors import ConfigError
from tfaigc.layers.activations import activation
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.texts import OwnRows, Texts

_SOURCES = ("pooler", "first", "last", "mean", "tokens")


@dataclass(frozen=True, kw_only=True)
class SummarySettings:
    """How a checkpoint's head takes the tokens' activations to what its last layer reads.

    Args:
        source: ``"pooler"``: the backbone's pooled output; ``"first"``, ``"last"``: that token's
            activations; ``"mean"``: the mean over all tokens; ``"tokens"``: each token's.
        padding_id: For ``"last"``: a token that is not taken for the last one even where the text
            ends with it; None: every token is.
        token_id: For ``"last"``: the only token that is taken for the last one; None: any is.
        activation: Activation of a dense layer after it, as in ``config.json``; None: no layer.
        use_dense: Whether there is that layer, or its activation alone.
        width: Width of that layer; None: that of the activations.
        use_bias: Whether that layer has a bias.
        norm_epsilon: Epsilon of a layer norm after the activation; None: no norm.
        norm_bias: Whether the norm has a bias.
        first_dropout: Share that training drops before the dense layer.
        last_dropout: Share that training drops from the summary.

    Raises:
        ConfigError: A value is not known.
    """

    source: str = "pooler"
    padding_id: int | None = None
    token_id: int | None = None
    activation: str | None = None
    use_dense: bool = True
    width: int | None = None
    use_bias: bool = True
    norm_epsilon: float | None = None
    norm_bias: bool = True
    first_dropout: float = 0.0
    last_dropout: float = 0.0

    def __post_init__(self) -> None:
        """Checks what would otherwise fail deep inside the layer."""
        if self.source not in _SOURCES:
            raise ConfigError(
                f"A text's summary must be one of {', '.join(_SOURCES)}. Received: {self.source!r}."
            )
        for share in ("first_dropout", "last_dropout"):
            if not 0 <= getattr(self, share) < 1:
                raise ConfigError(f"{share} must be in [0, 1). Received: {getattr(self, share)}.")


class TextSummary(keras.layers.Layer):
    """Takes a backbone's outputs to one row for each text, or one for each token.

    Args:
        settings: What the checkpoint's head does.
        hidden_size: Width of the backbone's activations.
        factory: Makes the elementary layers.

    Attributes:
        width: Width of the rows.
    """

    def __init__(
        self,
        settings: SummarySettings,
        *,
        hidden_size: int,
        factory: LayerFactory,
        name: str = "summary",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.settings = settings
        self.hidden_size = hidden_size
        self.width = hidden_size
        self.dense = None
        self.norm = None
        if settings.activation is not None:
            self.first_dropout = factory.dropout(settings.first_dropout, name="first_dropout")
        if settings.activation is not None and settings.use_dense:
            self.width = settings.width or hidden_size
            self.dense = factory.dense(
                self.width,
                name="dense",
                use_bias=settings.use_bias,
                activation=activation(settings.activation),
            )
        if settings.norm_epsilon is not None:
            self.norm = factory.layer_norm(
                settings.norm_epsilon, name="norm", use_bias=settings.norm_bias
            )
        self.last_dropout = factory.dropout(settings.last_dropout, name="last_dropout")

    def build(self, input_shape: Any) -> None:
        """Builds the dense layer and the norm."""
        if self.dense is not None:
            self.dense.build((None, self.hidden_size))
        if self.norm is not None:
            self.norm.build((None, self.width))

    def call(
        self,
        outputs: Mapping[str, Any],
        *,
        padding_mask: Any = None,
        texts: Texts | None = None,
        training: bool = False,
    ) -> Any:
        """Summarizes a batch.

        Args:
            outputs: A backbone's outputs; or ``features``, what ``read`` has made of them.
            padding_mask: int, (batch, length), or None where no text is padded.
            texts: Where the texts lie; None: each has a row of its own.
            training: Whether dropout is active.

        Returns:
            float, (texts, width); (batch, length, width) where tokens are read.
        """
        rows = outputs.get("features")
        if rows is None:
            rows = self.read(outputs, padding_mask=padding_mask, texts=texts or OwnRows())
        if self.settings.activation is not None:
            rows = self.first_dropout(rows, training=training)
            transform = self.dense or activation(self.settings.activation)
            rows = transform(rows)
        if self.norm is not None:
            rows = self.norm(rows)
        return self.last_dropout(rows, training=training)

    def mask(self, inputs: Mapping[str, Any]) -> Any:
        """Returns which cells a summary of these inputs may read.

        Args:
            inputs: A backbone's inputs.

        Returns:
            int, (batch, length): 1 where a token counts; None: all do.
        """
        mask = inputs.get("padding_mask")
        if self.settings.source != "last":
            return mask
        if self.settings.token_id is not None:
            counts = ops.equal(inputs["token_ids"], self.settings.token_id)
        elif self.settings.padding_id is not None:
            counts = ops.not_equal(inputs["token_ids"], self.settings.padding_id)
        else:
            return mask
        counts = ops.cast(counts, "int32")
        return counts if mask is None else counts * ops.cast(mask, "int32")

    def read(self, outputs: Mapping[str, Any], *, padding_mask: Any, texts: Texts) -> Any:
        """Takes a backbone's outputs to what the first of the head's layers reads."""
        source = self.settings.source
        if source == "pooler":
            return outputs["pooled_output"]
        sequence = outputs["sequence_output"]
        if source == "tokens":
            return sequence
        if source == "first":
            return texts.first(sequence)
        pick = texts.mean if source == "mean" else texts.last
        return pick(sequence, padding_mask)
