"""Entities among tags, in TensorFlow: for metrics while training, and inside SavedModels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfaigc.tagging import OUTSIDE, parse_tag

_PREFIXES = "OBIES"
_OUTSIDE, _BEGIN, _INSIDE, _END, _SINGLE = range(len(_PREFIXES))


class Edges(NamedTuple):
    """Where entities begin and end among tags.

    Attributes:
        begins: bool, (n,): whether an entity begins at a word.
        ends: bool, (n,): whether it ends there.
        inside: bool, (n,): whether the word is of an entity.
        types: int32, (n,): the entity's type, a place in ``TagTable.types``; -1 outside.
    """

    begins: Any
    ends: Any
    inside: Any
    types: Any


class TagTable:
    """What the tags of a model say.

    Args:
        labels: The tags, in the order of their numbers.

    Attributes:
        types: The entity types.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        tags = [parse_tag(label) or OUTSIDE for label in labels]
        self.types = tuple(dict.fromkeys(tag.label for tag in tags if tag != OUTSIDE))
        places = {label: place for place, label in enumerate(self.types)}
        # One more at the end, for what is no word.
        tags.append(OUTSIDE)
        self._prefixes = np.array([_PREFIXES.index(tag.prefix) for tag in tags], np.int32)
        self._types = np.array([places.get(tag.label, -1) for tag in tags], np.int32)

    def find_edges(self, tags: Any, firsts: Any) -> Edges:
        """Finds entities as ``tagging.find_spans`` does.

        Args:
            tags: int, (n,): the numbers of tags, of several sentences one behind the other; the
                number of labels is that of no tag.
            firsts: bool, (n,): the first word of each sentence.

        Returns:
            Where they are.
        """
        prefixes = tf.gather(tf.constant(self._prefixes), tags)
        types = tf.gather(tf.constant(self._types), tags)
        before = tf.where(firsts, _OUTSIDE, tf.roll(prefixes, 1, 0))
        type_before = tf.where(firsts, -1, tf.roll(types, 1, 0))
        inside = prefixes != _OUTSIDE
        anew = (before == _OUTSIDE) | (before == _END) | (before == _SINGLE)
        begins = inside & (
            (prefixes == _BEGIN) | (prefixes == _SINGLE) | anew | (types != type_before)
        )
        goes_on = tf.concat([(inside & ~begins)[1:], [False]], axis=0)[: tf.size(tags)]
        return Edges(begins, inside & ~goes_on, inside, types)


class EntityF1(keras.metrics.Metric):
    """F1 of whole entities over all types, as seqeval's and conlleval's.

    Sentences that share a row are read as one, so that an entity at the end of one may swallow the
    beginning of the next, if its tag says that it goes on; reports read each alone.

    Args:
        labels: The tags, in the order of their numbers.
    """

    def __init__(self, labels: Sequence[str], name: str = "f1") -> None:
        super().__init__(name=name)
        self._table = TagTable(labels)
        self._num_labels = len(labels)
        self.true, self.predicted, self.correct = (
            self.add_weight(name=each, initializer="zeros")
            for each in ("true", "predicted", "correct")
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch's entities.

        Args:
            y_true: int, (batch, tokens): tags; below 0 where none counts.
            y_pred: float, (batch, tokens, tags): logits.
            sample_weight: Is not looked at.
        """
        y_true = tf.cast(y_true, tf.int32)
        # Shapes stay static, which XLA asks for: what does not count goes behind what does.
        order = tf.argsort(tf.cast(y_true < 0, tf.int32), axis=1, stable=True)
        counts = tf.gather(y_true >= 0, order, batch_dims=1)
        firsts = tf.reshape(
            tf.broadcast_to(tf.range(tf.shape(order)[1]) == 0, tf.shape(order)), [-1]
        )

        def edges(tags: Any) -> Edges:
            sorted_tags = tf.where(counts, tf.gather(tags, order, batch_dims=1), self._num_labels)
            return self._table.find_edges(tf.reshape(sorted_tags, [-1]), firsts)

        true, found = edges(y_true), edges(tf.argmax(y_pred, axis=-1, output_type=tf.int32))
        differs = (true.begins != found.begins) | (true.ends != found.ends)
        differs |= true.types != found.types
        entities = tf.cumsum(tf.cast(true.begins, tf.int32))
        wrong = tf.math.unsorted_segment_max(
            tf.cast(differs & true.inside, tf.int32), entities, tf.size(entities) + 1
        )
        count = _count(true.begins)
        self.true.assign_add(count)
        self.predicted.assign_add(_count(found.begins))
        self.correct.assign_add(count - _count(wrong > 0))

    def result(self) -> Any:
        """Returns F1 so far; 0 where there are no entities."""
        return tf.math.divide_no_nan(2 * self.correct, self.true + self.predicted)


def _count(flags: Any) -> Any:
    return tf.reduce_sum(tf.cast(flags, tf.float32))
