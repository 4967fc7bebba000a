"""Records to batches: reading, checking, splitting, tokenizing once, batching by length."""

from __future__ import annotations

from tfaigc.data.batching import make_dataset
from tfaigc.data.cache import EncodedTexts, tokenize_cached
from tfaigc.data.checks import EncodedLabels, check_labels, check_texts, encode_labels
from tfaigc.data.epoch_order import EpochOrder
from tfaigc.data.faults import Fault
from tfaigc.data.movie_reviews import movie_reviews
from tfaigc.data.order import BatchOrder
from tfaigc.data.records import read_records
from tfaigc.data.split import first_of_duplicates, stratified_split
from tfaigc.data.table import Table

__all__ = [
    "BatchOrder",
    "EncodedLabels",
    "EncodedTexts",
    "EpochOrder",
    "Fault",
    "Table",
    "check_labels",
    "check_texts",
    "encode_labels",
    "first_of_duplicates",
    "make_dataset",
    "movie_reviews",
    "read_records",
    "stratified_split",
    "tokenize_cached",
]
