"""What all tasks are: a network with a head, a tokenizer, and a meaning of the logits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tfaigc.export import SignatureCheck
from tfaigc.families import Backbone, HeadedBackbone, read_config_file
from tfaigc.families.fresh import fresh_config, fresh_network_scales, make_fresh
from tfaigc.sources import resolve
from tfaigc.tasks import serving
from tfaigc.tasks.checkpoint import save_task
from tfaigc.tasks.conversion import convert_task
from tfaigc.tasks.fine_tuning import FineTunedModel
from tfaigc.tasks.lengths import checked_max_length
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self


class HeadedModel(FineTunedModel):
    """A backbone, a head and a tokenizer; it is saved and exported.

    Args:
        network: The pretrained network with the task's head.
        tokenizer: The checkpoint's tokenizer.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.

    Raises:
        ConfigError: ``max_length`` is above what the checkpoint allows, or the tokenizer has more
            tokens than the backbone.
    """

    task: ClassVar[str]
    head_title: ClassVar[str] = "classifier"
    # Which of two texts a SavedModel cuts, as in ``Tokenizer.encode``.
    truncation: ClassVar[str] = "longest_first"
    # The signatures that read the backbone's inputs, and that make them of raw strings.
    input_signatures: ClassVar[tuple[str, str]] = ("tokens", "tokenize")
    # What ``serving_default`` is called besides.
    default_aliases: ClassVar[tuple[str, ...]] = ()
    # What is put before each text.
    prefix: str = ""

    def __init__(
        self, network: HeadedBackbone, tokenizer: Tokenizer, *, max_length: int | None, name: str
    ) -> None:
        super().__init__(name=name, dtype=network.backbone.factory.dtype)
        self.network = network
        self.tokenizer = tokenizer
        self.max_length = (
            checked_max_length(max_length, network.backbone, tokenizer)
            if network.backbone.config.image is None
            else network.backbone.config.max_length
        )
        self.takes_pairs = False
        self._examples: tuple[dict[str, Any], ...] = ()
        self.build(None)

    @classmethod
    def from_scratch(
        cls,
        config: Mapping[str, Any] | str | Path,
        tokenizer: Tokenizer,
        *,
        seed: int = 0,
        dtype: str | None = None,
        **arguments: Any,
    ) -> Self:
        """Makes a model that has learnt nothing, with random weights.

        Args:
            config: What ``config.json`` is to say: ``model_type``, and sizes in its names; what is
                absent is as in the family. Or the source of a checkpoint whose settings are taken.
            tokenizer: Its size and its special tokens go into the settings; see
                ``Tokenizer.train``.
            seed: Seed of the weights and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.
            **arguments: What the class takes besides, such as ``max_length`` or ``labels``.

        Returns:
            The model.

        Raises:
            SourceError: The source cannot be found or fetched.
            CheckpointError: It has no ``config.json``.
            ConfigError: The settings cannot be honoured, or do not fit the tokenizer or the task.
        """
        stated = config if isinstance(config, Mapping) else read_config_file(resolve(config))
        stated = fresh_config(
            stated,
            task=cls.task,
            vocabulary_size=getattr(tokenizer, "vocabulary_size", None),
            tokens=getattr(tokenizer, "named_ids", {}),
        )
        pooler = cls.adds_pooler(arguments)
        backbone = make_fresh(stated, task=cls.task, seed=seed, dtype=dtype, pooler=pooler)
        model = cls(backbone, tokenizer, **arguments)
        fresh_network_scales(model.network)
        return model

    @classmethod
    def adds_pooler(cls, arguments: Mapping[str, Any]) -> bool:
        """Says whether arguments of the class ask for a pooler that its head does not read."""
        return False

    @property
    def backbone(self) -> Backbone:
        """The network without its head."""
        return self.network.backbone

    def freeze(self, layers: int | None = None) -> None:
        """Has training leave the backbone's lower part as it is; call it before ``compile``.

        What is frozen computes as outside of training, without dropout, and the backward pass
        ends above it.

        Args:
            layers: So many of the lowest layers, with the embeddings; None: the whole backbone, so
                that the head alone is trained.

        Raises:
            ConfigError: The backbone has no such layers that can be frozen alone.
        """
        self.backbone.freeze(layers)

    @property
    @abstractmethod
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""

    @property
    def question(self) -> str:
        """A text that the model can be asked about."""
        return "A gorgeous film."

    @property
    def asked(self) -> tuple[str, ...]:
        """What ``tfaigc predict`` can be given behind the model."""
        return (self.question,)

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The names of the strings that the model reads."""
        return ("text", "text_pair") if self.takes_pairs else ("text",)

    def hard_questions(self) -> list[dict[str, Any]]:
        """Returns what an export is asked besides records that the model has seen."""
        return [{"text": text, "text_pair": text[::-1]} for text in serving.HARD_TEXTS]

    @property
    def served_length(self) -> int | None:
        """Most tokens that a SavedModel reads of a text; None: it decides by itself."""
        return self.max_length

    @abstractmethod
    def describe(self) -> str:
        """Says in a few words what the model gives."""

    @abstractmethod
    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits to the outputs of the SavedModel, inside its graph."""

    def serve_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the backbone's inputs to the outputs of the SavedModel, inside its graph."""
        return self.serve(self(inputs, training=False))

    def string_shapes(self) -> dict[str, tuple[None, ...]]:
        """Returns the shapes of the strings that a SavedModel takes, by ``text_fields``."""
        return dict.fromkeys(self.text_fields, (None,))

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Returns what the backbone reads of the strings that a SavedModel takes."""
        # Tokens have an axis more than their texts.
        shape = (None, *max(self.string_shapes().values(), key=len))
        names = ("token_ids", "padding_mask", "segment_ids")
        return dict.fromkeys(names, tf.TensorSpec(shape, tf.int32))

    def stack_questions(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Puts questions together to what a SavedModel can be asked at once."""
        return {field: [row[field] for row in rows] for field in self.text_fields}

    def tokenize_in_graph(self, texts: Mapping[str, Any]) -> dict[str, Any]:
        """Takes raw strings to the backbone's inputs in a graph; see ``serving``."""
        return serving.tokenize_in_graph(self, texts)

    def tokenize_strings(self, texts: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Takes raw strings to the backbone's inputs with the Rust tokenizer."""
        return serving.tokenize_strings(self, texts)

    def serve_texts(self, texts: Mapping[str, Any], answer: Callable[..., Any]) -> dict[str, Any]:
        """Takes raw strings to the outputs of the SavedModel, inside its graph.

        Args:
            texts: string, (batch,), under the names of ``text_fields``.
            answer: Takes these to the backbone's inputs, and them to ``serve_inputs``' outputs.

        Returns:
            The outputs of ``serving_default``.
        """
        outputs: dict[str, Any] = answer(texts)
        return outputs

    def expected_answers(
        self, texts: Mapping[str, list[str]], outputs: Mapping[str, np.ndarray]
    ) -> Mapping[str, np.ndarray]:
        """Says what the SavedModel must answer to raw strings.

        Args:
            texts: The strings.
            outputs: What it must answer to their tokens.

        Returns:
            Here, the same.
        """
        return outputs

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example``: takes ``serve``'s outputs to its own, by name."""
        return {}

    def further_signatures(
        self, tokenize: Callable[..., Any], weights: Callable[[], AbstractContextManager[None]]
    ) -> dict[str, Any]:
        """Returns signatures of the task's own.

        Args:
            tokenize: Takes raw strings to the backbone's inputs.
            weights: Makes a context within which graphs are traced.

        Returns:
            Functions of an input signature, by name.
        """
        return {}

    def further_checks(
        self, texts: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> list[SignatureCheck]:
        """Asks the task's own signatures.

        Args:
            texts: Raw strings, under the names of ``text_fields``.
            inputs: What they are to the backbone.

        Returns:
            Questions with the answers.
        """
        return []

    @abstractmethod
    def config_entries(self) -> dict[str, Any]:
        """Returns what the task adds to ``config.json``."""

    @abstractmethod
    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""

    def in_float32(self) -> Self:
        """Returns the model itself, or a copy that computes in float32 where it does not."""
        if self.compute_dtype == "float32":
            return self
        return self.copy_in_float32(variable.value for variable in self.weights)

    def copy_in_float32(self, values: Iterable[Any]) -> Self:
        """Returns a copy that computes in float32 with other values of the weights."""
        copy = self.copy_with_dtype("float32")
        for variable, value in zip(copy.weights, values, strict=True):
            variable.assign(value)
        return copy

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {"max_length": self.max_length, "takes_pairs": self.takes_pairs}

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Computes logits.

        Padding is left out wherever XLA does not compile the model.

        Args:
            inputs: The backbone's inputs; see ``Backbone``.
            training: Whether dropout is active.

        Returns:
            logits: float32; see ``HeadedBackbone`` for the shape.
        """
        remove_padding = keras.backend.backend() == "tensorflow" and not self.jit_compile
        return self.network(inputs, training=training, remove_padding=remove_padding)

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the model in Hugging Face layout, which ``transformers`` loads too.

        Args:
            directory: Where to; made if need be.
        """
        save_task(self, Path(directory))

    def export(self, directory: str | Path, *, dtype: str = "float32", records: Any = None) -> Path:
        """Exports a SavedModel that takes raw strings, verified in a fresh process.

        Args:
            directory: The served model's directory; the export becomes its next version.
            dtype: How large weights are stored: "float32"; "bfloat16-weights", half as large; or
                "int8", a quarter, with a factor per output channel. The served graph widens them,
                and computes in float32. What that changes is in the model card.
            records: With the right answers, to measure that change; None: scores are compared.

        Returns:
            The version's directory, such as ``savedmodels/sentiment/1``.

        Raises:
            ExportError: The SavedModel does not answer as the model does, with its weights as they
                are stored; or cannot be written.
            TokenizerError: The tokenizer has a part that cannot be compiled.
        """
        examples = [*self._examples, *self.hard_questions()]
        return serving.export_task(
            self, Path(directory), examples=examples, dtype=dtype, records=records
        )

    def convert(self, directory: str | Path, *, file_format: str) -> Path:
        """Writes a file for another runtime, which takes token ids and gives numbers.

        Args:
            directory: A new or empty directory; the tokenizer's files are written beside the file.
            file_format: "litert", or "onnx" (extra ``onnx``): either for one text at a time, padded
                to ``max_length``.

        Returns:
            The file.

        Raises:
            ExportError: The runtime lacks an operation, which is named; or the file answers
                otherwise than the model.
        """
        examples = [*self._examples, *self.hard_questions()]
        return convert_task(self, Path(directory), file_format=file_format, examples=examples)
