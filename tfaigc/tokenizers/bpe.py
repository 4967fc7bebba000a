"""Byte-pair encoding as TensorFlow operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

import tensorflow as tf
from tokenizers import Tokenizer as RustTokenizer

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import bpe_chunks, byte_level, cuckoo
from tfaigc.tokenizers.bpe_merges import Merges
from tfaigc.tokenizers.bpe_symbols import Reader, Rules, byte_symbols, character_symbols
from tfaigc.tokenizers.models import MODELS
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

    def __call__(self, words: Any) -> Any:
        """Turns words into tokens.

        Args:
            words: string, (n,), none of them empty.

        Returns:
            int32 RaggedTensor, (n, None).
        """
        lookup, tokens_of_entries = self._entries
        symbols, merges = self._symbols, self._merges
        distinct, places = tf.unique(words)
        found = lookup(distinct)
        unlisted = found < 0
        merged = bpe_chunks.encode(merges, *symbols(tf.boolean_mask(distinct, unlisted)))
        # All tokens of distinct words in one row: first of those that are entries themselves.
        single = tf.gather(tf.constant(tokens_of_entries), tf.maximum(found, 0))
        pool = tf.concat([single, merged.flat_values], 0)
        size = tf.size(distinct, tf.int64)
        order = tf.cumsum(tf.cast(unlisted, tf.int64)) - 1
        splits = tf.concat([merged.row_splits, tf.zeros([1], tf.int64)], 0)
        order = tf.maximum(order, 0)
        starts = tf.where(unlisted, size + tf.gather(splits, order), tf.range(size))
        lengths = tf.where(unlisted, tf.gather(splits, order + 1) - tf.gather(splits, order), 1)
        starts, lengths = tf.gather(starts, places), tf.gather(lengths, places)
        taken = tf.ragged.range(starts, starts + lengths)
        return taken.with_flat_values(tf.gather(pool, taken.flat_values))

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
