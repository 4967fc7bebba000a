"""The Rust tokenizer behind checks and a lock."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tokenizers import Tokenizer as RustTokenizer

from tfaigc.errors import DataError, TokenizerError
from tfaigc.tokenizers import inputs
from tfaigc.tokenizers.encoded_texts import EncodedTexts, collect
from tfaigc.tokenizers.spaced_words import SpacedWords, splits_at_spaces

# The Rust tokenizer's results weigh some kB per text until they are copied into arrays.
_CHUNK = 4096


class RustEncoder:
    """A Rust tokenizer without its own truncation and padding, safe to share among threads.

    Args:
        text: A tokenizer.json, as text.
        truncation_side: Where texts are cut, "right" or "left".

    Raises:
        TokenizerError: The text is not a tokenizer.json.
    """

    def __init__(self, text: str, *, truncation_side: str = "right") -> None:
        self._truncation_side = truncation_side
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
        self,
        texts: list[str],
        pairs: list[str] | None,
        max_length: int | None,
        truncation: str,
        *,
        offsets: bool = False,
        special_tokens: bool = True,
    ) -> Iterator[Sequence[Any]]:
        """Encodes texts in parallel, a chunk at a time.

        Args:
            texts: The texts.
            pairs: As many second texts, or None.
            max_length: The most tokens of an example, special tokens included.
            truncation: Which text of an example is cut, as in `truncation.STRATEGIES`.
            offsets: Whether the encodings' offsets will be asked for.
            special_tokens: Whether special tokens are put around texts.

        Yields:
            The `tokenizers.Encoding`s of one chunk.

        Raises:
            DataError: A text is not valid Unicode, or leaves no room for the one that is cut.
        """
        # The fast variant knows no offsets, and loses the segment of a pair that no
        # post-processor sets.
        fast = pairs is None and not offsets
        encode = functools.partial(
            self.rust.encode_batch_fast if fast else self.rust.encode_batch,
            add_special_tokens=special_tokens,
        )
        batch: list[Any] = texts if pairs is None else list(zip(texts, pairs, strict=True))
        for start in range(0, len(batch), _CHUNK):
            chunk = batch[start : start + _CHUNK]
            try:
                yield self._encode(encode, chunk, max_length, truncation)
            except (TypeError, UnicodeError) as error:
                fault = inputs.find_lone_surrogate(texts, name="texts")
                fault = fault or inputs.find_lone_surrogate(pairs or [], name="pairs")
                raise DataError(fault or str(error)) from error

    def arrays(
        self,
        texts: list[str],
        pairs: list[str] | None,
        max_length: int | None,
        truncation: str,
    ) -> EncodedTexts:
        """Encodes texts into flat arrays; see `encodings`."""
        if pairs is None and self._spaced_words is not None:
            return self._spaced_words.encode(texts, max_length)
        return collect(self.encodings(texts, pairs, max_length, truncation))

    @functools.cached_property
    def _spaced_words(self) -> SpacedWords | None:
        """The faster way to the same ids, where there is one."""
        if not splits_at_spaces(json.loads(self.text)):
            return None
        words = SpacedWords(self, truncation_side=self._truncation_side)
        return words if words.is_uniform else None

    def _encode(
        self, encode: Any, chunk: list[Any], max_length: int | None, truncation: str
    ) -> Sequence[Any]:
        # Truncation is a state of the Rust tokenizer, so calls must not mix.
        with self._lock:
            if max_length is None:
                self.rust.no_truncation()
            else:
                self.rust.enable_truncation(
                    max_length, strategy=truncation, direction=self._truncation_side
                )
            try:
                encodings: Sequence[Any] = encode(chunk)
            except (TypeError, UnicodeError):
                raise
            except Exception as error:  # the Rust binding raises bare Exception
                if "too short" not in str(error):
                    raise
                raise DataError(
                    f"With truncation={truncation!r} the other text must leave room for a token. "
                    f"Received: one that fills max_length={max_length} alone. "
                    "Pass a larger max_length, or truncation='longest_first'."
                ) from error
        return encodings
