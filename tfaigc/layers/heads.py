"""The layers that take activations to a task's logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from tfaigc.layers.bias import Bias
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.text_summary import SummarySettings, TextSummary
from tfaigc.layers.texts import Texts


class PredictionHead(keras.layers.Layer):
    """A dense layer over the summary of each text, or over each token.

    Args:
        settings: What the dense layer reads.
        num_outputs: Logits for each text or token.
        hidden_size: Width of the backbone's activations.
        factory: Makes the elementary layers.
        use_bias: Whether the dense layer has a bias.
        distilled: Whether a second dense layer reads the second row of the activations; logits are
            the mean of both then (Touvron et al., arXiv:2012.12877).
    """

    def __init__(
        self,
        settings: SummarySettings,
        *,
        num_outputs: int,
        hidden_size: int,
        factory: LayerFactory,
        use_bias: bool = True,
        distilled: bool = False,
        name: str = "head",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.hidden_size = hidden_size
        self.summary = TextSummary(settings, hidden_size=hidden_size, factory=factory)
        self.classifier = factory.dense(
            num_outputs, name="classifier", use_bias=use_bias, dtype="float32"
        )
        self.distilled_classifier = (
            factory.dense(num_outputs, name="distilled_classifier", dtype="float32")
            if distilled
            else None
        )

    def build(self, input_shape: Any) -> None:
        """Builds the summary and the dense layer."""
        self.summary.build(None)
        self.classifier.build((None, self.summary.width))
        if self.distilled_classifier is not None:
            self.distilled_classifier.build((None, self.hidden_size))

    def call(
        self,
        outputs: Mapping[str, Any],
        *,
        padding_mask: Any = None,
        texts: Texts | None = None,
        training: bool = False,
    ) -> Any:
        """Computes logits.

        Args:
            outputs: A backbone's outputs.
            padding_mask: int, (batch, length), or None where no text is padded.
            texts: Where the texts lie; None: each has a row of its own.
            training: Whether dropout is active.

        Returns:
            float32, (texts, outputs); (batch, length, outputs) where tokens are read.
        """
        summary = self.summary(outputs, padding_mask=padding_mask, texts=texts, training=training)
        logits = self.classifier(summary)
        if self.distilled_classifier is None:
            return logits
        second = outputs["sequence_output"][:, 1]
        return (logits + self.distilled_classifier(second)) / 2


@dataclass(frozen=True, kw_only=True)
class VocabularySettings:
    """How a language model's head takes activations to one logit for each token.

    Args:
        tied: Whether the output matrix is the backbone's table of token embeddings.
        use_bias: Whether each token has a bias.
        scale: Factor on the activations.
        fixed_bias: Whether each token has a bias that training leaves alone.
    """

    tied: bool = True
    use_bias: bool = True
    scale: float = 1.0
    fixed_bias: bool = False


class LanguageModelHead(keras.layers.Layer):
    """Takes activations to logits over the vocabulary.

    Args:
        settings: The output matrix.
        transform: What stands before it: a dense layer, a norm, both or neither.
        vocabulary_size: Number of tokens.
        hidden_size: Width of the backbone's activations.
        factory: Makes the elementary layers.
    """

    def __init__(
        self,
        settings: VocabularySettings,
        transform: SummarySettings,
        *,
        vocabulary_size: int,
        hidden_size: int,
        factory: LayerFactory,
        name: str = "head",
    ) -> None:
        super().__init__(name=name, dtype=factory.dtype)
        self.settings = settings
        self.transform = TextSummary(
            transform, hidden_size=hidden_size, factory=factory, name="transform"
        )
        self.vocabulary_size = vocabulary_size
        self.tied_output: TiedOutput | None = None
        self.output_layer: keras.layers.Dense | None = None
        if not settings.tied:
            self.output_layer = factory.dense(
                vocabulary_size, name="output", use_bias=settings.use_bias
            )
        else:
            self.tied_output = TiedOutput(
                vocabulary_size, use_bias=settings.use_bias, dtype=factory.dtype
            )
        self.fixed_bias = (
            Bias(vocabulary_size, fixed=True, dtype=factory.dtype, name="fixed_bias")
            if settings.fixed_bias
            else None
        )

    def build(self, input_shape: Any) -> None:
        """Builds the transform and the output."""
        self.transform.build(None)
        if self.tied_output is not None:
            self.tied_output.build(None)
        if self.output_layer is not None:
            self.output_layer.build((None, self.transform.width))
        if self.fixed_bias is not None:
            self.fixed_bias.build(None)

    def call(self, activations: Any, *, table: Any = None, training: bool = False) -> Any:
        """Computes logits.

        Args:
            activations: float, (..., hidden): of a whole batch, or of picked tokens.
            table: float, (vocabulary, width): the backbone's token embeddings, for tied outputs.
            training: Whether dropout is active.

        Returns:
            float32, (..., vocabulary).
        """
        # Rank 2, where dense layers are fastest.
        rows = ops.reshape(activations, (-1, activations.shape[-1]))
        rows = self.transform({"sequence_output": rows}, training=training)
        if self.settings.scale != 1:
            rows = rows * self.settings.scale
        if self.output_layer is not None:
            logits = self.output_layer(rows)
        else:
            assert self.tied_output is not None
            logits = self.tied_output(rows, table=table)
        if self.fixed_bias is not None:
            logits = self.fixed_bias(logits)
        shape = (*ops.shape(activations)[:-1], self.vocabulary_size)
        return ops.cast(ops.reshape(logits, shape), "float32")


class TiedOutput(keras.layers.Layer):
    """Scores activations against each row of a table that another layer owns.

    Args:
        vocabulary_size: Rows of the table.
        use_bias: Whether each row has a bias.
        dtype: Name of a Keras dtype policy.
    """

    def __init__(
        self, vocabulary_size: int, *, use_bias: bool, dtype: str, name: str = "tied_output"
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.vocabulary_size = vocabulary_size
        self.use_bias = use_bias
        self.bias = None

    def build(self, input_shape: Any) -> None:
        """Makes the bias."""
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.vocabulary_size,), initializer="zeros", name="bias"
            )

    def call(self, rows: Any, *, table: Any) -> Any:
        """Computes scores.

        Args:
            rows: float, (rows, width).
            table: float, (vocabulary, width).

        Returns:
            float, (rows, vocabulary).
        """
        scores = ops.matmul(rows, ops.transpose(ops.cast(table, self.compute_dtype)))
        return scores if self.bias is None else scores + self.bias
