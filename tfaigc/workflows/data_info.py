"""``tfaigc info`` of data: its rows, those that cannot be used, and what the others say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from tfaigc.data import (
    FILE_READERS,
    WORD_FILE_READERS,
    Table,
    count_conflicts,
    first_of_duplicates,
    knows_tfds,
    read_records,
)
from tfaigc.data.labels import is_fraction, written
from tfaigc.data.readers import read_folder
from tfaigc.errors import DataError
from tfaigc.sources import resolve_file
from tfaigc.tagging import detect_scheme
from tfaigc.workflows.image_targets import OneClassOfImages
from tfaigc.workflows.question_targets import Answers, Choices
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.splits import BUILT_IN, built_in_or_source, read_fields
from tfaigc.workflows.targets import Numbers, OneClass, SeveralClasses, Tags, TargetKind
from tfaigc.workflows.text_targets import OwnTokens, Pairs, WhatBelongsTogether, WhatFollows


@dataclass(frozen=True)
class Form:
    """What may be learnt of records that have certain columns.

    Attributes:
        columns: Our names of the columns.
        kind: What the records say is right.
        recipe: The example that learns it.
        settings: What the example needs besides.
    """

    columns: tuple[str, ...]
    kind: TargetKind
    recipe: str
    settings: tuple[str, ...] = ()


# Fields that hold no texts to be read, even where strings stand there.
_NO_TEXTS = ("label", "labels", "score", "image")
_NUMBERS = Form(("text", "label"), Numbers(), "ratings")
# The first whose columns are all there.
_FORMS = (
    Form(("words", "tags"), Tags(), "entities"),
    Form(("question", "context", "answers"), Answers(allow_no_answer=True), "answers"),
    Form(("question", "choices", "label"), Choices(), "choices"),
    Form(("text", "choices", "label"), Choices(), "choices"),
    Form(("image", "label"), OneClassOfImages(), "digits"),
    Form(("messages",), WhatFollows(), "writer"),
    Form(("prompt", "response"), WhatFollows(), "writer"),
    Form(("source", "target"), Pairs(), "pronouncer"),
    Form(("anchor", "positive"), WhatBelongsTogether(), "embeddings"),
    Form(("text", "text_pair", "score"), WhatBelongsTogether(), "embeddings"),
    Form(("text", "labels"), SeveralClasses(), "sentiment", ("multi_label=true",)),
    Form(("text", "label"), OneClass(), "sentiment"),
    Form(("text",), OwnTokens(), "masked_words"),
)


def is_data(source: str) -> bool:
    """Says whether something holds records, and not a model."""
    path = Path(source)
    if path.is_file() or source in BUILT_IN or (source.startswith("pypi://") and path.suffix):
        return True
    return read_folder(path) is not None if path.exists() else knows_tfds(source)


def describe_data(source: str, *, columns: Mapping[str, str | None], screen: Screen) -> None:
    """Describes records: what a run would say of them before it trains.

    Args:
        source: A file, a directory of images, a TFDS name, or a built-in one.
        columns: Our names of fields to the data's columns; None: those of the same name.
        screen: Where the description goes.

    Raises:
        DataError: They cannot be read, or nothing can be learnt of them.
    """
    readers = WORD_FILE_READERS if _has_columns(source) else FILE_READERS
    table = read_records(built_in_or_source(source), max_invalid_share=1.0, readers=readers)
    screen.result_fact("data", source)
    screen.result_fact("rows", f"{len(table):,}")
    screen.result_fact("columns", ", ".join(table.columns))
    named = {ours: name for ours, name in columns.items() if name is not None and name != ours}
    table = table.rename(named)
    form = _form_of(table)
    if form is None:
        screen.next_command("info", source, "--text-column", table.columns[0])
        return
    usable, targets = form.kind.read(table, names=None, max_invalid_share=1.0)
    if usable.rejected:
        screen.result_fact("unusable", f"{len(usable.rejected):,} of the rows")
    for field in dict.fromkeys(("text", *form.kind.columns)):
        _describe_texts(field, usable, screen)
    fields = read_fields(form.kind)
    twice = len(usable) - len(first_of_duplicates(usable, fields=fields))
    conflicts = count_conflicts(usable, targets.values, fields=fields)
    more = f"; {conflicts:,} with more than one label" if conflicts else ""
    screen.result_fact("duplicates", f"{twice:,}{more}")
    form.kind.check(usable, targets)
    screen.result_fact(*form.kind.describe(targets))
    keys = [f"{field}_column={table.column_name(field)}" for field in form.columns]
    recipe = f"examples/{form.recipe}.yaml"
    screen.next_command("train", recipe, f"train_data={source}", *keys, *form.settings)


def _has_columns(source: str) -> bool:
    """Says whether a file of plain text, if it is one, has words and tags in columns."""
    if Path(source).suffix.lower() != ".txt":
        return True
    try:
        path = resolve_file(source) if "://" in source else Path(source)
        table, faults = WORD_FILE_READERS[".txt"](path, source)
    except DataError:
        return False
    tags = [row["tags"] for row in table.rows]
    distinct, count = len(set(chain(*tags))), sum(map(len, tags))
    return len(faults) < len(table) and (
        detect_scheme(tags) is not None or 2 <= distinct <= count // 2
    )


def _form_of(table: Table) -> Form | None:
    found = next((each for each in _FORMS if set(each.columns) <= set(table.columns)), None)
    if found is not None and isinstance(found.kind, OneClass):
        names = [written(label) for label in table.column("label")]
        if any(name and is_fraction(name) for name in names):
            return _NUMBERS
    return found


def _describe_texts(field: str, table: Table, screen: Screen) -> None:
    """Says how many words the texts of a field have, if it has texts."""
    texts = table.column(field)
    if field in _NO_TEXTS or not all(isinstance(each, str) for each in texts):
        return
    lengths = np.array([len(text.split()) for text in texts])
    middle, high, most = np.percentile(lengths, [50, 95, 100], method="inverted_cdf").astype(int)
    screen.result_fact(
        "words",
        f"{table.column_name(field)}: half up to {middle:,}, 95 % up to {high:,}, the longest "
        f"{most:,}",
    )
