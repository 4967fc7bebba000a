"""Records to batches: reading, checking, splitting, tokenizing once, batching by length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfaigc.data.alignment import (
    byte_places,
    first_tokens,
    joined_spans,
    label_tokens,
    words_of_tokens,
)
from tfaigc.data.batch_targets import Prepare
from tfaigc.data.batching import make_dataset
from tfaigc.data.cache import EncodedTexts, tokenize_cached
from tfaigc.data.checks import (
    EncodedLabels,
    check_examples,
    check_labels,
    check_texts,
    encode_labels,
    leave_out,
)
from tfaigc.data.choices import check_choices
from tfaigc.data.conversations import (
    MarkedText,
    check_conversations,
    check_responses,
    mark_tokens,
    parse_messages,
    refuse_cut_responses,
)
from tfaigc.data.entity_questions import entity_questions
from tfaigc.data.faults import Fault
from tfaigc.data.handwritten_digits import handwritten_digits
from tfaigc.data.labels import LabelSet
from tfaigc.data.masked_units import MASK_UNITS, check_mask_unit
from tfaigc.data.masking import IGNORED, FoundMasks, Masking, check_mlm_probability
from tfaigc.data.movie_reviews import movie_ratings, movie_reviews
from tfaigc.data.next_tokens import NextTokens
from tfaigc.data.order import BatchOrder
from tfaigc.data.pronunciations import pronunciations
from tfaigc.data.questions import NO_ANSWER, check_questions
from tfaigc.data.readers import FILE_READERS, WORD_FILE_READERS, knows_tfds
from tfaigc.data.records import read_records
from tfaigc.data.relations import (
    CLASSES,
    MATCHES,
    PAIRS,
    RELATIONS,
    SCORED,
    TRIPLETS,
    Relation,
    check_relation,
    describe_relation,
    relation_of,
    texts_of_examples,
)
from tfaigc.data.review_choices import review_choices
from tfaigc.data.sentence_pairs import (
    SENTENCE_TASKS,
    check_documents,
    make_pairs,
    sentences_of,
)
from tfaigc.data.span_corruption import SENTINELS, Noise, SpanCorruption
from tfaigc.data.split import (
    count_conflicts,
    first_of_duplicates,
    grouped_split,
    stratified_split,
)
from tfaigc.data.summary import describe_lengths
from tfaigc.data.table import FIELDS, Table
from tfaigc.data.tags import EncodedTags, check_tags, check_words
from tfaigc.data.targets import check_label_lists, check_numbers
from tfaigc.data.teacher_forcing import TeacherForcing, join_texts
from tfaigc.data.windows import central_tokens, cut_windows, window_sources

if TYPE_CHECKING:
    from tfaigc.data.epoch_order import EpochOrder

__all__ = [
    "CLASSES",
    "FIELDS",
    "FILE_READERS",
    "IGNORED",
    "MASK_UNITS",
    "MATCHES",
    "NO_ANSWER",
    "PAIRS",
    "RELATIONS",
    "SCORED",
    "SENTENCE_TASKS",
    "SENTINELS",
    "TRIPLETS",
    "WORD_FILE_READERS",
    "BatchOrder",
    "EncodedLabels",
    "EncodedTags",
    "EncodedTexts",
    "EpochOrder",
    "Fault",
    "FoundMasks",
    "LabelSet",
    "MarkedText",
    "Masking",
    "NextTokens",
    "Noise",
    "Prepare",
    "Relation",
    "SpanCorruption",
    "Table",
    "TeacherForcing",
    "byte_places",
    "central_tokens",
    "check_choices",
    "check_conversations",
    "check_documents",
    "check_examples",
    "check_label_lists",
    "check_labels",
    "check_mask_unit",
    "check_mlm_probability",
    "check_numbers",
    "check_questions",
    "check_relation",
    "check_responses",
    "check_tags",
    "check_texts",
    "check_words",
    "count_conflicts",
    "cut_windows",
    "describe_lengths",
    "describe_relation",
    "encode_labels",
    "entity_questions",
    "first_of_duplicates",
    "first_tokens",
    "grouped_split",
    "handwritten_digits",
    "join_texts",
    "joined_spans",
    "knows_tfds",
    "label_tokens",
    "leave_out",
    "make_dataset",
    "make_pairs",
    "mark_tokens",
    "movie_ratings",
    "movie_reviews",
    "parse_messages",
    "pronunciations",
    "read_records",
    "refuse_cut_responses",
    "relation_of",
    "review_choices",
    "sentences_of",
    "stratified_split",
    "texts_of_examples",
    "tokenize_cached",
    "window_sources",
    "words_of_tokens",
]


def __getattr__(name: str) -> Any:
    """Loads the one part that needs Keras on first use, so that bad data is found before."""
    if name == "EpochOrder":
        from tfaigc.data.epoch_order import EpochOrder

        return EpochOrder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
