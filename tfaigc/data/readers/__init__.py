"""One file per format; each reader gives a Table and the rows that it could not read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tfaigc.data.faults import Fault
from tfaigc.data.readers.columns import read_columns, read_conllu
from tfaigc.data.readers.delimited import read_csv, read_tab, read_tsv
from tfaigc.data.readers.documents import read_documents
from tfaigc.data.readers.examples import read_examples_file
from tfaigc.data.readers.image_folders import read_folder
from tfaigc.data.readers.in_memory import is_data_frame, read_data_frame, read_sequence
from tfaigc.data.readers.json_documents import read_json
from tfaigc.data.readers.json_lines import read_json_lines
from tfaigc.data.readers.parquet import read_parquet
from tfaigc.data.readers.tensorflow_datasets import (
    is_tf_dataset,
    knows_tfds,
    read_tf_dataset,
    read_tfds,
)
from tfaigc.data.table import Table

__all__ = [
    "FILE_READERS",
    "WORD_FILE_READERS",
    "FileReader",
    "is_data_frame",
    "is_tf_dataset",
    "knows_tfds",
    "read_data_frame",
    "read_folder",
    "read_sequence",
    "read_tf_dataset",
    "read_tfds",
]

FileReader = Callable[[Path, str], tuple[Table, list[Fault]]]

FILE_READERS: dict[str, FileReader] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".tab": read_tab,
    ".txt": read_documents,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".conll": read_columns,
    ".conllu": read_conllu,
    ".bio": read_columns,
    ".iob": read_columns,
    ".iob2": read_columns,
    ".parquet": read_parquet,
    ".tfrecord": read_examples_file,
    ".tfrecords": read_examples_file,
}
"""Readers by the end of a file's name."""

WORD_FILE_READERS: dict[str, FileReader] = {**FILE_READERS, ".txt": read_columns}
"""Readers where words and tags are asked for, which stand in columns of plain text, too."""
