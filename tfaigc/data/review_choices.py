"""Questions with choices, made of movie reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.data.movie_reviews import movie_reviews
from tfaigc.data.table import Table

QUESTION = "Which of these reviews praises the movie?"
_FEWEST, _MOST = 2, 4


def review_choices(path: Path | None = None) -> Table:
    """Asks which of two to four reviews is the positive one.

    Args:
        path: See ``movie_reviews``.

    Returns:
        Records with a ``question``, ``choices`` and a ``label``, the number of the right choice.
        Each review stands in one of them at most.

    Raises:
        SourceError: The package cannot be fetched.
        DataError: The file is not in that form.
    """
    reviews = movie_reviews(path)
    random = np.random.Generator(np.random.PCG64(0))
    by_label: dict[str, list[int]] = {"negative": [], "positive": []}
    for place in random.permutation(len(reviews)).tolist():
        by_label[reviews.rows[place]["label"]].append(place)
    rows: list[dict[str, Any]] = []
    numbers: list[object] = []
    for right in by_label["positive"]:
        wrong = _FEWEST - 1 + len(rows) % (_MOST - _FEWEST + 1)
        if len(by_label["negative"]) < wrong:
            break
        chosen = [by_label["negative"].pop() for _ in range(wrong)]
        label = int(random.integers(wrong + 1))
        chosen.insert(label, right)
        choices = [reviews.rows[place]["text"] for place in chosen]
        rows.append({"question": QUESTION, "choices": choices, "label": label})
        numbers.append(reviews.numbers[right])
    columns = ("question", "choices", "label")
    return Table(rows, "review_choices", numbers, columns=columns)
