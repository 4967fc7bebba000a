"""Sources and targets: their tokens, and the tokens that decoders begin with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfaigc.data import EncodedTexts, Table, TeacherForcing, join_texts, tokenize_cached
from tfaigc.errors import ConfigError
from tfaigc.families import HeadedBackbone
from tfaigc.tasks.examples import Examples
from tfaigc.tokenizers import Tokenizer

_log = logging.getLogger("tfaigc")


@dataclass(frozen=True)
class PairEncoder:
    """Takes records to examples for an encoder-decoder.

    Args:
        sources: The tokenizer of sources.
        targets: That of targets, which may say that they are in another language.
        prefix: What stands before each source.
        teach: Lays both out for the network, and knows how long they may be.
    """

    sources: Tokenizer
    targets: Tokenizer
    prefix: str
    teach: TeacherForcing

    def examples(self, table: Table, *, cache: bool) -> Examples:
        """Tokenizes a table's sources and targets; the log says how many targets may be cut."""
        prefixed = [f"{self.prefix}{text}" for text in table.column("source")]
        most = self.teach.max_target_length
        sources = _encode(self.sources, prefixed, self.teach.max_length, cache)
        targets = _encode(self.targets, table.column("target"), most, cache)
        lengths = np.diff(targets.row_splits)
        filled = int(np.sum(lengths >= most))
        if filled:
            _log.info(
                "%s of %s targets fill max_target_length, %s, and may be cut.",
                *(f"{count:,}" for count in (filled, len(lengths), most)),
            )
        return Examples(join_texts(sources, targets), {"prepare": self.teach}, float(lengths.sum()))


def start_of_training(network: HeadedBackbone) -> int | None:
    """Returns the token that decoders see first, as ``transformers`` shifts labels.

    Args:
        network: An encoder-decoder with a language model's head.

    Returns:
        Its id; None: each target's own last token.
    """
    usual = network.row.start_token_id
    stated = network.backbone.stated("decoder_start_token_id")
    return usual if usual is None or stated is None else int(stated)


def start_of_writing(
    network: HeadedBackbone, tokenizer: Tokenizer, generation_config: Mapping[str, Any]
) -> int:
    """Returns the token that each written text begins with, which none shows.

    Args:
        network: An encoder-decoder with a language model's head.
        tokenizer: Its tokenizer.
        generation_config: ``generation_config.json``, parsed.

    Returns:
        Its id.

    Raises:
        ConfigError: Neither the files nor the family say which it is.
    """
    candidates = (
        generation_config.get("decoder_start_token_id"),
        network.backbone.stated("decoder_start_token_id"),
        network.row.start_token_id,
        network.backbone.stated("bos_token_id"),
        tokenizer.bos_token_id,
    )
    for token in candidates:
        if token is not None:
            return int(token)
    raise ConfigError(
        "decoder_start_token_id must be stated in config.json or generation_config.json, so that "
        "texts can be written. Received: neither. Add the id of the token that the decoder's texts "
        "begin with, or pass target_lang."
    )


def start_in_language(tokenizer: Tokenizer, code: str) -> dict[str, int]:
    """Says how texts in a language begin, in the names of ``generation_config.json``.

    Args:
        tokenizer: The tokenizer of texts in this language.
        code: The language's token.

    Returns:
        The token that decoders begin with, where texts end with that of their language; or else
        the one that they write first.
    """
    token = tokenizer.token_id(code)
    assert token is not None
    ends_with_it = tokenizer.encode(["a"])[0][-1] == token
    return {"decoder_start_token_id" if ends_with_it else "forced_bos_token_id": token}


def _encode(tokenizer: Tokenizer, texts: Sequence[Any], length: int, cache: bool) -> EncodedTexts:
    strings = [str(text) for text in texts]
    return tokenize_cached(tokenizer, strings, max_length=length, enabled=cache)
