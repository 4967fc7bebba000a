"""Questions with their contexts as examples, long contexts as several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tfaigc.data import EncodedTexts, Table, window_sources
from tfaigc.errors import DataError

if TYPE_CHECKING:
    from tfaigc.tasks.question_answerer import QuestionAnswerer


class QuestionWindows(NamedTuple):
    """The examples of some records.

    Attributes:
        encoded: Their tokens.
        places: int64, (examples,): the records that they are of.
        in_context: bool, (tokens,): which tokens are of a context.
        sources: int64, (tokens,): the tokens' places among those of the records.
        offsets: int32, (records' tokens, 2): the bytes that these stand for.
        contexts: int64, (records, 2): the first of these that is of the context, and the one
            behind the last.
    """

    encoded: EncodedTexts
    places: np.ndarray
    in_context: np.ndarray
    sources: np.ndarray
    offsets: np.ndarray
    contexts: np.ndarray


def encode_questions(model: QuestionAnswerer, table: Table) -> QuestionWindows:
    """Tokenizes questions with their contexts; of longer ones, contexts are cut.

    Args:
        model: The model.
        table: Records with ``question`` and ``context``.

    Returns:
        The examples, in the order of the records.

    Raises:
        DataError: A question is so long that it leaves no room for its context.
    """
    tokenizer, max_length, overlap = model.tokenizer, model.max_length, model.doc_stride
    questions = table.column("question")
    located = tokenizer.encode_arrays(questions, table.column("context"), return_offsets=True)
    special, behind = tokenizer.pair_affixes
    alone = tokenizer.encode_arrays(questions)
    lengths = np.diff(alone.row_splits) - tokenizer.num_special_tokens()
    before = lengths + special
    is_cut = np.diff(located.row_splits) > max_length
    _check_room(table, lengths, is_cut, max_length - special - behind - overlap)
    sources, row_splits, places = window_sources(
        located.row_splits, max_length=max_length, affixes=(before, behind), overlap=overlap
    )
    contexts = np.stack([located.row_splits[:-1] + before, located.row_splits[1:] - behind], 1)
    own = np.repeat(contexts[places], np.diff(row_splits), axis=0)
    return QuestionWindows(
        EncodedTexts(located.token_ids[sources], located.segment_ids[sources], row_splits),
        places,
        in_context=(sources >= own[:, 0]) & (sources < own[:, 1]),
        sources=sources,
        offsets=located.offsets,
        contexts=contexts,
    )


def questions_of_texts(model: QuestionAnswerer, texts: Sequence[str]) -> list[dict[str, str]]:
    """Makes questions of texts: each is a context, and one that is short enough a question.

    Args:
        model: The model.
        texts: The texts.

    Returns:
        Records with ``question`` and ``context``, one of which is long.
    """
    lengths = map(len, model.tokenizer.encode(texts, [""] * len(texts)))
    room = model.max_length - model.doc_stride
    short = [text for text, length in zip(texts, lengths, strict=True) if length < room]
    long = " ".join([*texts[2:4]] * (2 + model.max_length // 8))
    contexts = [{"question": short[-1], "context": text} for text in (*texts, long)]
    return contexts + [{"question": text, "context": text[::-1]} for text in short]


def null_columns(encoded: EncodedTexts, cls_token_id: int | None) -> np.ndarray:
    """Finds the token that stands for no answer: the one of the whole text, or else the first.

    Args:
        encoded: The examples' tokens.
        cls_token_id: The token of a whole text, where there is one.

    Returns:
        int64, (examples,): its column.
    """
    rows = np.split(encoded.token_ids, encoded.row_splits[1:-1])
    return np.array([int(np.argmax(row == cls_token_id)) for row in rows], np.int64)


def _check_room(table: Table, lengths: np.ndarray, is_cut: np.ndarray, room: int) -> None:
    """Refuses questions beside which a context that must be cut cannot be read."""
    for index in np.flatnonzero(is_cut & (lengths >= room))[:1]:
        raise DataError(
            f"{table.location(index)}: a question must have fewer than {room} tokens, to leave "
            f"room for its context. Received: {lengths[index]}. Shorten it, or raise max_length, "
            "or lower doc_stride."
        )
