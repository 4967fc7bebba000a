"""The tokenizers of KerasHub's presets behind our tokenizer's interface."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from tfaigc.errors import ConfigError, TokenizerError
from tfaigc.tokenizers import inputs
from tfaigc.tokenizers.compiler import GraphTokenizer
from tfaigc.tokenizers.encoded_texts import EncodedTexts
from tfaigc.tokenizers.files import read_text
from tfaigc.tokenizers.post_processors import Special, Template, Templates, Text
from tfaigc.tokenizers.tokenizer import Tokenizer

# The preprocessors of KerasHub that know which special tokens a network wants, best first.
_PREPROCESSORS = (
    "TextClassifierPreprocessor",
    "MaskedLMPreprocessor",
    "CausalLMPreprocessor",
    "Seq2SeqLMPreprocessor",
)
# Texts that are tokenized at a time.
_CHUNK = 4096


class KerasHubTokenizer(Tokenizer):
    """A tokenizer of KerasHub, in the graph and outside of it.

    Both ways run KerasHub's TensorFlow operations, so that training sees the ids that serving
    sees. Special tokens stand where KerasHub's preprocessor for the network puts them.

    Args:
        layer: A ``keras_hub.tokenizers.Tokenizer``.
        templates: Where special tokens stand.
        takes_pairs: Whether the network was trained on pairs of texts.
        model_max_length: The most tokens that KerasHub packs by itself, or None.
        fingerprint: Changes with everything that decides which ids a text gets.
    """

    def __init__(
        self,
        layer: Any,
        templates: Templates,
        *,
        takes_pairs: bool,
        model_max_length: int | None,
        fingerprint: str,
    ) -> None:
        self.layer = layer
        self.spec = {"model": {"type": type(layer).__name__}}
        self.config = {}
        self.truncation_side = "right"
        self.takes_pairs = takes_pairs
        self._templates = templates
        self._max_length = model_max_length
        self._fingerprint = fingerprint
        # KerasHub's Python path gives other ids than its operations for some texts.
        layer._allow_python_workflow = False

    @classmethod
    def from_directory(cls, directory: Path) -> KerasHubTokenizer:
        """Loads the tokenizer of a preset.

        Args:
            directory: A preset's files.

        Returns:
            The tokenizer.

        Raises:
            TokenizerError: The preset has none that works on texts.
        """
        preprocessor = _preprocessor(directory)
        layer = preprocessor.tokenizer
        if not preprocessor.built:
            preprocessor.build(None)
        packer = preprocessor.packer
        starts = tuple(getattr(packer, "start_value", None) or ())
        ends = tuple(getattr(packer, "end_value", None) or ())
        separators = tuple(getattr(packer, "sep_value", None) or ())
        return cls(
            layer,
            _templates(starts, separators, ends),
            takes_pairs=hasattr(packer, "sep_value"),
            model_max_length=getattr(preprocessor, "sequence_length", None),
            fingerprint=_fingerprint(directory),
        )

    @cached_property
    def graph(self) -> GraphTokenizer:
        """KerasHub's operations, and the special tokens."""
        return _Operations(self.layer, self._templates)

    def in_graph(
        self,
        texts: Any,
        pairs: Any = None,
        max_length: int | None = None,
        return_segment_ids: bool = False,
        truncation: str = "longest_first",
        return_offsets: bool = False,
        return_sequence_ids: bool = False,
    ) -> Any:
        """Turns a string tensor into token ids; see ``Tokenizer.in_graph``.

        Raises:
            TokenizerError: Offsets are asked for, which KerasHub does not know.
        """
        if return_offsets:
            self._refuse("tell which bytes a token stands for")
        if pairs is not None and not self.takes_pairs:
            raise ConfigError(
                f"KerasHub packs no pairs of texts for a {type(self.layer).__name__}. Join the "
                "two texts into one, or take a preset of an encoder such as BERT."
            )
        return super().in_graph(
            texts,
            pairs,
            max_length,
            return_segment_ids,
            truncation,
            return_sequence_ids=return_sequence_ids,
        )

    def encode(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        max_length: int | None = None,
        truncation: str = "longest_first",
    ) -> list[list[int]]:
        """Turns texts into token ids, special tokens included; see ``Tokenizer.encode``."""
        encoded = self.encode_arrays(texts, pairs, max_length, truncation)
        rows = np.split(encoded.token_ids, encoded.row_splits[1:-1])
        return [row.tolist() for row in rows[: len(encoded.row_splits) - 1]]

    def encode_arrays(  # type: ignore[override]
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        max_length: int | None = None,
        truncation: str = "longest_first",
        return_offsets: bool = False,
    ) -> EncodedTexts:
        """Turns texts into flat arrays of ids; see ``Tokenizer.encode_arrays``.

        Raises:
            TokenizerError: Offsets are asked for, which KerasHub does not know.
        """
        if return_offsets:
            self._refuse("tell which bytes a token stands for")
        first = inputs.check_texts(texts)
        second = None if pairs is None else inputs.check_texts(pairs, name="pairs")
        if second is not None:
            inputs.check_same_length(first, second)
        token_ids, segment_ids = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        lengths = [np.zeros(0, np.int64)]
        for start in range(0, len(first), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            ids, segments = self.in_graph(
                tf.constant(first[chunk]),
                None if second is None else tf.constant(second[chunk]),
                max_length,
                True,
                truncation,
            )
            token_ids.append(ids.flat_values.numpy())
            segment_ids.append(segments.flat_values.numpy())
            lengths.append(ids.row_lengths().numpy())
        splits = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
        return EncodedTexts(np.concatenate(token_ids), np.concatenate(segment_ids), splits)

    def decode(self, ids: Iterable[Iterable[int]]) -> list[str]:
        """Turns token ids back into texts, without special tokens."""
        special = set(getattr(self.layer, "special_token_ids", ()))
        rows = [[int(token) for token in row if int(token) not in special] for row in ids]
        texts = self.layer.detokenize(tf.ragged.constant(rows, tf.int32, ragged_rank=1))
        return [
            text if isinstance(text, str) else text.decode("utf-8", "replace")
            for text in np.asarray(texts, dtype=object)
        ]

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the tokenizer's files in KerasHub's layout."""
        self.layer.save_to_preset(str(directory))

    @property
    def fingerprint(self) -> str:
        """A sha256 of everything that decides which ids a text gets."""
        return self._fingerprint

    @property
    def vocabulary_size(self) -> int:
        """One more than the largest id."""
        return int(self.layer.vocabulary_size())

    @property
    def model_max_length(self) -> int | None:
        """The most tokens that KerasHub packs by itself, or None where it states no limit."""
        return self._max_length

    @property
    def pad_token_id(self) -> int | None:
        """The padding token's id, or None where there is none."""
        found: int | None = getattr(self.layer, "pad_token_id", None)
        return found

    def token_id(self, token: str) -> int | None:
        """Looks a token up; None where there is no such token."""
        try:
            return int(self.layer.token_to_id(token))
        except (KeyError, ValueError, TypeError):
            return None

    def num_special_tokens(self, *, pair: bool = False) -> int:
        """Counts the special tokens that ``encode`` adds."""
        return self._templates.count_added(pair=pair)

    def _refuse(self, what: str) -> NoReturn:
        raise TokenizerError(
            f"A {type(self.layer).__name__} of KerasHub cannot {what}. Take a checkpoint with a "
            "tokenizer.json."
        )


class _Operations(GraphTokenizer):
    """KerasHub's tokenizing operations behind our truncation and special tokens."""

    def __init__(self, layer: Any, templates: Templates) -> None:
        self._truncation_side = "right"
        self._templates = templates
        # Traced, because the layer takes other ways where it finds itself outside of a graph.
        self._tokenize = tf.function(
            layer.tokenize, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False
        )

    def tokenize(self, texts: Any) -> Any:
        """Turns texts, string, (n,), into ids, int32 RaggedTensor, (n, None)."""
        return tf.cast(self._tokenize(tf.convert_to_tensor(texts, tf.string)), tf.int32)


def _preprocessor(directory: Path) -> Any:
    """Makes the preprocessor that KerasHub has for the network of a preset."""
    import keras_hub

    failures = []
    for name in _PREPROCESSORS:
        kind = getattr(keras_hub.models, name)
        try:
            return kind.from_preset(str(directory))
        # KerasHub raises errors of any kind where a preset lacks something.
        except Exception as error:
            failures.append(f"{name}: {(str(error).splitlines() or [''])[0]}")
    raise TokenizerError(
        f"{directory} must have a tokenizer that KerasHub loads. Received: {'; '.join(failures)}. "
        "Take a preset of a network that reads texts."
    )


def _templates(starts: tuple[int, ...], separators: tuple[int, ...], ends: tuple[int, ...]) -> Any:
    def build(*parts: Special | Text) -> Template:
        return tuple(part for part in parts if isinstance(part, Text) or part.token_ids)

    start = Special(starts, 0)
    return Templates(
        single=build(start, Text(0, 0), Special(ends, 0)),
        pair=build(start, Text(0, 0), Special(separators, 0), Text(1, 1), Special(ends, 1)),
    )


def _fingerprint(directory: Path) -> str:
    described = json.loads(read_text(directory / "tokenizer.json"))
    # Keras numbers the names of layers as it makes them.
    described["config"] = {**described.get("config", {}), "name": ""}
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for path in sorted((directory / "assets").rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(directory).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
