"""Unigram models as TensorFlow operations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf
from tokenizers import models

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import code_points, cuckoo, ragged
from tfaigc.tokenizers.models import MODELS, Model
from tfaigc.tokenizers.registry import Spec
from tfaigc.tokenizers.unigram_lattice import Lattice, Tokens
from tfaigc.tokenizers.unigram_trie import Trie

# How much worse than the worst piece the Rust tokenizer rates a character that is no piece.
_UNKNOWN_PENALTY = 10.0
# Of the pieces that are looked up as whole words; frequent ones come first in vocabularies.
_MOST_LOOKED_UP = 50_000
_LONGEST_LOOKED_UP = 64  # bytes


@MODELS.register("Unigram", "vocab", "unk_id", "byte_fallback")
def _unigram(spec: Spec) -> Model:
    entries: list[tuple[str, float]] = [(str(piece), score) for piece, score in spec["vocab"]]
    _check(entries, spec["unk_id"])
    unknown: int = spec["unk_id"]
    # The last of equal entries counts.
    ids = {piece: index for index, (piece, _) in enumerate(entries)}
    scores = np.array([score for _, score in entries], np.float64)
    trie = Trie({piece: token for piece, token in ids.items() if piece})
    lattice = Lattice(trie, scores, float(scores.min()) - _UNKNOWN_PENALTY)
    byte_ids = _byte_ids(ids) if spec.get("byte_fallback") else None

    def encode(words: Any) -> Any:
        decoded = code_points.decode(words)
        tokens = lattice(decoded.codes, decoded.splits)
        if byte_ids is None:
            return _fuse(tokens, unknown)
        return _fall_back(tokens, decoded.codes, unknown, byte_ids)

    alone = _pieces_alone(spec, ids)
    find = cuckoo.lookup(list(alone)) if alone else None
    numbers = np.fromiter(alone.values(), np.int32, len(alone))

    def apply(words: Any) -> Any:
        distinct, places = tf.unique(words)
        if find is None:
            return ragged.take(encode(distinct), places)
        # Most words of prose are pieces, which a look-up tells faster than the lattice.
        found = find(distinct)
        known = found >= 0
        whole = tf.gather(tf.constant(numbers), tf.boolean_mask(found, known))
        single = tf.RaggedTensor.from_uniform_row_length(whole, 1)
        others = encode(tf.boolean_mask(distinct, ~known))
        joined = tf.RaggedTensor.from_row_splits(
            tf.concat([single.values, others.values], axis=0),
            tf.concat([single.row_splits, others.row_splits[1:] + single.row_splits[-1]], axis=0),
            validate=False,
        )
        behind = tf.shape(single.values, tf.int64)[0] + tf.cumsum(tf.cast(~known, tf.int64)) - 1
        rows = tf.where(known, tf.cumsum(tf.cast(known, tf.int64)) - 1, behind)
        return ragged.take(joined, tf.gather(rows, places))

    return apply


def _pieces_alone(spec: Spec, ids: dict[str, int]) -> dict[str, int]:
    """Lists the pieces that, as words, stay whole, with their ids."""
    vocabulary = [(piece, score) for piece, score in spec["vocab"]]
    rust = models.Unigram(vocabulary, spec["unk_id"], bool(spec.get("byte_fallback")))
    candidates = itertools.islice(ids.items(), _MOST_LOOKED_UP)
    short = {
        piece: token
        for piece, token in candidates
        if piece and len(piece.encode()) <= _LONGEST_LOOKED_UP
    }
    return {
        piece: token
        for piece, token in short.items()
        if [found.id for found in rust.tokenize(piece)] == [token]
    }


def _check(entries: list[tuple[str, float]], unknown: int | None) -> None:
    if unknown is None:
        raise TokenizerError(
            "unk_id must be set for a Unigram model to run in the graph. Received: null. "
            "Use encode, or set unk_id in tokenizer.json."
        )
    worst = min(score for _, score in entries)
    # Otherwise characters that are no pieces could win over a piece that they make up.
    if not np.isfinite([score for _, score in entries]).all() or worst >= _UNKNOWN_PENALTY:
        raise TokenizerError(
            "The scores of a Unigram model must be finite, the lowest below "
            f"{_UNKNOWN_PENALTY}, to run in the graph. Received: a lowest score of {worst}. "
            "Use encode, or correct vocab in tokenizer.json."
        )


def _byte_ids(ids: dict[str, int]) -> np.ndarray | None:
    """The ids of all bytes, or None where the vocabulary has none of them."""
    found = [ids.get(f"<0x{byte:02X}>") for byte in range(256)]
    present = [token for token in found if token is not None]
    if not present:
        return None
    if len(present) < len(found):
        raise TokenizerError(
            "A Unigram model with byte_fallback must have all 256 bytes in its vocabulary, from "
            f"<0x00> to <0xFF>, to run in the graph. Received: {len(present)} of them. "
            "Use encode, or add the others to tokenizer.json."
        )
    return np.array(present, np.int32)


def _runs(tokens: Tokens, unknown: int) -> tuple[Any, Any]:
    """Marks unknown tokens, and among them those that go on a run of unknown ones."""
    # The unknown token may also stand in the text literally; it joins a run all the same.
    strange = (tokens.numbers < 0) | tf.equal(tokens.numbers, unknown)
    size = tf.size(tokens.numbers, tf.int64)
    first = tf.scatter_nd(
        tokens.splits[:-1, None], tf.ones_like(tokens.splits[:-1]), size[None] + 1
    )
    follows = tf.equal(first[:-1], 0) & code_points.previous(strange, False)
    return strange, strange & follows


def _fuse(tokens: Tokens, unknown: int) -> Any:
    """Makes one unknown token of each run of them."""
    strange, goes_on = _runs(tokens, unknown)
    ids = tf.where(strange, unknown, tokens.numbers)
    ends = tf.concat([[0], tf.cumsum(tf.cast(~goes_on, tf.int64))], axis=0)
    splits = tf.gather(ends, tokens.splits)
    return tf.RaggedTensor.from_row_splits(tf.boolean_mask(ids, ~goes_on), splits, validate=False)


def _fall_back(tokens: Tokens, codes: Any, unknown: int, byte_ids: np.ndarray) -> Any:
    """Spells each run of unknown tokens in bytes, but for a literal unknown token on its own."""
    strange, goes_on = _runs(tokens, unknown)
    continued = tf.concat([goes_on[1:], tf.fill([tf.minimum(tf.size(goes_on), 1)], False)], axis=0)
    literal = strange & (tokens.numbers >= 0) & ~goes_on & ~continued
    spelled = strange & ~literal
    # Every character of a spelled token gives its bytes; of another token the first gives its id.
    owner = tf.repeat(tf.range(tf.size(spelled)), tokens.ends - tokens.starts)
    of_spelled = tf.gather(spelled, owner)
    first = tf.equal(tf.range(tf.size(codes, tf.int64)), tf.gather(tokens.starts, owner))
    size = 1 + sum(tf.cast(codes >= least, tf.int64) for least in (0x80, 0x800, 0x10000))
    counts = tf.where(of_spelled, size, tf.cast(first, tf.int64))
    ends = tf.concat([[0], tf.cumsum(counts)], axis=0)
    source = tf.repeat(tf.range(tf.size(codes)), counts)
    within = tf.range(tf.size(source, tf.int64)) - tf.gather(ends, source)
    bytes_ = _nth_byte(tf.gather(codes, source), tf.gather(size, source), within)
    whole = tf.gather(tokens.numbers, tf.gather(owner, source))
    ids = tf.where(tf.gather(of_spelled, source), tf.gather(tf.constant(byte_ids), bytes_), whole)
    characters = tf.concat([tokens.starts, tf.size(codes, tf.int64)[None]], axis=0)
    splits = tf.gather(ends, tf.gather(characters, tokens.splits))
    return tf.RaggedTensor.from_row_splits(ids, splits, validate=False)


def _nth_byte(codes: Any, size: Any, index: Any) -> Any:
    """Takes one byte of a character's UTF-8."""
    left = tf.cast(size - 1 - index, tf.int32)
    shifted = tf.bitwise.right_shift(codes, 6 * left)
    lead = tf.gather(tf.constant([0, 0, 0xC0, 0xE0, 0xF0]), size)
    return tf.where(tf.equal(index, 0), lead + shifted, 0x80 + shifted % 64)
