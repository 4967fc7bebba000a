"""Tagged sentences, which the reports of taggers are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfaigc.errors import DataError
from tfaigc.evaluation.arguments import Array


@dataclass(frozen=True)
class TaggedSentences:
    """What a tagger says of sentences, and what is right.

    Attributes:
        words: The words of each sentence.
        references: Their true tags.
        predicted: The tags that the model gives them.
        scores: float, (words,), for each sentence: the probability of each predicted tag.

    Raises:
        DataError: There are no sentences, or these differ in length.
    """

    words: Sequence[Sequence[str]]
    references: Sequence[Sequence[str]]
    predicted: Sequence[Sequence[str]]
    scores: Sequence[Array]

    def __post_init__(self) -> None:
        """Checks that everything is there for every word."""
        lengths = {
            name: [len(each) for each in getattr(self, name)]
            for name in ("words", "references", "predicted", "scores")
        }
        if not lengths["words"] or any(each != lengths["words"] for each in lengths.values()):
            counts = {name: f"{len(each)} with {sum(each)}" for name, each in lengths.items()}
            raise DataError(
                "There must be a tag and a score for each word of at least one sentence. "
                f"Received, sentences with words: {counts}. Pass the same sentences four times."
            )

    def __len__(self) -> int:
        return len(self.words)

    @property
    def num_words(self) -> int:
        """Number of all words."""
        return sum(map(len, self.words))

    def records(self) -> list[dict[str, Any]]:
        """Returns the lines of `predictions.jsonl`."""
        return [
            {"words": list(words), "reference": list(true), "predicted": list(taken)}
            for words, true, taken in zip(self.words, self.references, self.predicted, strict=True)
        ]

    def note(self) -> str:
        """Says how many sentences and words there are."""
        sentences = "1 sentence" if len(self) == 1 else f"{len(self):,} sentences"
        return f"Measured on {sentences} with {self.num_words:,} words"
