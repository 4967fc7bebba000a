"""What the tasks ask a model, and how its answers are scored: the same for all contenders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final


def accuracy(truths: Sequence[int], answers: Sequence[int]) -> float:
    """Returns the share of right class numbers.

    Example:
        >>> accuracy([0, 1], [0, 0])
        0.5
    """
    return sum(map(int.__eq__, truths, map(int, answers))) / len(truths)


def entities(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """Finds the entities of BIO tags as seqeval does: an ``I-`` with none before it begins one.

    Example:
        >>> sorted(entities(["B-LOC", "I-LOC", "O", "I-PER", "I-LOC"]))
        [('LOC', 0, 2), ('LOC', 4, 5), ('PER', 3, 4)]
    """
    found, begin, kind = set(), 0, ""
    for place, tag in enumerate([*tags, "O"]):
        mark, _, own = tag.partition("-")
        if mark == "I" and own == kind:
            continue
        if kind:
            found.add((kind, begin, place))
        begin, kind = place, own
    return found


def entity_f1(truths: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> float:
    """Returns the F1 of entities: right are those with the right type, first and last word.

    Example:
        >>> entity_f1([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "O"]])
        0.6666666666666666
    """
    pairs = [(entities(t), entities(a)) for t, a in zip(truths, answers, strict=True)]
    total = sum(len(true) + len(answered) for true, answered in pairs)
    return 2 * sum(len(true & answered) for true, answered in pairs) / max(total, 1)


@dataclass(frozen=True)
class Task:
    """A task whose models answer questions.

    Attributes:
        asked: The field of a row that the model sees.
        answered: The field with what it should answer.
        figure: What its quality is called.
        score: Takes the right answers and the given ones to the quality.
    """

    asked: str
    answered: str
    figure: str
    score: Callable[[Sequence[Any], Sequence[Any]], float]


TASKS: Final = {
    "text_classification": Task("text", "label", "test_accuracy", accuracy),
    "token_classification": Task("words", "tags", "test_entity_f1", entity_f1),
}
