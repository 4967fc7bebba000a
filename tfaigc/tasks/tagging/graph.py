"""What a model thinks of words, found by TensorFlow operations alone, from raw strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from tfaigc.tagging.words import APOSTROPHES, MOST_IN_ENDING, Kind, kind_ranges
from tfaigc.tasks.graph_windows import windows_in_graph
from tfaigc.tasks.problems import Entities
from tfaigc.tokenizers import ragged
from tfaigc.training.entities import TagTable

if TYPE_CHECKING:
    from tfaigc.tasks.token_classifier import TokenClassifier


class _Characters(NamedTuple):
    """The characters of all texts, one behind the other, and a space behind the last.

    Attributes:
        codes: int32, (characters,).
        rows: int64, (characters,): their texts.
        starts: int64, (characters,): where they begin in the texts' bytes, counted through.
        splits: int64, (texts + 1,): text i owns characters splits[i] to splits[i + 1].
        byte_splits: int64, (texts + 1,): text i owns bytes byte_splits[i] to byte_splits[i + 1].
    """

    codes: Any
    rows: Any
    starts: Any
    splits: Any
    byte_splits: Any


class _Words(NamedTuple):
    """The words of all texts.

    Attributes:
        of_characters: int64, (characters,): the word of each; of a space, the next word.
        starts: int64, (words + 1,): their first characters.
        ends: int64, (words + 1,): the characters behind their last ones.
        unspaced: bool, (characters,): those of scripts without spaces.
    """

    of_characters: Any
    starts: Any
    ends: Any
    unspaced: Any


class _Units(NamedTuple):
    """What is tagged; see ``units_of_text``.

    Attributes:
        heads: int64, (units,): their first tokens.
        rows: int64, (units,): their texts.
        starts: int64, (units,): their first characters, counted through all texts.
        ends: int64, (units,): the characters behind their last ones.
    """

    heads: Any
    rows: Any
    starts: Any
    ends: Any


def tag_texts(model: TokenClassifier, texts: Any) -> dict[str, Any]:
    """Takes raw strings to what ``TokenClassifier.infer`` lists of them.

    Args:
        model: The model.
        texts: string, (batch,).

    Returns:
        ``text`` and ``label``, string, ``score``, float32, ``start`` and ``end``, int32, in
        characters: (batch, most that a text has, at least 1), filled up with "", 0 and -1.
    """
    ids, segments, offsets = model.tokenizer.in_graph(
        texts, return_segment_ids=True, return_offsets=True
    )
    token_logits = _token_logits(model, ids, segments)
    characters = _read_characters(texts)
    units = _find_units(offsets, characters)
    logits = tf.gather(token_logits, units.heads)
    tags = tf.argmax(logits, axis=-1)
    scores = tf.reduce_max(tf.nn.softmax(logits), axis=-1)
    labels = tf.gather(tf.constant(model.labels), tags)
    if isinstance(model.problem, Entities):
        units, labels, scores = _join(TagTable(model.labels), units, tags, scores)
    shift = tf.gather(characters.splits, units.rows)
    byte_start, byte_end = (
        tf.gather(characters.starts, each) for each in (units.starts, units.ends)
    )
    own_start = byte_start - tf.gather(characters.byte_splits, units.rows)
    pieces = tf.strings.substr(tf.gather(texts, units.rows), own_start, byte_end - byte_start)

    def dense(values: Any, filler: Any) -> Any:
        rows = tf.RaggedTensor.from_value_rowids(values, units.rows, tf.size(texts, tf.int64))
        width = tf.maximum(rows.bounding_shape(axis=1), 1)
        return rows.to_tensor(filler, shape=tf.stack([rows.nrows(), width]))

    return {
        "text": dense(pieces, ""),
        "label": dense(labels, ""),
        "score": dense(scores, 0.0),
        "start": dense(tf.cast(units.starts - shift, tf.int32), -1),
        "end": dense(tf.cast(units.ends - shift, tf.int32), -1),
    }


def _token_logits(model: TokenClassifier, ids: Any, segments: Any) -> Any:
    """Computes logits of all tokens, float32, (tokens, labels); see ``central_tokens``."""
    max_length, (before, behind), overlap = model.windows.values()
    windows = windows_in_graph(ids, before, behind, max_length=max_length, overlap=overlap)
    inputs = windows.inputs(ids, segments, pad_token_id=model.tokenizer.pad_token_id or 0)
    logits = tf.boolean_mask(model(inputs, training=False), inputs["padding_mask"] == 1)
    rows, step = ragged.owners(ids.row_splits), max_length - before - behind - overlap
    columns = tf.range(tf.size(rows, tf.int64)) - tf.gather(ids.row_starts(), rows) - before
    last = tf.gather(windows.counts, rows) - 1
    central = tf.clip_by_value((columns - overlap // 2) // step, 0, last)
    window = tf.gather(windows.firsts, rows) + central
    starts = tf.gather(windows.sources.row_starts(), window)
    return tf.gather(logits, starts + before + columns - central * step)


def _read_characters(texts: Any) -> _Characters:
    decoded, places = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    sizes = tf.cast(tf.strings.length(texts), tf.int64)
    byte_splits = tf.concat([[0], tf.cumsum(sizes)], axis=0)
    rows = ragged.owners(decoded.row_splits)
    starts = places.values + tf.gather(byte_splits, rows)
    return _Characters(
        codes=tf.concat([decoded.values, [ord(" ")]], axis=0),
        rows=tf.concat([rows, [tf.size(texts, tf.int64)]], axis=0),
        starts=tf.concat([starts, byte_splits[-1:]], axis=0),
        splits=decoded.row_splits,
        byte_splits=byte_splits,
    )


def _split_words(characters: _Characters) -> _Words:
    """Cuts texts into words as ``tagging.split_words`` does."""
    firsts, range_kinds = kind_ranges()
    found = tf.searchsorted(tf.constant(firsts), characters.codes, side="right") - 1
    kinds = tf.gather(tf.constant(range_kinds), found)
    letter, space, unspaced = (
        kinds == int(kind) for kind in (Kind.LETTER, Kind.SPACE, Kind.UNSPACED)
    )
    groups = tf.where(kinds == int(Kind.PUNCTUATION), int(Kind.LETTER), kinds)
    starts_run = _changes(groups) | _changes(characters.rows)
    runs = tf.cumsum(tf.cast(starts_run, tf.int64)) - 1
    places = tf.range(tf.size(runs, tf.int64))
    num_runs = runs[-1] + 1
    first = tf.math.unsorted_segment_min(tf.where(letter, places, tf.int64.max), runs, num_runs)
    last = tf.math.unsorted_segment_max(tf.where(letter, places, -1), runs, num_runs)
    first, last = tf.gather(first, runs), tf.gather(last, runs)
    outside = (places < first) | (places > last)
    ending = tf.reduce_any([characters.codes == ord(each) for each in APOSTROPHES], axis=0)
    ending &= (places > first) & (places < last) & (last - places <= MOST_IN_ENDING)
    begins = starts_run | (~unspaced & (outside | (places == first) | ending))
    begins &= ~space
    counted = tf.cumsum(tf.cast(begins, tf.int64))
    words = tf.where(space, counted, counted - 1)
    word_starts = tf.boolean_mask(places, begins)
    ends = tf.math.unsorted_segment_max(
        tf.boolean_mask(places, ~space) + 1, tf.boolean_mask(words, ~space), counted[-1]
    )
    # The space behind all texts may stand for a word, which is of no text.
    return _Words(
        words,
        tf.concat([word_starts, places[-1:]], axis=0),
        tf.concat([ends, places[-1:]], axis=0),
        unspaced,
    )


def _find_units(offsets: Any, characters: _Characters) -> _Units:
    """Finds what is tagged as ``units_of_text`` does."""
    words = _split_words(characters)
    rows = ragged.owners(offsets.row_splits)
    own = tf.cast(offsets.values, tf.int64)
    shift = tf.gather(characters.byte_splits, rows)
    lasts = tf.maximum(own[:, 0], own[:, 1] - 1)
    starts, lasts = (
        tf.searchsorted(characters.starts, each + shift, side="right", out_type=tf.int64) - 1
        for each in (own[:, 0], lasts)
    )
    of_tokens = tf.gather(words.of_characters, lasts)
    word_rows = tf.gather(characters.rows, tf.gather(words.starts, of_tokens))
    is_of_word = (own[:, 1] > 0) & (word_rows == rows) & (tf.gather(characters.rows, lasts) == rows)
    of_tokens = tf.where(is_of_word, of_tokens, -1)
    first = _changes(of_tokens)
    is_head = is_of_word & (first | tf.gather(words.unspaced, starts))
    heads = tf.where(is_head)[:, 0]
    of_heads, head_starts = tf.gather(of_tokens, heads), tf.gather(starts, heads)
    next_words = tf.concat([of_heads[1:], [-1]], axis=0)[: tf.size(heads)]
    next_starts = tf.concat([head_starts[1:], [-1]], axis=0)[: tf.size(heads)]
    return _Units(
        heads,
        tf.gather(rows, heads),
        tf.where(tf.gather(first, heads), tf.gather(words.starts, of_heads), head_starts),
        tf.where(of_heads == next_words, next_starts, tf.gather(words.ends, of_heads)),
    )


def _join(table: TagTable, units: _Units, tags: Any, scores: Any) -> tuple[_Units, Any, Any]:
    """Joins words to entities; gives them with their types and scores."""
    edges = table.find_edges(tags, _changes(units.rows))
    entities = tf.cumsum(tf.cast(edges.begins, tf.int32)) - 1
    means = tf.math.segment_mean(
        tf.boolean_mask(scores, edges.inside), tf.boolean_mask(entities, edges.inside)
    )
    joined = _Units(
        tf.boolean_mask(units.heads, edges.begins),
        tf.boolean_mask(units.rows, edges.begins),
        tf.boolean_mask(units.starts, edges.begins),
        tf.boolean_mask(units.ends, edges.ends),
    )
    labels = tf.gather(tf.constant(table.types), tf.boolean_mask(edges.types, edges.begins))
    return joined, labels, means


def _changes(values: Any) -> Any:
    """Marks what differs from what stands before it; the first does."""
    return tf.concat([[True], values[1:] != values[:-1]], axis=0)[: tf.size(values)]
