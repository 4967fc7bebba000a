"""Token ids that are computed once, kept on disk, and read back memory-mapped."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfaigc.sources import cache_directory

_log = logging.getLogger("tfaigc")

# Part of every key: a change of the files' layout makes old entries unreachable.
_FORMAT = "1"
# Texts that are tokenized at a time, which bounds the memory that the tokenizer takes.
_CHUNK = 20_000
# Fewer texts are tokenized faster than the user's cache is searched, and would only fill it.
_WORTHWHILE = 1_000
# A writer that was killed leaves its files behind; no writer takes as many seconds.
_ABANDONED = 86_400
_ARRAYS = {"token_ids": np.int32, "segment_ids": np.int32, "row_splits": np.int64}


class EncodedTexts(NamedTuple):
    """Token ids of many texts, one behind the other.

    Attributes:
        token_ids: int32, (tokens,).
        segment_ids: int32, (tokens,).
        row_splits: int64, (texts + 1,). Text i owns tokens row_splits[i] to row_splits[i + 1].
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    row_splits: np.ndarray


class TextEncoder(Protocol):
    """What the cache needs of a tokenizer."""

    @property
    def fingerprint(self) -> str:
        """Changes with everything that decides which ids a text gets."""
        ...

    def encode_arrays(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        max_length: int | None,
        truncation: str,
    ) -> Any:
        """Turns texts into ``token_ids``, ``segment_ids`` and ``row_splits``."""
        ...


def tokenize_cached(
    tokenizer: TextEncoder,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    max_length: int | None,
    truncation: str = "longest_first",
    directory: Path | None = None,
    enabled: bool = True,
) -> EncodedTexts:
    """Tokenizes texts, or reads what was tokenized before.

    An entry is found by everything that matters: the texts, the tokenizer, ``max_length``,
    ``truncation`` and the version of the files. It appears whole or not at all; a damaged one is
    made again. Where the cache cannot be written, the ids stay in memory and the log says so.

    Args:
        tokenizer: Turns texts into ids.
        texts: The texts.
        pairs: The second text of each example, or None.
        max_length: Most tokens of an example.
        truncation: Which text of an example is cut, as in ``Tokenizer.encode``.
        directory: Where entries are kept; None: the user's cache, unless the texts are so few
            that it does not pay.
        enabled: Whether to look for and keep an entry.

    Returns:
        The ids; memory-mapped, read-only, where they come from an entry.
    """
    if not enabled or (directory is None and len(texts) < _WORTHWHILE):
        return EncodedTexts(*_joined(tokenizer, texts, pairs, max_length, truncation))
    directory = directory or cache_directory() / "tokens"
    entry = directory / _key(tokenizer.fingerprint, texts, pairs, max_length, truncation)
    cached = _read(entry)
    if cached is not None:
        return cached
    try:
        _write(entry, _chunks(tokenizer, texts, pairs, max_length, truncation))
        cached = _read(entry)
    except OSError as error:
        _log.warning("Token ids stay in memory: %s cannot be written (%s).", entry, error)
    return cached or EncodedTexts(*_joined(tokenizer, texts, pairs, max_length, truncation))


def _key(
    fingerprint: str,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    max_length: int | None,
    truncation: str,
) -> str:
    digest = hashlib.sha256()
    options = [_FORMAT, fingerprint, max_length, truncation, len(texts)]
    digest.update(json.dumps(options).encode())
    for column in (texts, pairs or ()):
        for text in column:
            encoded = text.encode("utf-8", "surrogatepass")
            # With its length in front, no text can be mistaken for the end of another.
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        digest.update(b"column")
    return digest.hexdigest()[:40]


def _chunks(
    tokenizer: TextEncoder,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    max_length: int | None,
    truncation: str,
) -> Iterable[EncodedTexts]:
    for start in range(0, max(len(texts), 1), _CHUNK):
        end = start + _CHUNK
        second = None if pairs is None else pairs[start:end]
        encoded = tokenizer.encode_arrays(texts[start:end], second, max_length, truncation)
        yield EncodedTexts(*encoded)


def _joined(
    tokenizer: TextEncoder,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    max_length: int | None,
    truncation: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chunks = list(_chunks(tokenizer, texts, pairs, max_length, truncation))
    lengths = np.concatenate([np.diff(chunk.row_splits) for chunk in chunks])
    return (
        np.concatenate([chunk.token_ids for chunk in chunks]),
        np.concatenate([chunk.segment_ids for chunk in chunks]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]),
    )


def _write(entry: Path, chunks: Iterable[EncodedTexts]) -> None:
    """Writes an entry under a temporary name, then renames it."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(entry.parent)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=entry.parent))
    try:
        _write_arrays(temporary, chunks)
        if entry.exists():  # a damaged one
            shutil.rmtree(entry, ignore_errors=True)
        os.replace(temporary, entry)
    except OSError:
        # Another process may have been faster; its entry is as good.
        if _read(entry) is None:
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_abandoned(directory: Path) -> None:
    """Removes what writers that were killed have left."""
    for path in directory.glob(".writing-*"):
        try:
            if time.time() - path.stat().st_mtime > _ABANDONED:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:  # Another process was faster.
            continue


def _write_arrays(directory: Path, chunks: Iterable[EncodedTexts]) -> None:
    files = {name: (directory / name).open("wb") for name in _ARRAYS}
    try:
        end = np.zeros(1, np.int64)
        files["row_splits"].write(end.tobytes())
        for chunk in chunks:
            files["token_ids"].write(np.ascontiguousarray(chunk.token_ids, np.int32).tobytes())
            files["segment_ids"].write(np.ascontiguousarray(chunk.segment_ids, np.int32).tobytes())
            splits = chunk.row_splits[1:] + end
            files["row_splits"].write(splits.astype(np.int64).tobytes())
            end = splits[-1:] if len(splits) else end
        for file in files.values():
            file.flush()
            # Otherwise a power cut may leave files of the right size without content.
            os.fsync(file.fileno())
    finally:
        for file in files.values():
            file.close()
    sizes = {name: (directory / name).stat().st_size for name in _ARRAYS}
    (directory / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")


def _read(entry: Path) -> EncodedTexts | None:
    """Opens an entry, or returns None where there is none or it is damaged."""
    try:
        sizes = json.loads((entry / "sizes.json").read_text(encoding="utf-8"))
        arrays = {}
        for name, dtype in _ARRAYS.items():
            path = entry / name
            if path.stat().st_size != sizes[name]:
                return None
            empty = sizes[name] == 0
            arrays[name] = np.zeros(0, dtype) if empty else np.memmap(path, dtype, mode="r")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    encoded = EncodedTexts(**arrays)
    whole = len(encoded.row_splits) > 0 and encoded.row_splits[-1] == len(encoded.token_ids)
    return encoded if whole else None
