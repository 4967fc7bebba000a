"""Decode a text file line by line, and say which line is broken."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from tfaigc.errors import DataError


def text_lines(path: Path, name: str) -> Iterator[str]:
    """Reads a UTF-8 file, with or without a byte order mark.

    Lines end at a line feed alone, so that line numbers are those of every editor; the ending,
    LF or CRLF, is kept.

    Args:
        path: The file.
        name: What messages call it.

    Yields:
        One line at a time.

    Raises:
        DataError: The file cannot be read, is not UTF-8 or holds a NUL byte.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _decode(line, number, name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{name} must be a readable file. Received: {reason}. Check the path and its rights."
        ) from error


def _decode(line: bytes, number: int, name: str) -> str:
    """Decodes one line."""
    if number == 1:
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataError(f"{name} must be UTF-8. Received: UTF-16. Save it as UTF-8.")
        line = line.removeprefix(codecs.BOM_UTF8)
    if b"\0" in line:
        raise DataError(
            f"{name}, line {number}: a text file must not hold NUL bytes. Received: one after "
            f"{line.index(0)} bytes. Check that the file is text, saved as UTF-8."
        )
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}, line {number}: the file must be UTF-8. Received: byte "
            f"0x{line[error.start]:02x} after {error.start} bytes of the line. Save it as UTF-8, "
            "for example with: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
        ) from error
