"""Tokens of texts of which a model writes a part, or the end."""

from __future__ import annotations

import numpy as np

from tfaigc.data import (
    EncodedTexts,
    MarkedText,
    Table,
    check_conversations,
    mark_tokens,
    refuse_cut_responses,
)
from tfaigc.errors import DataError
from tfaigc.tokenizers import Tokenizer
from tfaigc.tokenizers.chat import ChatTemplate


def encode_written(
    table: Table,
    tokenizer: Tokenizer,
    *,
    chat: ChatTemplate | None,
    end: int | None,
    max_length: int,
) -> tuple[EncodedTexts, int]:
    """Tokenizes prompts with their responses, or conversations.

    Args:
        table: Records with ``prompt`` and ``response``, or with ``messages``.
        tokenizer: The checkpoint's.
        chat: Its chat template, for conversations; None: there are none.
        end: The token that ends a response; None: none does.
        max_length: Most tokens of an example.

    Returns:
        The examples, in which what the model writes is of segment 1, and how many tokens that is.

    Raises:
        DataError: A record cannot be used.
    """
    if chat is None:
        pairs = zip(table.column("prompt"), table.column("response"), strict=True)
        texts = [MarkedText(p + r, [(len(p), len(p + r))]) for p, r in pairs]
        encoded = tokenizer.encode_arrays([each.text for each in texts], return_offsets=True)
    else:
        texts = _render(table, chat)
        encoded = tokenizer.encode_rendered([each.text for each in texts])
        end = None
    examples, counts = mark_tokens(encoded, texts, end=end, max_length=max_length)
    refuse_cut_responses(table, counts, max_length=max_length)
    return examples, int(counts.sum())


def _render(table: Table, chat: ChatTemplate) -> list[MarkedText]:
    """Writes conversations by a template; one that it refuses is named by its place."""
    texts = []
    for index, messages in enumerate(check_conversations(table)[1]):
        try:
            texts.append(MarkedText(*chat.example(messages)))
        except DataError as error:
            raise DataError(f"{table.location(index)}: {error}") from error
    return texts


def parts_of(row: np.ndarray, segments: np.ndarray) -> tuple[list[int], list[int]]:
    """Cuts an example where the model begins to write.

    Args:
        row: int32, (tokens,).
        segments: int32, (tokens,): 1 where it writes; 0 throughout in plain texts.

    Returns:
        What is given, and the rest; the halves of plain texts.

    Example:
        >>> parts_of(np.array([5, 6, 7]), np.array([0, 0, 1])), parts_of(np.array([5]), np.zeros(1))
        (([5, 6], [7]), ([5], []))
    """
    written = np.nonzero(segments)[0]
    place = int(written[0]) if len(written) else len(row) // 2
    place = max(1, place)
    return row[:place].tolist(), row[place:].tolist()


def with_ends(encoded: EncodedTexts, end: int | None) -> EncodedTexts:
    """Puts a token behind each text that does not end with it.

    Args:
        encoded: The texts.
        end: The token; None: texts stay as they are.

    Returns:
        The texts.

    Example:
        >>> ids = np.array([7, 8, 2], np.int32)
        >>> with_ends(EncodedTexts(ids, ids * 0, np.array([0, 1, 3])), 2).token_ids.tolist()
        [7, 2, 8, 2]
    """
    if end is None:
        return encoded
    splits = np.asarray(encoded.row_splits)
    lengths = np.diff(splits)
    last = np.full(len(lengths), -1, np.int64)
    last[lengths > 0] = encoded.token_ids[splits[1:][lengths > 0] - 1]
    lacks = last != end
    places = splits[1:][lacks]
    row_splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths + lacks)])
    return EncodedTexts(
        np.insert(encoded.token_ids, places, end),
        np.insert(encoded.segment_ids, places, 0),
        row_splits,
    )
