"""The compiler from tokenizer.json to TensorFlow operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tokenizers import Tokenizer as RustTokenizer

# Each model's file adds itself to the table of models.
from tfaigc.tokenizers import inputs, ragged, strings, truncation, wordpiece  # noqa: F401
from tfaigc.tokenizers.added_tokens import AddedTokens
from tfaigc.tokenizers.models import MODELS
from tfaigc.tokenizers.normalizers import NORMALIZERS
from tfaigc.tokenizers.post_processors import NOTHING_ADDED, POST_PROCESSORS, Special, Template
from tfaigc.tokenizers.pre_tokenizers import PRE_TOKENIZERS

# What a text may hold besides its own characters: control characters are alike to all parts.
_STAND_INS = (*range(0x01, 0x09), *range(0x0E, 0x20))


class GraphTokenizer:
    """A tokenizer.json as TensorFlow operations.

    It holds numbers and strings only, no tensors or resources: what is traced from it is saved
    in a SavedModel without anything to track.

    Args:
        spec: tokenizer.json, parsed, every option explicit.

    Raises:
        TokenizerError: A part cannot be compiled.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._stand_in = _stand_in(spec)
        self._raw_tokens, self._normalized_tokens = _added_tokens(spec)
        self._normalizer = _optional(NORMALIZERS.build, spec.get("normalizer"), lambda texts: texts)
        self._pre_tokenizer = _optional(
            PRE_TOKENIZERS.build, spec.get("pre_tokenizer"), _whole_texts
        )
        self._model = MODELS.build(spec["model"])
        self._templates = _optional(
            POST_PROCESSORS.build, spec.get("post_processor"), NOTHING_ADDED
        )

    # AutoGraph would rewrite every function below, which takes half a minute and changes nothing.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def __call__(
        self,
        texts: Any,
        pairs: Any = None,
        *,
        max_length: int | None = None,
        return_segment_ids: bool = False,
    ) -> Any:
        """Turns texts into token ids.

        Args:
            texts: string, (batch,).
            pairs: string, (batch,), or None.
            max_length: The most tokens of an example, special tokens included.
            return_segment_ids: Whether to return the segment ids too.

        Returns:
            int32 RaggedTensor, (batch, None), or two of them: token ids and segment ids.

        Raises:
            ConfigError: `max_length` has no room for the special tokens.
        """
        pair = pairs is not None
        added = self._templates.count_added(pair=pair)
        limit = inputs.check_max_length(max_length, added=added)
        sequences = [self.tokenize(some) for some in ((texts, pairs) if pair else (texts,))]
        if limit is not None:
            sequences = _truncate(sequences, limit - added)
        template = self._templates.choose(pair=pair)
        token_ids = ragged.join(_parts(template, sequences))
        if not return_segment_ids:
            return token_ids
        return token_ids, ragged.join(_segments(template, sequences))

    def tokenize(self, texts: Any) -> Any:
        """Turns texts into token ids without adding special tokens.

        Args:
            texts: string, (n,).

        Returns:
            int32 RaggedTensor, (n, None).
        """
        texts = strings.valid_utf8(tf.convert_to_tensor(texts, tf.string))
        texts = tf.strings.regex_replace(texts, r"\x00", self._stand_in)
        return self._raw_tokens.apply(texts, self._normalize)

    def _normalize(self, texts: Any) -> Any:
        return self._normalized_tokens.apply(self._normalizer(texts), self._split)

    def _split(self, texts: Any) -> Any:
        words = self._pre_tokenizer(texts)
        tokens = self._model(words.flat_values)
        return words.with_flat_values(tokens).merge_dims(1, 2)


def compile_tokenizer(spec: Mapping[str, Any]) -> GraphTokenizer:
    """Compiles a tokenizer.json to TensorFlow operations.

    Args:
        spec: tokenizer.json, parsed, every option explicit, as `Tokenizer.spec` has it.

    Returns:
        The tokenizer.

    Raises:
        TokenizerError: A part cannot be compiled.
    """
    with tf.init_scope():
        return GraphTokenizer(spec)


def _optional(build: Any, part: Any, default: Any) -> Any:
    return default if part is None else build(part)


def _whole_texts(texts: Any) -> Any:
    """Takes each text as one word, and the empty text as none."""
    lengths = tf.cast(tf.strings.length(texts) > 0, tf.int64)
    words = tf.boolean_mask(texts, lengths > 0)
    return tf.RaggedTensor.from_row_lengths(words, lengths, validate=False)


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


def _stand_in(spec: Mapping[str, Any]) -> str:
    """Picks the control character that takes the place of NUL, at which some operations stop."""
    text = json.dumps(spec, ensure_ascii=False)
    taken = {code for code in _STAND_INS if json.dumps(chr(code))[1:-1] in text}
    return chr(min(set(_STAND_INS) - taken))


def _truncate(sequences: list[Any], room: int) -> list[Any]:
    if len(sequences) == 1:
        return [ragged.truncate(sequences[0], tf.constant(room, tf.int64))]
    lengths = [sequence.row_lengths() for sequence in sequences]
    limits = truncation.longest_first(*lengths, room=room)
    return [ragged.truncate(*each) for each in zip(sequences, limits, strict=True)]


def _parts(template: Template, sequences: list[Any]) -> list[Any]:
    rows = sequences[0].nrows()
    return [
        ragged.fill(part.token_ids, rows) if isinstance(part, Special) else sequences[part.index]
        for part in template
    ]


def _segments(template: Template, sequences: list[Any]) -> list[Any]:
    rows = sequences[0].nrows()
    parts: list[Any] = []
    for part in template:
        if isinstance(part, Special):
            parts.append(ragged.fill([part.segment_id] * len(part.token_ids), rows))
        else:
            tokens = sequences[part.index]
            parts.append(tokens.with_values(tf.fill(tf.shape(tokens.values), part.segment_id)))
    return parts
