"""What a model thinks of words, found in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tfaigc.data import BatchOrder, EncodedTexts, Table, central_tokens, cut_windows
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.problems import WordTags
from tfaigc.tasks.tagging.units import units_of_text, units_of_words

if TYPE_CHECKING:
    from tfaigc.tasks.token_classifier import TokenClassifier


class TaggedText(NamedTuple):
    """A text and what a model thinks of its words.

    Attributes:
        text: The text.
        spans: int64, (words, 2): each word's first character, and the one behind its last.
        logits: float32, (words, labels).
    """

    text: str
    spans: np.ndarray
    logits: np.ndarray


def tag_table(model: TokenClassifier, table: Table, *, batch_size: int) -> list[TaggedText]:
    """Computes the logits of each word, from overlapping examples where a text is long.

    Args:
        model: The model.
        table: Records with a ``text``; where they have ``words``, it is these joined.
        batch_size: Examples in a batch.

    Returns:
        One entry a record.
    """
    texts = [str(text) for text in table.column("text")]
    located = model.tokenizer.encode_arrays(texts, return_offsets=True)
    logits = _token_logits(model, EncodedTexts(*located[:3]), batch_size=batch_size)
    tagged = []
    for place, (row, text) in enumerate(zip(table.rows, texts, strict=True)):
        own = slice(located.row_splits[place], located.row_splits[place + 1])
        offsets = located.offsets[own]
        if "words" in row:
            heads, spans = units_of_words(row["words"], text, offsets)
        else:
            heads, spans = units_of_text(text, offsets)
        of_words = np.full((len(heads), len(model.labels)), model.problem.without_token())
        of_words[heads >= 0] = logits[own][heads[heads >= 0]]
        tagged.append(TaggedText(text, spans, of_words))
    return tagged


def answer_of(problem: WordTags, tagged: TaggedText, *, with_tags: bool) -> dict[str, Any]:
    """Takes a tagged text to what ``infer`` returns.

    Args:
        problem: What the logits mean.
        tagged: The text.
        with_tags: Whether to return each word's tag, too.

    Returns:
        See ``TokenClassifier.infer``.
    """
    tags, scores = problem.tags(tagged.logits)
    listed = []
    for first, behind, label, score in problem.pieces(tags, scores):
        start, end = int(tagged.spans[first, 0]), int(tagged.spans[behind - 1, 1])
        place = {"start": start, "end": end}
        listed.append({"text": tagged.text[start:end], "label": label, "score": score, **place})
    return {problem.listed: listed, **({"tags": tags} if with_tags else {})}


def as_outputs(listed: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, np.ndarray]:
    """Gives what is listed of texts the form that a SavedModel gives it.

    Args:
        listed: For each text, dicts with ``text``, ``label``, ``score``, ``start`` and ``end``.

    Returns:
        Arrays under these names, (texts, most that a text has, at least 1), filled up.

    Example:
        >>> place = {"start": 0, "end": 3}
        >>> answers = [[{"text": "Ada", "label": "PER", "score": 0.5, **place}], []]
        >>> as_outputs(answers)["end"].tolist()
        [[3], [-1]]
    """
    width = max(1, *map(len, listed))
    fillers = {"text": ("", "object"), "label": ("", "object"), "score": (0.0, "float32")}
    fillers |= {"start": (-1, "int32"), "end": (-1, "int32")}
    return {
        name: np.array(
            [[each[name] for each in row] + [filler] * (width - len(row)) for row in listed], dtype
        )
        for name, (filler, dtype) in fillers.items()
    }


def _token_logits(model: TokenClassifier, encoded: EncodedTexts, *, batch_size: int) -> np.ndarray:
    """Computes logits of all tokens, float32, (tokens, labels)."""
    how = model.windows
    cut, _ = cut_windows(encoded, **how)
    order = BatchOrder(np.diff(cut.row_splits), batch_size)
    logits = np.zeros((len(cut.token_ids), len(model.labels)), np.float32)
    for examples, inputs in model.numbered_batches(Examples(cut), order):
        found = np.asarray(model.predict_on_batch(inputs))
        tokens = [np.arange(*cut.row_splits[each : each + 2]) for each in examples]
        logits[np.concatenate(tokens)] = found[np.asarray(inputs["padding_mask"]) == 1]
    return logits[central_tokens(encoded, cut, **how)]
