"""The side of a photograph that is up, as cameras note it, read in TensorFlow operations.

JPEG files are lists of segments; in one of them (Exif 2.3, JEITA CP-3451C, section 4.5) is a TIFF
header with a directory, whose entry 0x0112 is a number from 1 to 8: how to turn the pixels.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# The notes are in one segment, which has at most 64 KiB, and begin near the file's start.
_MOST_READ = 2**17
_START_OF_SCAN = 0xDA
_APPLICATION_1 = 0xE1
_EXIF = tuple(b"Exif\0\0")
_ORIENTATION = 0x0112
_ENTRY_SIZE = 12


def turn_upright(image: Any, encoded: Any) -> Any:
    """Turns and mirrors a JPEG's pixels as its notes say.

    Args:
        image: (height, width, channels), as decoded.
        encoded: string, (): the file.

    Returns:
        (height, width, channels), of the other height and width where it lay on its side; the same
        pixels where there are no notes, or broken ones.
    """
    number = orientation(encoded)
    image = tf.cond(number >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    for axis, turned in ((0, (3, 4, 7, 8)), (1, (2, 3, 6, 7))):
        image = _reversed_if(tf.reduce_any(number == tf.constant(turned)), image, axis)
    return image


def orientation(encoded: Any) -> Any:
    """Reads how the pixels of a JPEG must be turned.

    Args:
        encoded: string, (): the file.

    Returns:
        int32, (): from 1, as they are, to 8.
    """
    read = _Reader(tf.strings.substr(encoded, 0, _MOST_READ))
    notes = _find_notes(read)
    header = notes + 4 + len(_EXIF)
    is_little = read.byte(header) == ord("I")
    directory = header + read.number(header + 4, 4, is_little)
    entries = directory + 2 + _ENTRY_SIZE * tf.range(read.number(directory, 2, is_little))
    is_it = read.numbers(entries, 2, is_little) == _ORIENTATION
    found = tf.reduce_max(tf.where(is_it, read.numbers(entries + 8, 2, is_little), 0))
    is_valid = (notes > 0) & (found >= 1) & (found <= 8)
    return tf.where(is_valid, found, 1)


class _Reader:
    """Gives bytes and whole numbers of a file; behind its end there are zeros."""

    def __init__(self, encoded: Any) -> None:
        self._bytes = tf.cast(tf.io.decode_raw(encoded, tf.uint8), tf.int32)
        self.size = tf.size(self._bytes)
        self._bytes = tf.pad(self._bytes, [[0, 1]])

    def byte(self, place: Any) -> Any:
        """Gives the byte at a place, or at each of several."""
        is_inside = (place >= 0) & (place < self.size)
        return tf.gather(self._bytes, tf.where(is_inside, place, self.size))

    def numbers(self, places: Any, width: int, is_little: Any) -> Any:
        """Reads a number of so many bytes at each place: int32, (places,)."""
        powers = 256 ** tf.range(width)
        powers = tf.where(is_little, powers, tf.reverse(powers, [0]))
        return tf.reduce_sum(self.byte(places[:, None] + tf.range(width)) * powers, axis=1)

    def number(self, place: Any, width: int, is_little: Any) -> Any:
        """Reads a number of so many bytes: int32, ()."""
        return self.numbers(place[None], width, is_little)[0]


def _find_notes(read: _Reader) -> Any:
    """Walks from segment to segment; gives the place of the one with notes, or 0."""

    def is_notes(place: Any) -> Any:
        name = read.byte(place + 4 + tf.range(len(_EXIF)))
        return (read.byte(place + 1) == _APPLICATION_1) & tf.reduce_all(name == tf.constant(_EXIF))

    def goes_on(place: Any) -> Any:
        is_segment = (read.byte(place) == 0xFF) & (read.byte(place + 1) != _START_OF_SCAN)
        return is_segment & ~is_notes(place)

    def next_place(place: Any) -> tuple[Any]:
        return (place + 2 + read.number(place + 2, 2, tf.constant(False)),)

    [place] = tf.while_loop(goes_on, next_place, [tf.constant(2)])
    return tf.where(is_notes(place), place, 0)


def _reversed_if(condition: Any, image: Any, axis: int) -> Any:
    return tf.cond(condition, lambda: tf.reverse(image, [axis]), lambda: image)
