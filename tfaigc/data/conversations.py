"""Texts of which a model writes a part: prompts with responses, and conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.data.cache import EncodedTexts
from tfaigc.data.checks import check_rows, check_texts
from tfaigc.data.faults import Fault, settle
from tfaigc.data.lists import as_list
from tfaigc.data.table import Table

Span = tuple[int, int]
Message = dict[str, Any]

# The segment of what the model writes.
WRITTEN = 1


@dataclass(frozen=True)
class MarkedText:
    """A text, and what of it a model writes.

    Attributes:
        text: The text.
        spans: Where each of these parts begins and ends, in characters.
    """

    text: str
    spans: Sequence[Span]


def check_conversations(
    table: Table, *, max_invalid_share: float = 0.0
) -> tuple[Table, list[list[Message]]]:
    """Checks that every record has a conversation in ``messages``, with an answer in it.

    A conversation is a list of dicts with ``role`` and ``content``; in a text, as a CSV file has
    it, a JSON list.

    Args:
        table: The records.
        max_invalid_share: Share of records, from 0 to 1, that may be dropped.

    Returns:
        The table without the dropped records, and the conversations.

    Raises:
        DataError: The field is missing, or more than the allowed share of the records cannot be
            used.
    """
    return check_rows(
        table, target="messages", parse=_parse_messages, max_invalid_share=max_invalid_share
    )


def check_responses(table: Table, *, max_invalid_share: float = 0.0) -> Table:
    """Checks that every record has a ``prompt`` and a ``response``, as ``check_texts`` does."""
    return check_texts(table, "prompt", "response", max_invalid_share=max_invalid_share)


def mark_tokens(
    encoded: Any, texts: Sequence[MarkedText], *, end: int | None, max_length: int
) -> tuple[EncodedTexts, np.ndarray]:
    """Puts what a model writes into a segment of its own, and cuts what is too long.

    A token belongs to the part in which its first byte lies.

    Args:
        encoded: The texts' tokens with ``offsets``, in bytes.
        texts: The texts.
        end: The token that ends what the model writes, put behind texts that end with such a
            part; None: texts have it.
        max_length: Most tokens of an example.

    Returns:
        The examples, with segment 1 where the model writes and 0 elsewhere, and how many of its
        tokens each has, int64, (examples,).
    """
    rows, marks = [], []
    splits = np.asarray(encoded.row_splits)
    for index, marked in enumerate(texts):
        own = slice(int(splits[index]), int(splits[index + 1]))
        ids, offsets = encoded.token_ids[own], encoded.offsets[own]
        is_written = np.zeros(len(ids), np.bool_)
        for span in marked.spans:
            first, last = (len(marked.text[:place].encode()) for place in span)
            is_written |= (offsets[:, 0] >= first) & (offsets[:, 0] < last) & (offsets[:, 1] > 0)
        if end is not None and (not len(ids) or ids[-1] != end):
            ids, is_written = np.append(ids, end), np.append(is_written, True)
        elif end is not None:
            is_written[-1] = True
        rows.append(ids[:max_length].astype(np.int32))
        marks.append(is_written[:max_length])
    lengths = np.array([len(row) for row in rows], np.int64)
    flat = np.concatenate(marks)
    segments = np.where(flat, WRITTEN, 0).astype(np.int32)
    row_splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    # The first token of an example is never guessed.
    counts = np.array([int(mark[1:].sum()) for mark in marks], np.int64)
    return EncodedTexts(np.concatenate(rows), segments, row_splits), counts


def refuse_cut_responses(table: Table, counts: np.ndarray, *, max_length: int) -> None:
    """Refuses records of which nothing that the model writes is left.

    Args:
        table: The records.
        counts: What ``mark_tokens`` returned.
        max_length: Most tokens of an example.

    Raises:
        DataError: There are some; the message lists them.
    """
    reason = f"the response begins behind the first {max_length} tokens."
    faults = [Fault(table.location(int(row)), reason) for row in np.nonzero(counts == 0)[0]]
    if faults:
        settle(
            [*table.rejected, *faults],
            total=len(table) + len(table.rejected),
            source=table.name,
            max_invalid_share=0.0,
            known=len(table.rejected),
        )


def parse_messages(value: Any) -> list[Message] | None:
    """Takes a conversation to a list of messages, or to None where it is none."""
    listed = as_list(value)
    if not listed:
        return None
    messages = [dict(each) if isinstance(each, dict) else {} for each in listed]
    return messages if all(map(_is_message, messages)) else None


def _is_message(message: Message) -> bool:
    """Says whether a message says something: a text, parts of one, or calls of tools."""
    content = message.get("content")
    says = isinstance(content, str | list) or (content is None and message.get("tool_calls"))
    return isinstance(message.get("role"), str) and bool(says)


def _parse_messages(value: Any, column: str) -> tuple[list[Message], str]:
    messages = parse_messages(value)
    if messages is None:
        return [], (
            f"{column} must be a list of messages, each with role and content. "
            f"Received: {value!r:.60}."
        )
    if all(each["role"] != "assistant" for each in messages):
        roles = ", ".join(each["role"] for each in messages)
        return [], f"{column} must have a message of the assistant. Received roles: {roles}."
    return messages, ""
