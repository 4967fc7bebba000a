"""Documents as pairs of texts, from which a model learns what belongs together, and in what order.

The way is that of BERT (Devlin et al., arXiv:1810.04805, appendix A.2) and ALBERT (Lan et al.,
arXiv:1909.11942, section 3.1): sentences of a document fill an example, and are cut in two at
random; half of the second texts are replaced by what stands in another document, or half of the
pairs change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfaigc.data.checks import check_texts, leave_out
from tfaigc.data.shuffling import uniform
from tfaigc.data.table import Table
from tfaigc.errors import ConfigError, DataError

SENTENCE_TASKS = ("next_sentence", "sentence_order")
"""What may be judged of two texts: whether the second follows the first; whether they are in order.

Of the two classes, the first says yes.
"""
# So many examples are shorter than they could be, so that short texts are learnt, too.
_SHORT_SHARE = 0.1


@dataclass
class SentencePairs:
    """Pairs of texts.

    Attributes:
        first: The first texts.
        second: The second ones.
        labels: int32, (pairs,): 0 where the second follows the first, 1 where it does not.
    """

    first: list[str] = field(default_factory=list)
    second: list[str] = field(default_factory=list)
    labels: Any = field(default_factory=list)

    def add(self, first: Sequence[str], second: Sequence[str], label: int) -> None:
        """Adds a pair, of sentences each."""
        self.first.append(" ".join(first))
        self.second.append(" ".join(second))
        self.labels.append(label)


def check_documents(table: Table, task: str) -> Table:
    """Refuses records whose ``text`` has not two sentences at least, each on a line of its own.

    Args:
        table: The records, a document each.
        task: One of ``SENTENCE_TASKS``.

    Returns:
        The table.

    Raises:
        DataError: A text has fewer, or there is a single document, which no other text can be
            taken from.
        ConfigError: The task is none of them.
    """
    if task not in SENTENCE_TASKS:
        raise ConfigError(
            f"sentence_task must be one of {', '.join(SENTENCE_TASKS)}, or None. "
            f"Received: {task!r}. Leave it out."
        )
    texts = check_texts(table, "text").column("text")
    column = table.column_name("text")
    found = {
        place: f"{column} must have at least two sentences, each on a line. Received: {text!r:.60}."
        for place, text in enumerate(texts)
        if len(sentences_of(text)) < 2
    }
    leave_out(table, found, 0.0)
    if task == "next_sentence" and len(texts) < 2:
        raise DataError(
            f"{table.name} must hold at least two documents: half of the second texts are of "
            "another one. Received: one. Put blank lines between documents in a text file."
        )
    return table


def sentences_of(text: Any) -> list[str]:
    """Takes a document to its sentences, which stand on a line each."""
    return [line.strip() for line in str(text).splitlines() if line.strip()]


def make_pairs(
    documents: Sequence[Sequence[str]],
    lengths: Sequence[Sequence[int]],
    *,
    task: str,
    room: int,
    seed: int,
) -> SentencePairs:
    """Makes pairs of all sentences.

    Args:
        documents: The sentences of each document, two at least.
        lengths: How many tokens each sentence has.
        task: One of ``SENTENCE_TASKS``.
        room: Most tokens of a pair, special ones not counted; what has more is cut later.
        seed: Decides where texts are cut, and which pairs are wrong.

    Returns:
        The pairs, in the order of the documents.
    """
    pairs = SentencePairs()
    for number, (sentences, counts) in enumerate(zip(documents, lengths, strict=True)):
        begin = 0
        while begin < len(sentences):
            short, size, cut, wrong, other, place = uniform(6, seed, number, begin)
            target = 2 + int(size * (room - 1)) if short < _SHORT_SHARE else room
            end = _end_of_chunk(counts, begin, target)
            middle = begin + 1 + int(cut * (end - begin - 1))
            first, second = sentences[begin:middle], sentences[middle:end]
            if second and wrong >= 0.5:
                pairs.add(first, second, 0)
            elif task == "sentence_order":
                pairs.add(second, first, 1)
            else:
                # What is not used now comes next.
                end = middle
                taken = (number + 1 + int(other * (len(documents) - 1))) % len(documents)
                start = int(place * len(documents[taken]))
                stop = _fill(lengths[taken], start, target - sum(counts[begin:middle]))
                pairs.add(first, documents[taken][start:stop], 1)
            begin = end
    pairs.labels = np.asarray(pairs.labels, np.int32)
    return pairs


def _end_of_chunk(counts: Sequence[int], begin: int, target: int) -> int:
    """Finds where an example ends that begins at a sentence: it has two, and leaves none alone."""
    end = max(_fill(counts, begin, target), min(begin + 2, len(counts)))
    return len(counts) if len(counts) - end == 1 else end


def _fill(counts: Sequence[int], begin: int, target: int) -> int:
    """Finds the sentence behind those that make up so many tokens; one at least is taken."""
    end, total = begin, 0
    while end < len(counts) and (end == begin or total < target):
        total += counts[end]
        end += 1
    return end
