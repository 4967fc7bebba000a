"""The compiler from tokenizer.json to TensorFlow operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from tokenizers import Tokenizer as RustTokenizer

from tfaigc.errors import TokenizerError

# Each model's file adds itself to the table of models.
from tfaigc.tokenizers import (  # noqa: F401
    inputs,
    located,
    offsets,
    ragged,
    strategies,
    strings,
    unigram,
    word_level,
    wordpiece,
)
from tfaigc.tokenizers.added_tokens import AddedTokens
from tfaigc.tokenizers.bpe import BytePairEncoding
from tfaigc.tokenizers.models import MODELS
from tfaigc.tokenizers.normalizers import NORMALIZERS
from tfaigc.tokenizers.nul import StandIn
from tfaigc.tokenizers.post_processors import NOTHING_ADDED, POST_PROCESSORS, Special, Template
from tfaigc.tokenizers.pre_tokenizers import PRE_TOKENIZERS, PreTokenizer
from tfaigc.tokenizers.truncation import longest_first, one_of_two


class GraphTokenizer:
    """A tokenizer.json as TensorFlow operations.

    It holds numbers and strings only, no tensors or resources: what is traced from it is saved
    in a SavedModel without anything to track.

    Args:
        spec: tokenizer.json, parsed, every option explicit.
        truncation_side: Where texts are cut, "right" or "left".

    Raises:
        TokenizerError: A part cannot be compiled.
    """

    def __init__(self, spec: Mapping[str, Any], *, truncation_side: str = "right") -> None:
        self._truncation_side = truncation_side
        _check_prepending(spec)
        self._raw_tokens, self._normalized_tokens = _added_tokens(spec)
        self._normalizer = _optional(NORMALIZERS.build, spec.get("normalizer"), lambda texts: texts)
        self._pre_tokenizer, self._model = _words_and_model(spec)
        self._templates = _optional(
            POST_PROCESSORS.build, spec.get("post_processor"), NOTHING_ADDED
        )
        self._spec = spec
        # Last, so that a part that is not known has been named before.
        self._nul = StandIn(spec)

    # AutoGraph would rewrite every function below, which takes half a minute and changes nothing.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def __call__(
        self,
        texts: Any,
        pairs: Any = None,
        *,
        max_length: int | None = None,
        truncation: str = "longest_first",
        return_segment_ids: bool = False,
        return_offsets: bool = False,
        return_sequence_ids: bool = False,
    ) -> Any:
        """Turns texts into token ids.

        Args:
            texts: string, (batch,).
            pairs: string, (batch,), or None.
            max_length: The most tokens of an example, special tokens included.
            truncation: Which text of an example is cut: "longest_first", "only_first" or
                "only_second".
            return_segment_ids: Whether to return the segment ids too.
            return_offsets: Whether to return what the tokens stand for too.
            return_sequence_ids: Whether to return which text they are of too.

        Returns:
            int32 RaggedTensor, (batch, None): token ids; where asked for, behind them segment ids,
            of the same shape, offsets, (batch, None, 2), in bytes of the texts, and sequence ids:
            0, or 1 for the pair, and -1 for special tokens that are added.

        Raises:
            ConfigError: `max_length` has no room for the special tokens.
            TokenizerError: Offsets are asked for, and cannot be followed.
        """
        pair = pairs is not None
        strategies.check(truncation, pair=pair)
        added = self._templates.count_added(pair=pair)
        limit = inputs.check_max_length(max_length, added=added)
        given = [tf.convert_to_tensor(some, tf.string) for some in (texts, pairs)[: 1 + pair]]
        tokenize = self.locate if return_offsets else self.tokenize
        sequences = [tokenize(some) for some in given]
        if limit is not None:
            sequences = _truncate(sequences, limit - added, truncation, self._truncation_side)
        template = self._templates.choose(pair=pair)
        spans = []
        if return_offsets:
            trims = self._templates.trims or ()
            both = zip(sequences, given, strict=True)
            spans = [offsets.in_bytes(sequence, some, trims) for sequence, some in both]
            sequences = [sequence.with_values(sequence.values[:, 0]) for sequence in sequences]
        outputs = [_join(template, sequences, lambda part: part.token_ids)]
        if return_segment_ids:
            outputs.append(ragged.join(_segments(template, sequences)))
        if return_offsets:
            outputs.append(_join(template, spans, lambda part: np.zeros((len(part.token_ids), 2))))
        if return_sequence_ids:
            marks = [_filled(sequence, index) for index, sequence in enumerate(sequences)]
            outputs.append(_join(template, marks, lambda part: [-1] * len(part.token_ids)))
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def tokenize(self, texts: Any) -> Any:
        """Turns texts into token ids without adding special tokens.

        Args:
            texts: string, (n,).

        Returns:
            int32 RaggedTensor, (n, None).
        """
        return self._encode(texts, locate=False)

    def locate(self, texts: Any) -> Any:
        """Turns texts into tokens, and tells which characters they stand for.

        Args:
            texts: string, (n,).

        Returns:
            int32 RaggedTensor, (n, None, 5), as `located.tokens` gives it.

        Raises:
            TokenizerError: What they stand for cannot be followed.
        """
        offsets.check(self._spec, self._templates)
        return self._encode(texts, locate=True)

    def _encode(self, texts: Any, *, locate: bool) -> Any:
        texts = strings.valid_utf8(tf.convert_to_tensor(texts, tf.string))
        texts, nul = self._nul.hide(texts)
        starts = tf.ones_like(texts, tf.bool)

        def normalize(some: Any, starts: Any) -> Any:
            return self._normalized_tokens.apply(self._normalizer(some), starts, split)

        def split(some: Any, starts: Any) -> Any:
            words = self._pre_tokenizer(some, starts)
            pieces = self._model(self._nul.restore(located.plain(words).flat_values, nul))
            return located.tokens(words, pieces, self._edges if locate else None)

        return self._raw_tokens.apply(located.locate(texts) if locate else texts, starts, normalize)

    @cached_property
    def _edges(self) -> Any:
        return offsets.token_edges(self._spec)


def compile_tokenizer(spec: Mapping[str, Any], *, truncation_side: str = "right") -> GraphTokenizer:
    """Compiles a tokenizer.json to TensorFlow operations.

    Args:
        spec: tokenizer.json, parsed, every option explicit, as `Tokenizer.spec` has it.
        truncation_side: Where texts are cut, "right" or "left".

    Returns:
        The tokenizer.

    Raises:
        TokenizerError: A part cannot be compiled.
    """
    with tf.init_scope():
        return GraphTokenizer(spec, truncation_side=truncation_side)


def _optional(build: Any, part: Any, default: Any) -> Any:
    return default if part is None else build(part)


def _words_and_model(spec: Mapping[str, Any]) -> tuple[Any, Any]:
    """Builds the pre-tokenizer and the model."""
    pre_tokenizer = _optional(PRE_TOKENIZERS.build, spec.get("pre_tokenizer"), _whole_texts)
    model = MODELS.build(spec["model"])
    if not isinstance(model, BytePairEncoding):
        return pre_tokenizer, model
    if isinstance(pre_tokenizer, PreTokenizer) and pre_tokenizer.spelled:
        # Reading the vocabulary as bytes once is faster than spelling each text.
        pre_tokenizer, model = pre_tokenizer.raw, model.spelling()
    model.prepare()
    return pre_tokenizer, model


def _whole_texts(texts: Any, starts: Any) -> Any:
    """Takes each text as one word, and the empty text as none."""

    def split(some: Any) -> Any:
        kept = tf.not_equal(some, "")
        return tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(some, kept), tf.cast(kept, tf.int64), validate=False
        )

    return located.change(texts, split)


def _added_tokens(spec: Mapping[str, Any]) -> tuple[AddedTokens, AddedTokens]:
    """Divides the added tokens into those found before and after normalization."""
    tokens = spec.get("added_tokens") or []
    raw = [token for token in tokens if not token["normalized"]]
    normalized = [token for token in tokens if token["normalized"]]
    normalizer = RustTokenizer.from_str(json.dumps(spec)).normalizer if normalized else None
    if normalizer is not None:
        normalized = [
            {**token, "content": normalizer.normalize_str(token["content"])} for token in normalized
        ]
    return AddedTokens(raw), AddedTokens(normalized)


def _check_prepending(spec: Mapping[str, Any]) -> None:
    """Refuses what makes it unclear whether a word begins where the text begins."""
    if '"prepend_scheme": "first"' not in json.dumps(spec.get("pre_tokenizer")):
        return
    normalizer = spec.get("normalizer") or {}
    for part in normalizer.get("normalizers", [normalizer]):
        kind = part.get("type")
        removing = kind in ("Nmt", "BertNormalizer", "StripAccents", "Sequence")
        removing |= kind == "Strip" and part["strip_left"]
        removing |= kind == "Replace" and not part["content"]
        if removing:
            raise TokenizerError(
                "A pre-tokenizer with prepend_scheme='first' must come with a normalizer that "
                f"keeps how texts begin to run in the graph. Received: one of type {kind!r}. "
                "Use encode, or prepend_scheme='always' if the checkpoint allows it."
            )


def _truncate(sequences: list[Any], room: int, strategy: str, side: str) -> list[Any]:
    lengths = [sequence.row_lengths() for sequence in sequences]
    if strategy == "longest_first":
        if len(sequences) == 1:
            return [ragged.truncate(sequences[0], tf.constant(room, tf.int64), side=side)]
        limits = list(longest_first(*lengths, room=room))
    else:
        index = ("only_first", "only_second").index(strategy)
        others = lengths[1 - index] if len(lengths) > 1 else tf.zeros_like(lengths[0])
        limits = list(lengths)
        limits[index] = one_of_two(lengths[index], others, room=room)
    pairs = zip(sequences, limits, strict=True)
    return [ragged.truncate(sequence, limit, side=side) for sequence, limit in pairs]


def _join(template: Template, sequences: list[Any], special: Callable[[Special], Any]) -> Any:
    """Joins what belongs to the texts with what belongs to the special tokens."""
    rows = sequences[0].nrows()
    return ragged.join(
        [
            ragged.fill(special(part), rows) if isinstance(part, Special) else sequences[part.index]
            for part in template
        ]
    )


def _segments(template: Template, sequences: list[Any]) -> list[Any]:
    rows = sequences[0].nrows()
    parts: list[Any] = []
    for part in template:
        if isinstance(part, Special):
            parts.append(ragged.fill([part.segment_id] * len(part.token_ids), rows))
        else:
            parts.append(_filled(sequences[part.index], part.segment_id))
    return parts


def _filled(tokens: Any, value: int) -> Any:
    return tokens.with_values(tf.fill(tf.shape(tokens.values), value))
