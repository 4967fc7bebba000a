"""Long texts as several examples, inside a graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tfaigc.tokenizers import ragged


class GraphWindows(NamedTuple):
    """The examples that texts are cut into, as ``cut_windows`` cuts them.

    Attributes:
        sources: int64 RaggedTensor, (examples, None): the places of their tokens among those of
            the texts, counted through.
        firsts: int64, (texts,): each text's first example.
        counts: int64, (texts,): how many examples it has.
    """

    sources: Any
    firsts: Any
    counts: Any

    def inputs(self, ids: Any, segments: Any, *, pad_token_id: int) -> dict[str, Any]:
        """Makes a backbone's inputs.

        Args:
            ids: int32 RaggedTensor, (texts, None): the texts' tokens.
            segments: The same of their segments.
            pad_token_id: Fills up shorter examples.

        Returns:
            ``token_ids``, ``padding_mask`` and ``segment_ids``: int32, (examples, length).
        """
        return {
            "token_ids": self.take(ids.values).to_tensor(pad_token_id),
            "padding_mask": tf.sequence_mask(self.sources.row_lengths(), dtype=tf.int32),
            "segment_ids": self.take(segments.values).to_tensor(),
        }

    def take(self, values: Any) -> Any:
        """Takes what there is of each token of the texts, (tokens, ...), to the examples."""
        return self.sources.with_values(tf.gather(values, self.sources.values))


def windows_in_graph(
    ids: Any, before: Any, behind: int, *, max_length: int, overlap: int
) -> GraphWindows:
    """Cuts texts with more than ``max_length`` tokens into several examples.

    Args:
        ids: int32 RaggedTensor, (texts, None).
        before: How many tokens stand before a text: for all, or int64, (texts,), for each.
        behind: How many stand behind it.
        max_length: Most tokens of an example, those around it included.
        overlap: How many tokens of a text an example has in common with the next one.

    Returns:
        The examples, in the order of the texts.
    """
    lengths, starts = ids.row_lengths(), ids.row_starts()
    before = tf.zeros_like(lengths) + before
    room = max_length - before - behind
    # A text that fits whole may leave no room for the overlap.
    step = tf.maximum(room - overlap, 1)
    inner = lengths - before - behind
    counts = tf.maximum(-(-(inner - overlap) // step), 1)
    firsts = tf.cumsum(counts, exclusive=True)
    texts = ragged.repeat(tf.range(ids.nrows()), counts)
    number = tf.range(tf.reduce_sum(counts)) - tf.gather(firsts, texts)
    first, end = tf.gather(starts, texts), tf.gather(starts + lengths, texts)
    begin = first + tf.gather(before, texts)
    cut = begin + number * tf.gather(step, texts)
    sources = ragged.join(
        [
            tf.ragged.range(first, begin),
            tf.ragged.range(cut, tf.minimum(cut + tf.gather(room, texts), end - behind)),
            tf.ragged.range(end - behind, end),
        ]
    )
    return GraphWindows(sources, firsts, counts)
