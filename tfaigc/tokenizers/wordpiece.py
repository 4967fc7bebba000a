"""WordPiece models as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import longest_match
from tfaigc.tokenizers.models import MODELS, Model, Pieces
from tfaigc.tokenizers.registry import Spec

_MOST_BYTES_PER_CHARACTER = 4


@MODELS.register(
    "WordPiece", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"
)
def _wordpiece(spec: Spec) -> Model:
    vocabulary: dict[str, int] = spec["vocab"]
    unknown: str = spec["unk_token"]
    if not vocabulary.get(unknown, -1) >= 0 or not unknown:
        raise TokenizerError(
            "unk_token must be in the vocabulary to run in the graph. "
            f"Received: {unknown!r}. Correct unk_token in tokenizer.json."
        )
    most: int = spec["max_input_chars_per_word"]
    pieces = _pieces(vocabulary, spec["continuing_subword_prefix"], unknown=unknown, most=most)
    longest = max(most * _MOST_BYTES_PER_CHARACTER, 1)
    match = longest_match.match_pieces(pieces, unknown=unknown.encode(), longest=longest)
    # Too long in bytes, so unknown, whatever the vocabulary.
    too_long = "x" * (longest + 1)

    def apply(words: Any) -> Pieces:
        lengths = tf.strings.length(words, unit="UTF8_CHAR")
        return match(tf.where(lengths > most, too_long, words), lengths)

    return apply


def _pieces(
    vocabulary: dict[str, int], prefix: str, *, unknown: str, most: int
) -> dict[bytes, int]:
    """Lists what may begin a word, and what may continue one.

    Every entry may begin a word, even one that starts with the prefix, if the text says so
    literally. Entries with the prefix also continue words, under a mark that no text contains.
    Entries longer than the longest word are out of reach.
    """
    pieces = {unknown.encode(): vocabulary[unknown]}
    for entry, token in vocabulary.items():
        if 0 < len(entry) <= most:
            pieces[entry.encode()] = token
        if entry.startswith(prefix) and 0 < len(entry) - len(prefix) < most:
            pieces[longest_match.SUFFIX + entry[len(prefix) :].encode()] = token
    return pieces
