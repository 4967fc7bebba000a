"""Take records out of ``tf.data.Dataset`` and out of TensorFlow Datasets (TFDS)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from tfaigc.data.faults import Fault
from tfaigc.data.readers.examples import as_text
from tfaigc.data.table import Table
from tfaigc.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

# name, name/config, with :version and [split] behind.
_NAME = re.compile(r"(?P<builder>[a-z][a-z0-9_]*(/[\w.-]+)?(:\d+\.\d+\.\d+)?)(\[.+\])?")


def is_tf_dataset(records: object) -> TypeGuard[tf.data.Dataset]:
    """Says whether something is a ``tf.data.Dataset``, without importing TensorFlow."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(records, tensorflow.data.Dataset)


def read_tf_dataset(
    dataset: tf.data.Dataset, name: str = "tf.data.Dataset", features: Any = None
) -> tuple[Table, list[Fault]]:
    """Takes the elements of a dataset, each of which is a dict: one record.

    Args:
        dataset: The dataset, without batches.
        name: What messages call it.
        features: TFDS's description of its elements; class numbers become names by it.

    Returns:
        The table, whose rows are numbered from 0, and no faults. Strings are text, lists are
        lists; arrays of numbers with two axes or more, such as images, stay arrays.

    Raises:
        DataError: The elements are no dicts.
    """
    if not isinstance(dataset.element_spec, Mapping):
        raise DataError(
            f"{name} must have dicts as elements, such as {{'text': ..., 'label': ...}}. "
            f"Received: {type(dataset.element_spec).__name__}. Map its elements to dicts."
        )
    rows = [_plain(element, features) for element in dataset.as_numpy_iterator()]
    columns = tuple(dataset.element_spec)
    return Table(rows, name, range(len(rows)), unit="element", columns=columns), []


def knows_tfds(name: str) -> bool:
    """Says whether TFDS has a data set of that name; see ``read_tfds``."""
    return _builder(name) is not None


def read_tfds(name: str) -> tuple[Table, list[Fault]] | None:
    """Reads a split of a TFDS data set, which is fetched and prepared if need be.

    Args:
        name: Such as ``imdb_reviews``, ``glue/mrpc[validation]`` or ``squad[train[:10%]]``; the
            split is ``train`` where none is named.

    Returns:
        See ``read_tf_dataset``; None where TFDS knows no such data set.

    Raises:
        DataError: It has no such split, or cannot be fetched.
    """
    builder = _builder(name)
    if builder is None:
        return None
    wanted, _, split = name.removesuffix("]").partition("[")
    try:
        builder.download_and_prepare()
    except Exception as error:
        raise DataError(
            f"{name} must be a TFDS data set that can be fetched from here. Received: "
            f"{type(error).__name__}: {error!s:.200}. Prepare it elsewhere, and name its directory "
            "in TFDS_DATA_DIR; or pass a file."
        ) from error
    try:
        dataset = builder.as_dataset(split=split or "train")
    except ValueError as error:
        raise DataError(
            f"{wanted} has the splits {', '.join(builder.info.splits)}. Received: {split}. Name "
            f"one of them, as in {wanted}[{next(iter(builder.info.splits))}]."
        ) from error
    return read_tf_dataset(dataset, name, builder.info.features)


def _builder(name: str) -> Any:
    """Finds what makes a data set; None where TFDS knows none of that name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(found["builder"])
    except (tfds.core.registered.DatasetNotFoundError, ValueError):
        return None


def _plain(value: Any, feature: Any) -> Any:
    """Takes what TensorFlow gives to what records hold."""
    if isinstance(value, Mapping):
        # Of a sequence of dicts TFDS makes a dict of lists.
        inner = getattr(feature, "feature", feature)
        return {key: _plain(each, _part(inner, key)) for key, each in value.items()}
    if isinstance(value, np.ndarray) and value.ndim == 1:
        inner = getattr(feature, "feature", feature)
        return [_plain(each, inner) for each in value]
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return value
    value = as_text(value.item() if isinstance(value, np.generic | np.ndarray) else value)
    names = getattr(feature, "names", None)
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return value


def _part(inner: Any, key: str) -> Any:
    """Finds the description of a dict's value, if there is one."""
    try:
        return inner[key]
    except (KeyError, TypeError):
        return None
