"""Records to batches: reading, checking, splitting, tokenizing once, batching by length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfaigc.data.batching import make_dataset
from tfaigc.data.cache import EncodedTexts, tokenize_cached
from tfaigc.data.checks import (
    EncodedLabels,
    check_examples,
    check_labels,
    check_texts,
    encode_labels,
)
from tfaigc.data.faults import Fault
from tfaigc.data.labels import LabelSet
from tfaigc.data.movie_reviews import movie_ratings, movie_reviews
from tfaigc.data.order import BatchOrder
from tfaigc.data.records import read_records
from tfaigc.data.split import count_conflicts, first_of_duplicates, stratified_split
from tfaigc.data.summary import Summary, describe
from tfaigc.data.table import Table
from tfaigc.data.targets import check_label_lists, check_numbers

if TYPE_CHECKING:
    from tfaigc.data.epoch_order import EpochOrder

__all__ = [
    "BatchOrder",
    "EncodedLabels",
    "EncodedTexts",
    "EpochOrder",
    "Fault",
    "LabelSet",
    "Summary",
    "Table",
    "check_examples",
    "check_label_lists",
    "check_labels",
    "check_numbers",
    "check_texts",
    "count_conflicts",
    "describe",
    "encode_labels",
    "first_of_duplicates",
    "make_dataset",
    "movie_ratings",
    "movie_reviews",
    "read_records",
    "stratified_split",
    "tokenize_cached",
]


def __getattr__(name: str) -> Any:
    """Loads the one part that needs Keras on first use, so that bad data is found before."""
    if name == "EpochOrder":
        from tfaigc.data.epoch_order import EpochOrder

        return EpochOrder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
