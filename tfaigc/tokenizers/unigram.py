"""Unigram models as TensorFlow operations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf
from tokenizers import models

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import code_points, cuckoo, ragged
from tfaigc.tokenizers.code_points import CodePoints
from tfaigc.tokenizers.models import MODELS, Model, Pieces, by_lookup
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

    def encode(words: Any) -> Pieces:
        decoded = code_points.decode(words)
        tokens = lattice(decoded.codes, decoded.splits)
        if byte_ids is None:
            return _fuse(tokens, decoded, unknown)
        return _fall_back(tokens, decoded, unknown, byte_ids)

    alone = _pieces_alone(spec, ids)
    find, numbers = cuckoo.lookup(list(alone)), list(alone.values()) or [0]
    return lambda words: by_lookup(words, find, numbers, encode)


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


def _fuse(tokens: Tokens, words: CodePoints, unknown: int) -> Pieces:
    """Makes one unknown token of each run of them."""
    strange, goes_on = _runs(tokens, unknown)
    ids = tf.where(strange, unknown, tokens.numbers)
    begins, starts, splits = _begin_runs(tokens, goes_on)
    return _pieces(tf.gather(ids, begins), starts, splits, words)


def _pieces(ids: Any, starts: Any, splits: Any, words: CodePoints) -> Pieces:
    """Counts in each word's characters what `starts`, int64, counts in those of all words."""
    size = tf.size(words.codes, tf.int64)[None]
    behind = tf.concat([starts[1:], size], axis=0)[: tf.size(starts)]
    pieces = Pieces(ids, splits, starts, behind - 1)
    begun = tf.gather(words.splits, pieces.rows())
    firsts, lasts = (tf.cast(each - begun, tf.int32) for each in (starts, behind - 1))
    return pieces._replace(firsts=firsts, lasts=lasts)


def _fall_back(tokens: Tokens, words: CodePoints, unknown: int, byte_ids: np.ndarray) -> Pieces:
    """Spells each run of unknown tokens in bytes, but for a literal unknown token on its own."""
    codes = words.codes
    strange, goes_on = _runs(tokens, unknown)
    continued = tf.concat([goes_on[1:], tf.fill([tf.minimum(tf.size(goes_on), 1)], False)], axis=0)
    literal = strange & (tokens.numbers >= 0) & ~goes_on & ~continued
    spelled = strange & ~literal
    # Every character of a spelled token gives its bytes; of another token the first gives its id.
    owner = ragged.repeat(tf.range(tf.size(spelled)), tokens.ends - tokens.starts)
    of_spelled = tf.gather(spelled, owner)
    first = tf.equal(tf.range(tf.size(codes, tf.int64)), tf.gather(tokens.starts, owner))
    size = tf.cast(code_points.sizes(codes), tf.int64)
    counts = tf.where(of_spelled, size, tf.cast(first, tf.int64))
    ends = tf.concat([[0], tf.cumsum(counts)], axis=0)
    source = ragged.repeat(tf.range(tf.size(codes)), counts)
    within = tf.range(tf.size(source, tf.int64)) - tf.gather(ends, source)
    bytes_ = _nth_byte(tf.gather(codes, source), tf.gather(size, source), within)
    owner = tf.gather(owner, source)
    ids = tf.where(
        tf.gather(spelled, owner),
        tf.gather(tf.constant(byte_ids), bytes_),
        tf.gather(tokens.numbers, owner),
    )
    characters = tf.concat([tokens.starts, tf.size(codes, tf.int64)[None]], axis=0)
    splits = tf.gather(ends, tf.gather(characters, tokens.splits))
    # The Rust tokenizer says of every byte that it stands for its whole run.
    runs = _pieces(*_begin_runs(tokens, goes_on), words)
    run = tf.gather(tf.cumsum(tf.cast(~goes_on, tf.int32)) - 1, owner)
    return Pieces(ids, splits, tf.gather(runs.firsts, run), tf.gather(runs.lasts, run))


def _begin_runs(tokens: Tokens, goes_on: Any) -> tuple[Any, Any, Any]:
    """Lists which tokens begin runs, known tokens being runs of their own, and their splits."""
    ends = tf.concat([[0], tf.cumsum(tf.cast(~goes_on, tf.int64))], axis=0)
    begins = tf.where(~goes_on)[:, 0]
    return begins, tf.gather(tokens.starts, begins), tf.gather(ends, tokens.splits)


def _nth_byte(codes: Any, size: Any, index: Any) -> Any:
    """Takes one byte of a character's UTF-8."""
    left = tf.cast(size - 1 - index, tf.int32)
    shifted = tf.bitwise.right_shift(codes, 6 * left)
    lead = tf.gather(tf.constant([0, 0, 0xC0, 0xE0, 0xF0]), size)
    return tf.where(tf.equal(index, 0), lead + shifted, 0x80 + shifted % 64)
