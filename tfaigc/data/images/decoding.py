"""All images of a table, decoded at once, so that none stops an epoch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.data.checks import leave_out
from tfaigc.data.images.checks import is_pillow_image
from tfaigc.data.images.encoded import decode_colors
from tfaigc.data.images.processor import ImageProcessor
from tfaigc.data.table import Table
from tfaigc.errors import DataError

_ENCODED = tf.TensorSpec((), tf.string)


def find_faults(table: Table) -> dict[int, str]:
    """Finds the rows whose images cannot be read.

    Args:
        table: The records.

    Returns:
        What is wrong with a row, by its place.
    """
    decode = tf.function(decode_colors, input_signature=[_ENCODED])

    def look(value: Any) -> None:
        encoded = encoded_or_array(value)
        if isinstance(encoded, bytes):
            decode(encoded)

    return _for_each(table, lambda _, value: look(value))


def read_pixels(table: Table, processor: ImageProcessor) -> np.ndarray:
    """Decodes and resizes every image of a table.

    Args:
        table: The records.
        processor: How.

    Returns:
        uint8, (records, height, width, channels), in a temporary file, which the system keeps in
        memory as far as there is room.

    Raises:
        DataError: An image cannot be read; the message names each.
    """
    with tempfile.TemporaryFile() as file:
        pixels = np.memmap(file, np.uint8, "w+", shape=(len(table), *processor.shape))

    def read(place: int, value: Any) -> None:
        image = encoded_or_array(value)
        if isinstance(image, bytes):
            pixels[place] = processor.read_encoded(image)
        elif image.shape == processor.shape:
            pixels[place] = image
        else:
            pixels[place] = processor.read_array[image.shape[-1]](image)

    leave_out(table, _for_each(table, read), 0.0)
    return pixels


def encoded_or_array(value: Any) -> bytes | np.ndarray:
    """Takes an image of a record to encoded bytes, or to an array.

    Args:
        value: A path, encoded bytes, an image of Pillow, or uint8, (height, width) or (height,
            width, channels), with 1 or 3 channels; or a dict of ``bytes`` or ``path``, as the
            ``datasets`` library stores images.

    Returns:
        Encoded bytes, or uint8, (height, width, channels).

    Raises:
        DataError: It is none of these.
        OSError: The file cannot be read.
    """
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, str | os.PathLike):
        return Path(value).read_bytes()
    if isinstance(value, bytes):
        return value
    if is_pillow_image(value):
        return _colors_of_pillow(value)
    if not isinstance(value, np.ndarray | list):
        raise DataError(f"must be a path, bytes or an array. Received: {type(value).__name__}.")
    array = np.asarray(value)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or not array.size or array.shape[-1] not in (1, 3):
        raise DataError(
            "must be an array (height, width, 1 or 3 channels). Received: one of the shape "
            f"{array.shape}."
        )
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        raise DataError(
            f"must be an array of whole numbers from 0 to 255. Received: {array.dtype} from "
            f"{array.min()} to {array.max()}."
        )
    return array.astype(np.uint8)


def _colors_of_pillow(image: Any) -> np.ndarray:
    """Takes an image of Pillow to what its file would be decoded to."""
    from PIL import ImageOps

    return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def _for_each(table: Table, read: Callable[[int, Any], None]) -> dict[int, str]:
    """Reads images on several threads; gives what is wrong with rows, by their place."""
    column = table.column_name("image")

    def try_to(place: int, value: Any) -> str:
        shown = f" {value}" if isinstance(value, str | os.PathLike) else ""
        try:
            if value is None:
                return f"{column} is missing."
            read(place, value)
        except DataError as error:
            return f"{column} {error}"
        except FileNotFoundError:
            return f"{column} must be an existing file. Received:{shown}."
        except OSError as error:
            return f"{column}{shown} cannot be read: {error.strerror}."
        except tf.errors.OpError:
            return f"{column}{shown} must be a whole JPEG, PNG, GIF, BMP or WebP image."
        return ""

    with ThreadPoolExecutor() as pool:
        found = pool.map(try_to, range(len(table)), table.column("image"))
        return {place: reason for place, reason in enumerate(found) if reason}
