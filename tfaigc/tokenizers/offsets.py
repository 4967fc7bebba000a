"""What the tokens of the graph stand for, counted as the Rust tokenizer counts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import ragged
from tfaigc.tokenizers.characters import whitespace
from tfaigc.tokenizers.located import SPELLED_SPACE
from tfaigc.tokenizers.post_processors import Templates


def token_edges(spec: Mapping[str, Any]) -> np.ndarray:
    """Counts the spaces that a model's tokens begin and end with.

    Args:
        spec: tokenizer.json, parsed.

    Returns:
        int32, (vocabulary, 2).
    """
    vocabulary = spec["model"]["vocab"]
    named = isinstance(vocabulary, Mapping)
    ids = vocabulary if named else {piece: row for row, (piece, _) in enumerate(vocabulary)}
    spaces = "".join(map(chr, whitespace())) + SPELLED_SPACE
    edges = np.zeros((max(ids.values(), default=-1) + 1, 2), np.int32)
    for token, row in ids.items():
        edges[row] = len(token) - len(token.lstrip(spaces)), len(token) - len(token.rstrip(spaces))
    return edges


def check(spec: Mapping[str, Any], templates: Templates) -> None:
    """Checks that the Rust tokenizer's offsets can be followed.

    Args:
        spec: tokenizer.json, parsed.
        templates: What its post-processor does.

    Raises:
        TokenizerError: They cannot.
    """
    if templates.trims is None:
        raise TokenizerError(
            "A post-processor must trim offsets before it adds special tokens for offsets to come "
            "from the graph. Received: a sequence that does so behind. "
            "Use encode_arrays, or put them into another order in tokenizer.json."
        )
    if templates.trims and spec["model"]["type"] == "Unigram":
        # An unknown token of Unigram is named after its text, so it has the text's spaces.
        raise TokenizerError(
            "trim_offsets must be false for offsets of a Unigram model to come from the graph. "
            "Received: true. Use encode_arrays, or correct it in tokenizer.json."
        )


def in_bytes(tokens: Any, texts: Any, trims: tuple[bool, ...]) -> Any:
    """Counts in bytes of the texts what located tokens count in characters.

    Args:
        tokens: int32 RaggedTensor, (n, None, 5), as `located.tokens` gives it.
        texts: string, (n,), as they were given, valid UTF-8 or not.
        trims: As in `Templates`.

    Returns:
        int32 RaggedTensor, (n, None, 2).
    """
    values = tokens.values
    rows = ragged.owners(tokens.row_splits)
    first = tf.equal(tf.range(tf.size(rows, tf.int64)), tf.gather(tokens.row_starts(), rows))
    starts, ends, leading, trailing = (values[:, column] for column in range(1, 5))
    for keeps_prefix in trims:
        # Several spaces cannot have been added.
        kept = (first | tf.equal(starts, 0)) & tf.equal(leading, 1) & keeps_prefix
        starts = tf.minimum(starts + tf.where(kept, 0, leading), ends)
        ends = tf.where(ends >= trailing, tf.maximum(ends - trailing, starts), ends)
    decoded, places = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    last = tf.expand_dims(tf.strings.length(texts), 1)
    places = ragged.join(
        [tf.cast(places, tf.int32), tf.RaggedTensor.from_tensor(last, row_splits_dtype=tf.int64)]
    )
    # What lies behind a text's end counts as its end.
    most = tf.cast(tf.gather(decoded.row_lengths(), rows), tf.int32)
    spans = tf.minimum(tf.stack([starts, ends], axis=1), most[:, None])
    shifts = tf.cast(tf.gather(places.row_starts(), rows), tf.int32)
    return tokens.with_values(tf.gather(places.values, spans + shifts[:, None]))
