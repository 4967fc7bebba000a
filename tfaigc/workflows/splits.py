"""Data files into checked training, validation and test splits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfaigc.data import (
    FIELDS,
    FILE_READERS,
    WORD_FILE_READERS,
    LabelSet,
    Table,
    count_conflicts,
    entity_questions,
    first_of_duplicates,
    grouped_split,
    handwritten_digits,
    knows_tfds,
    movie_ratings,
    movie_reviews,
    pronunciations,
    read_records,
    review_choices,
    stratified_split,
)
from tfaigc.errors import DataError, suggestion
from tfaigc.recipe import Recipe
from tfaigc.workflows.kinds import kind_of_recipe
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.targets import TargetKind, Targets

BUILT_IN = {
    "movie_reviews": movie_reviews,
    "movie_ratings": movie_ratings,
    "entity_questions": entity_questions,
    "pronunciations": pronunciations,
    "review_choices": review_choices,
    "handwritten_digits": handwritten_digits,
}
"""Data that needs no file, by the name that recipes know."""

# What records say of what is read of them.
_TOLD = ("label", "labels", "tags", "answers", "score")


@dataclass(frozen=True)
class Splits:
    """What a run learns from and is judged by.

    Attributes:
        train: What the weights learn from.
        validation: What picks the best epoch.
        test: What the report is on; None: the validation split.
        labels: The names of classes or numbers, in their order; may be empty for numbers.
    """

    train: Table
    validation: Table
    test: Table | None
    labels: tuple[str, ...]

    def fingerprint(self) -> str:
        """Tells whether training data is the same as that of an interrupted run.

        Returns:
            A hash of what the weights and the choice of the epoch depend on.
        """
        digest = hashlib.sha256()
        for table in (self.train, self.validation):
            for row in table.rows:
                values = [row.get(field) for field in FIELDS]
                digest.update(json.dumps(values, default=_exactly).encode())
        return digest.hexdigest()

    @property
    def reported(self) -> tuple[str, Table]:
        """The split that the report is on, with its name."""
        if self.test is None:
            return "validation", self.validation
        return "test", self.test


def read_splits(recipe: Recipe, *, screen: Screen) -> Splits:
    """Reads and checks a recipe's data; no two splits share a record.

    Args:
        recipe: The recipe.
        screen: Where the numbers go.

    Returns:
        The splits.

    Raises:
        DataError: Rows cannot be used, or there are too few.
    """
    kind = kind_of_recipe(recipe).targets
    train, targets = _read(recipe, kind, recipe.train_data, recipe.labels, screen)
    if recipe.max_train_samples is not None and recipe.max_train_samples < len(train):
        random = np.random.Generator(np.random.PCG64(recipe.seed))
        rows = np.sort(random.permutation(len(train))[: recipe.max_train_samples])
        train, targets = train.select(rows), targets.take(rows)
        screen.fact("", f"{len(train):,} of the rows are used (max_train_samples)")
    held_out = {
        name: _read(recipe, kind, source, targets.names or None, screen)[0]
        for name, source in (("validation", recipe.validation_data), ("test", recipe.test_data))
        if source is not None
    }
    train, targets = _without_duplicates(
        train, targets, list(held_out.values()), read_fields(kind), screen
    )
    kind.check(train, targets)
    splits = {**_split(train, kind, targets, recipe, held_out), **held_out}
    screen.fact(*kind.describe(targets))
    sizes = [
        f"{name} {len(splits[name]):,}"
        for name in ("train", "validation", "test")
        if name in splits
    ]
    screen.fact("splits", ", ".join(sizes))
    return Splits(splits["train"], splits["validation"], splits.get("test"), targets.names)


def read_examples(
    source: str,
    kind: TargetKind,
    *,
    columns: Mapping[str, str | None],
    names: Sequence[str] | None = None,
    max_invalid_share: float = 0.0,
    screen: Screen,
) -> tuple[Table, Targets]:
    """Reads a file of texts and targets, and checks every row.

    Args:
        source: A file, or a built-in name.
        kind: What the targets are.
        columns: Our names of fields to the source's columns; None: that of the same name. What
            the targets do not read may be named in vain. Where they call it ``labels``, it is
            ``label`` that names the column.
        names: The names of classes or numbers, in their order; None: those of the data.
        max_invalid_share: Share of the rows that may be left out.
        screen: Where the numbers go.

    Returns:
        The table, under our field names, and its targets.

    Raises:
        DataError: The file or its rows cannot be used.
    """
    wanted = dict(columns)
    if kind.field == "labels":
        wanted["labels"] = None if wanted.get("label") == "label" else wanted.get("label")
    named = {
        field: column
        for field, column in wanted.items()
        if field in kind.columns and column not in (None, field)
    }
    table = read_records(
        built_in_or_source(source),
        columns=named,
        max_invalid_share=max_invalid_share,
        readers=WORD_FILE_READERS if "words" in kind.columns else FILE_READERS,
    )
    table, targets = kind.read(table, names=names, max_invalid_share=max_invalid_share)
    left_out = f", {len(table.rejected):,} unusable ones left out" if table.rejected else ""
    screen.fact("data", f"{source}: {len(table):,} rows{left_out}")
    return table, targets


def settle_labels(found: Sequence[str], directory: Path) -> tuple[str, ...] | None:
    """Prefers a checkpoint's own classes where they cover those of the data.

    Args:
        found: The classes of the data.
        directory: The checkpoint.

    Returns:
        None where the checkpoint's classes, and with them its classifier, serve the data;
        otherwise ``found``.
    """
    names = stored_labels(directory)
    if names is None or names == tuple(f"LABEL_{number}" for number in range(len(names))):
        return tuple(found)
    stored = LabelSet(names)
    return None if all(stored.number(name) is not None for name in found) else tuple(found)


def stored_labels(directory: Path) -> tuple[str, ...] | None:
    """Reads the classes of a checkpoint's classifier.

    Args:
        directory: The checkpoint.

    Returns:
        Their names in their order; None where it has no classifier, or cannot be read: loading
        the model will say why.
    """
    try:
        stated = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        names = tuple(str(name) for name in stated.get("id2label", {}).values())
        has_head = any("Classification" in str(each) for each in stated["architectures"])
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return None
    return names if has_head and names and len(set(names)) == len(names) else None


def _exactly(value: object) -> str:
    # What is printed of a large array leaves most of it out.
    return value.tobytes().hex() if isinstance(value, np.ndarray) else str(value)


def built_in_or_source(source: str) -> object:
    """Finds built-in records by their name; what is none of these stays as it is.

    Raises:
        DataError: There are none of that name, but of one like it.
    """
    if Path(source).exists() or Path(source).suffix or "://" in source:
        return source
    if source in BUILT_IN:
        return BUILT_IN[source]()
    near = suggestion(source, BUILT_IN)
    if near and not knows_tfds(source):
        raise DataError(
            "Data must be a file, a TFDS name, or a built-in one: "
            f"{', '.join(BUILT_IN)}. Received: {source!r}.{near}"
        )
    return source


def _read(
    recipe: Recipe, kind: TargetKind, source: str, names: Sequence[str] | None, screen: Screen
) -> tuple[Table, Targets]:
    return read_examples(
        source,
        kind,
        columns={field: getattr(recipe, f"{field}_column", None) for field in FIELDS},
        names=names,
        max_invalid_share=recipe.max_invalid_share,
        screen=screen,
    )


def read_fields(kind: TargetKind) -> list[str]:
    """Names what is read of a record, in which duplicates are equal."""
    return [field for field in kind.columns if field not in _TOLD]


def _without_duplicates(
    train: Table,
    targets: Targets,
    held_out: Sequence[Table],
    fields: Sequence[str],
    screen: Screen,
) -> tuple[Table, Targets]:
    """Leaves out of the training file what it holds twice, or what is held out elsewhere."""
    own = rows = first_of_duplicates(train, fields=fields)
    for table in held_out:
        rows = np.intersect1d(rows, first_of_duplicates(train, fields=fields, seen=table))
    if len(own) < len(train):
        conflicts = count_conflicts(train, targets.values, fields=fields)
        texts = "text" if conflicts == 1 else "texts"
        also = f"; {conflicts:,} {texts} had more than one label" if conflicts else ""
        screen.fact("", f"{len(train) - len(own):,} exact duplicates left out{also}")
    if len(rows) < len(own):
        leaked = len(own) - len(rows)
        screen.fact("", f"{leaked:,} left out that validation or test data hold, too")
    return train.select(rows), targets.take(rows)


def _split(
    train: Table, kind: TargetKind, targets: Targets, recipe: Recipe, held_out: dict[str, Table]
) -> dict[str, Table]:
    shares = {
        name: share
        for name, share in (
            ("validation", recipe.validation_fraction),
            ("test", recipe.test_fraction),
        )
        if name not in held_out and share > 0
    }
    fractions = [1 - sum(shares.values()), *shares.values()]
    if kind.group_field is None:
        parts = stratified_split(kind.strata(targets), fractions, seed=recipe.seed)
    else:
        parts = grouped_split(train.column(kind.group_field), fractions, seed=recipe.seed)
    return {name: train.select(rows) for name, rows in zip(("train", *shares), parts, strict=True)}
