"""Sentences whose words have tags: their checks, and tags as numbers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfaigc.data.checks import leave_out
from tfaigc.data.labels import LabelSet, written
from tfaigc.data.lists import as_list
from tfaigc.data.table import Table
from tfaigc.errors import DataError
from tfaigc.tagging import (
    BIO,
    Scheme,
    detect_scheme,
    find_spans,
    ill_formed,
    parse_tag,
    scheme_of_labels,
    tag_names,
    write_tags,
)

_log = logging.getLogger("tfaigc")

_SHOWN = 3
# More inferred tags than this, each on average in less than two words, are no tags.
_MANY_TAGS = 50


@dataclass(frozen=True)
class EncodedTags:
    """Tags as numbers.

    Attributes:
        ids: For each sentence int32, (words,): each word's tag.
        names: The tags, in the order of the numbers.
    """

    ids: list[np.ndarray]
    names: tuple[str, ...]


def check_words(table: Table, *, max_invalid_share: float = 0.0) -> Table:
    """Checks that every record has ``words``, and joins them.

    Words are a list of strings; in a text, as a CSV file has it, a JSON list.

    Args:
        table: The records.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records; ``words`` are lists, and ``text`` is the words with
        single spaces between.

    Raises:
        DataError: More than the allowed share of the records has no usable words.
    """
    column = table.column_name("words")
    read = [_read_words(value, column) for value in table.require("words").column("words")]
    reasons = {place: reason for place, (_, reason) in enumerate(read) if reason}
    kept = leave_out(table, reasons, max_invalid_share)
    words = [found for found, reason in read if not reason]
    return _with_fields(kept, text=[" ".join(each) for each in words], words=words)


def check_tags(
    table: Table, *, labels: Sequence[str] | None = None, max_invalid_share: float = 0.0
) -> tuple[Table, EncodedTags]:
    """Checks that every record has ``words`` and as many known ``tags``, and numbers the tags.

    Tags of entities may be in BIO, IOB1, BIOES, BMES or BILOU. They are written in the scheme of
    the labels; without labels, in BIO. Other tags, such as parts of speech, stay as they are. A
    tag may be a number where labels are given. The log says what scheme was found, and where
    sequences break its rules.

    Args:
        table: The records.
        labels: The tags in their order; None: those of the records, sorted by entity type.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, as ``check_words`` gives it, with the tags as they
        are numbered; and the numbers.

    Raises:
        DataError: More than the allowed share of the records cannot be used, or ``labels`` is None
            and there are fewer than two tags.
    """
    column = table.require("words", "tags").column_name("tags")
    known = None if labels is None else LabelSet(labels)
    rows = [_read_row(row, table, known) for row in table.rows]
    sentences = [tags for _, tags, reason in rows if not reason]
    found = detect_scheme(sentences)
    wanted = BIO if labels is None else scheme_of_labels(labels)
    schemes = (found, wanted) if found and wanted else None
    known = known or LabelSet(_infer_names(sentences, wanted if schemes else None, table))
    numbered: list[tuple[list[str], np.ndarray]] = []
    reasons: dict[int, str] = {}
    for place, (words, tags, reason) in enumerate(rows):
        rewritten = _rewrite(tags, schemes[1]) if schemes else tags
        ids = [known.number(tag) for tag in rewritten]
        unknown = [
            index
            for index, (tag, number) in enumerate(zip(tags, ids, strict=True))
            if number is None or (schemes and not parse_tag(tag))
        ]
        if not reason and unknown:
            at = unknown[0]
            reason = known.refusal(tags[at], f"{column}[{at}] ({words[at]!r:.40})")
        if reason:
            reasons[place] = reason
        else:
            numbered.append((rewritten, np.asarray(ids, np.int32)))
    if schemes:
        _say_scheme(table, [tags for _, tags, _ in rows], *schemes, skipped=reasons)
    kept = leave_out(table, reasons, max_invalid_share)
    usable = [words for place, (words, _, _) in enumerate(rows) if place not in reasons]
    kept = _with_fields(
        kept,
        text=[" ".join(words) for words in usable],
        words=usable,
        tags=[rewritten for rewritten, _ in numbered],
    )
    return kept, EncodedTags([ids for _, ids in numbered], known.names)


def _read_row(
    row: dict[str, Any], table: Table, known: LabelSet | None
) -> tuple[list[str], list[str], str]:
    """Reads a record's words and tags; the third says what is wrong with them."""
    words, reason = _read_words(row.get("words"), table.column_name("words"))
    if reason:
        return [], [], reason
    column = table.column_name("tags")
    listed = as_list(row.get("tags"))
    if listed is None:
        given = row.get("tags")
        kind = type(given).__name__
        return [], [], f"{column} must be a list of tags. Received: {given!r:.60} ({kind})."
    if len(listed) != len(words):
        reason = f"{column} must be as many as words, {len(words)}. Received: {len(listed)}."
        return [], [], reason
    tags = [_read_tag(tag, known) for tag in listed]
    if "" in tags:
        at = tags.index("")
        return (
            [],
            [],
            f"{column}[{at}] ({words[at]!r:.40}) must be a tag. Received: {listed[at]!r}.",
        )
    return words, tags, ""


def _read_words(value: Any, column: str) -> tuple[list[str], str]:
    """Reads words; what is wrong with them is the second of the two."""
    words = as_list(value)
    if words is None:
        kind = type(value).__name__
        reason = f"{column} must be a list of words. Received: {value!r:.60} ({kind})."
        return [], f"{column} is missing." if value is None else reason
    if not words:
        return [], f"{column} must have a word at least. Received: an empty list."
    for place, word in enumerate(words):
        if not isinstance(word, str) or not word.strip():
            return [], f"{column}[{place}] must be a word. Received: {word!r:.60}."
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            return [], f"{column}[{place}] must be Unicode. Received: half a surrogate pair."
    return words, ""


def _read_tag(value: Any, known: LabelSet | None) -> str:
    """Writes a tag as text; "" where there is none."""
    if known is not None and not isinstance(value, str):
        number = known.number(value)
        return known.names[number] if number is not None else written(value) or ""
    return written(value) or ""


def _rewrite(tags: Sequence[str], scheme: Scheme) -> list[str]:
    return write_tags(find_spans(tags), len(tags), scheme)


def _infer_names(
    sentences: Sequence[Sequence[str]], scheme: Scheme | None, table: Table
) -> tuple[str, ...]:
    """Collects the tags of sentences."""
    if scheme:
        types = {span.label for tags in sentences for span in find_spans(tags)}
        return tag_names(sorted(types), scheme)
    count = sum(map(len, sentences))
    column = table.column_name("tags")
    try:
        names = LabelSet.of(tag for tags in sentences for tag in tags).names
    except DataError:
        names = ()
    if len(names) < 2 or len(names) > max(_MANY_TAGS, count // 2):
        found = ", ".join(names) if len(names) < 2 else f"{len(names):,} in {count:,} words"
        raise DataError(
            f"{table.name} must hold two tags or more in {column}, each in several words. "
            f"Received: {found or 'none'}. Check that it is the column with the tags, or pass "
            "labels=[...]."
        )
    return names


def _say_scheme(
    table: Table,
    sentences: Sequence[Sequence[str]],
    scheme: Scheme,
    wanted: Scheme,
    *,
    skipped: dict[int, str],
) -> None:
    """Says what scheme was found, and where sequences break its rules."""
    if scheme != wanted:
        _log.info("%s: tags are in %s; they are read as %s.", table.name, scheme.name, wanted.name)
    faults = [
        f"{table.location(place)}, word {at + 1} ({sentences[place][at]})"
        for place in range(len(sentences))
        if place not in skipped
        for at in ill_formed(sentences[place], scheme)
    ]
    if faults:
        more = f" and {len(faults) - _SHOWN:,} more" if len(faults) > _SHOWN else ""
        _log.warning(
            "%s: tags break the rules of %s; they are read as conlleval reads them: %s%s.",
            table.name,
            scheme.name,
            "; ".join(faults[:_SHOWN]),
            more,
        )


def _with_fields(table: Table, **columns: Sequence[Any]) -> Table:
    """Makes a table of columns whose rows stand where those of another one do."""
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return replace(table, rows=rows, columns=tuple(columns))
