"""The Rust tokenizer behind checks and a lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tokenizers import Tokenizer as RustTokenizer

from tfaigc.errors import DataError, TokenizerError
from tfaigc.tokenizers import inputs

# The Rust tokenizer's results weigh some kB per text until they are copied into arrays.
_CHUNK = 4096


class RustEncoder:
    """A Rust tokenizer without its own truncation and padding, safe to share among threads.

    Args:
        text: A tokenizer.json, as text.

    Raises:
        TokenizerError: The text is not a tokenizer.json.
    """

    def __init__(self, text: str) -> None:
        try:
            self.rust = RustTokenizer.from_str(text)
        except Exception as error:  # the Rust binding raises bare Exception
            raise TokenizerError(
                f"A tokenizer.json must be readable by the tokenizers package. Received: one that "
                f"it refuses ({error}). Download it again, or upgrade tokenizers."
            ) from error
        self.rust.no_truncation()
        self.rust.no_padding()
        # What truncation leaves behind must not show in what is saved.
        self.text: str = self.rust.to_str(pretty=True)
        self._lock = threading.Lock()

    def encodings(
        self, texts: list[str], pairs: list[str] | None, max_length: int | None
    ) -> Iterator[Sequence[Any]]:
        """Encodes texts in parallel, a chunk at a time.

        Args:
            texts: The texts.
            pairs: As many second texts, or None.
            max_length: The most tokens of an example, special tokens included.

        Yields:
            The `tokenizers.Encoding`s of one chunk.

        Raises:
            DataError: A text is not valid Unicode.
        """
        batch: list[Any] = texts if pairs is None else list(zip(texts, pairs, strict=True))
        for start in range(0, len(batch), _CHUNK):
            yield self._encode(batch[start : start + _CHUNK], texts, pairs, max_length)

    def _encode(
        self, chunk: list[Any], texts: list[str], pairs: list[str] | None, max_length: int | None
    ) -> Sequence[Any]:
        # Truncation is a state of the Rust tokenizer, so calls must not mix.
        with self._lock:
            if max_length is None:
                self.rust.no_truncation()
            else:
                self.rust.enable_truncation(max_length)
            # The fast variant loses the segment of a pair that no post-processor sets.
            encode = self.rust.encode_batch_fast if pairs is None else self.rust.encode_batch
            try:
                encodings: Sequence[Any] = encode(chunk)
            except (TypeError, UnicodeError) as error:
                fault = inputs.find_lone_surrogate(texts, name="texts")
                fault = fault or inputs.find_lone_surrogate(pairs or [], name="pairs")
                raise DataError(fault or str(error)) from error
        return encodings
