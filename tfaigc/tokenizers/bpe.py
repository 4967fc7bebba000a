"""Byte-pair encoding as TensorFlow operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

import tensorflow as tf
from tokenizers import Tokenizer as RustTokenizer

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import bpe_chunks, byte_level, cuckoo, ragged
from tfaigc.tokenizers.bpe_merges import Merges
from tfaigc.tokenizers.bpe_symbols import Reader, Rules, byte_symbols, character_symbols
from tfaigc.tokenizers.models import MODELS, Pieces, by_lookup
from tfaigc.tokenizers.registry import Spec

_OPTIONS = (
    *("vocab", "merges", "dropout", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges"),
    *("continuing_subword_prefix", "end_of_word_suffix"),
)


class BytePairEncoding:
    """A BPE model.

    Args:
        spec: The model's object in tokenizer.json.
        spelled: Whether the model spells bytes in the byte-level alphabet, and the words that it
            will be given are not spelled.

    Raises:
        TokenizerError: The model cannot be compiled.
    """

    def __init__(self, spec: Spec, *, spelled: bool = False) -> None:
        self._spec = spec
        self._spelled = spelled
        self._prefix: str = spec.get("continuing_subword_prefix") or ""
        _check(spec)

    def spelling(self) -> BytePairEncoding:
        """Makes the same model for words whose bytes it has to spell itself."""
        return BytePairEncoding(self._spec, spelled=True)

    def __call__(self, words: Any) -> Pieces:
        """Turns words into tokens.

        Args:
            words: string, (n,), none of them empty.

        Returns:
            Their tokens.
        """
        find, ids = self._entries
        return by_lookup(words, find, ids, self._merge)

    def _merge(self, words: Any) -> Pieces:
        """Turns words into tokens by merging."""
        tokens, splits, sizes = bpe_chunks.encode(self._merges, self._symbols(words))
        pieces = Pieces(tokens, tf.cast(splits, tf.int64), tokens, tokens)
        rows = pieces.rows()
        behind = tf.pad(tf.cumsum(sizes), [[1, 0]])
        # Where characters were left out, the Rust tokenizer counts as if it were at the word's end.
        begun = tf.gather(tf.gather(behind, splits[:-1]), rows)
        characters, starts = self._characters(words)
        shifts = tf.gather(starts, rows) - begun
        return pieces._replace(
            firsts=tf.gather(characters, behind[:-1] + shifts),
            lasts=tf.gather(characters, behind[1:] + shifts - 1),
        )

    def _characters(self, words: Any) -> tuple[Any, Any]:
        """Tells which character of its word each byte is of, int32, and where words begin, int32.

        The bytes are those of the words' spelling.
        """
        units = tf.cast(tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8), tf.int32)
        characters = tf.cumsum(
            tf.cast(tf.not_equal(tf.bitwise.bitwise_and(units, 0xC0), 0x80), tf.int32)
        )
        lengths = tf.strings.length(words)
        starts = tf.cumsum(lengths, exclusive=True)
        characters -= ragged.repeat(tf.gather(characters, starts), lengths)
        if not self._spelled:
            return characters, starts
        sizes = byte_level.sizes(units)
        return ragged.repeat(characters, sizes), tf.gather(tf.cumsum(sizes, exclusive=True), starts)

    def prepare(self) -> None:
        """Builds the tables, which the first call does otherwise."""
        _ = self._entries, self._symbols, self._merges

    @cached_property
    def _merges(self) -> Merges:
        vocabulary, cut = self._spec["vocab"], len(self._prefix.encode())
        pairs = (
            merge.split(" ") if isinstance(merge, str) else merge for merge in self._spec["merges"]
        )
        merges = [
            (
                vocabulary[left],
                vocabulary[right],
                vocabulary[left + right.encode()[cut:].decode()],
            )
            for left, right in pairs
        ]
        return Merges(merges, max(vocabulary.values(), default=-1) + 1)

    @cached_property
    def _symbols(self) -> Reader:
        unknown = self._spec.get("unk_token")
        rules = Rules(
            vocabulary=self._spec["vocab"],
            unknown=None if unknown is None else self._spec["vocab"][unknown],
            fused=self._spec["fuse_unk"],
            fallback=self._spec["byte_fallback"],
            prefix=self._prefix,
            suffix=self._spec.get("end_of_word_suffix") or "",
        )
        return byte_symbols(rules) if self._spelled else character_symbols(rules)

    @cached_property
    def _entries(self) -> tuple[Callable[[Any], Any], Any]:
        """The words that are tokens themselves, and their ids."""
        entries: dict[str, int] = {}
        suffix = self._spec.get("end_of_word_suffix") or ""
        for token in self._spec["vocab"]:
            for word in {token, token.removesuffix(suffix)}:
                found = [each.id for each in self._rust.tokenize(word)]
                spelled = _unspelled(word) if self._spelled else word
                if len(found) == 1 and spelled:
                    entries[spelled] = found[0]
        return cuckoo.lookup(list(entries)), list(entries.values()) or [0]

    @cached_property
    def _rust(self) -> Any:
        return RustTokenizer.from_str(json.dumps({"model": self._spec})).model


@MODELS.register("BPE", *_OPTIONS)
def _bpe(spec: Spec) -> BytePairEncoding:
    return BytePairEncoding(spec)


def _unspelled(token: str) -> str | None:
    """Reads an entry as the word that it spells; None if it is none."""
    try:
        return (byte_level.read(token) or b"").decode()
    except UnicodeDecodeError:
        return None


def _check(spec: Spec) -> None:
    vocabulary, unknown = spec["vocab"], spec.get("unk_token")
    if spec.get("dropout"):
        raise TokenizerError(
            f"dropout must be 0 to run in the graph. Received: {spec['dropout']}. "
            "Set it to null in tokenizer.json."
        )
    if unknown is not None and unknown not in vocabulary:
        raise TokenizerError(
            "unk_token must be in the vocabulary to run in the graph. "
            f"Received: {unknown!r}. Correct unk_token in tokenizer.json."
        )
