"""Texts with masks: as questions, and as what a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfaigc.data import EncodedTexts, Table
from tfaigc.errors import DataError
from tfaigc.evaluation import Table as ReportTable
from tfaigc.evaluation import TokenScores
from tfaigc.tokenizers import Tokenizer

_MOST_SHOWN = 10
# How many tokens are shown on either side of one.
_CONTEXT = 12


def with_masks(texts: Sequence[str], mask: str) -> list[str]:
    """Puts a mask in the place of each text's middle word.

    Example:
        >>> with_masks(["a gorgeous film", ""], "[MASK]")
        ['a [MASK] film', '[MASK]']
    """
    words = [text.split() for text in texts]
    return [
        " ".join([*each[: len(each) // 2], mask, *each[len(each) // 2 + 1 :]]) for each in words
    ]


def proposals(ids: Any, scores: Any, names: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Names the tokens that are proposed for masks.

    Args:
        ids: int32, (masks, proposed), the likeliest first.
        scores: float32, (masks, proposed).
        names: Each token's text, by id.

    Returns:
        For each mask a list of dicts with ``token``, ``token_id`` and ``score``.
    """
    return [
        [
            {"token": names[token], "token_id": token, "score": score}
            for token, score in zip(row_ids, row_scores, strict=True)
        ]
        for row_ids, row_scores in zip(ids.tolist(), scores.tolist(), strict=True)
    ]


def fill(
    token_ids: np.ndarray, mask_token_id: int, masks: Sequence[Sequence[Mapping[str, Any]]]
) -> np.ndarray:
    """Puts the likeliest token in each mask's place.

    Args:
        token_ids: int32, (tokens,).
        mask_token_id: The mask.
        masks: What is proposed for each; see ``proposals``.

    Returns:
        int32, (tokens,).

    Example:
        >>> fill(np.array([1, 4, 2]), 4, [[{"token_id": 7}]])
        array([1, 7, 2])
    """
    filled = token_ids.copy()
    filled[filled == mask_token_id] = [proposed[0]["token_id"] for proposed in masks]
    return filled


def require_masks(
    table: Table, encoded: EncodedTexts, tokenizer: Tokenizer, *, max_length: int
) -> None:
    """Refuses texts without a mask; it may have been cut off.

    Args:
        table: Records with a ``text``.
        encoded: The texts' tokens.
        tokenizer: What made them.
        max_length: Most tokens of a text.

    Raises:
        DataError: A text has none.
    """
    for index, ids in enumerate(np.split(encoded.token_ids, encoded.row_splits[1:-1])):
        if tokenizer.mask_token_id not in ids:
            mask = tokenizer.token(tokenizer.mask_token_id or 0)
            raise DataError(
                f"{table.location(index)}: a text must have {mask} within its first {max_length} "
                f"tokens. Received: {str(table.rows[index].get('text'))!r:.60}. Put it where a "
                "token is to be guessed."
            )


def surest_errors(
    scores: TokenScores, rows: Sequence[np.ndarray], tokenizer: Tokenizer, names: Sequence[str]
) -> ReportTable:
    """Shows where a model was wrong and sure.

    Args:
        scores: What it thinks of the tokens that were hidden.
        rows: int32, (tokens,) each: the texts that they are of.
        tokenizer: Writes what stands around them.
        names: Each token's text, by id.

    Returns:
        A row for each error.
    """
    wrong = np.nonzero(scores.rank > 0)[0]
    surest = wrong[np.argsort(-scores.probability[wrong], kind="stable")][:_MOST_SHOWN]
    mask = tokenizer.token(tokenizer.mask_token_id or 0)
    cells = []
    for index in surest:
        row, column = rows[scores.example[index]], scores.column[index]
        around = (row[max(0, column - _CONTEXT) : column], row[column + 1 : column + 1 + _CONTEXT])
        left, right = (text.strip() for text in tokenizer.decode(around))
        named = [names[part[index]] for part in (scores.target, scores.best)]
        text = f"{left} {mask} {right}".strip()
        cells.append((text, *named, float(scores.probability[index])))
    return ReportTable("Surest errors", ("text", "true", "predicted", "probability"), cells)
