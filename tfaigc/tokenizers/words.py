"""Which tokens words begin with, as the tokens themselves tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tfaigc.errors import TokenizerError

_INNER = ("pretokenizers", "decoders", "normalizers")


def word_starts(spec: Mapping[str, Any], size: int) -> npt.NDArray[np.bool_]:
    """Tells tokens that words begin with from those that go on with one.

    Tokens that go on have a prefix (``##``), or those that begin have the sign of a space in front
    (``Ġ``, ``▁``). Where spaces make the words, punctuation belongs to the word before it.

    Args:
        spec: tokenizer.json, parsed, every option explicit.
        size: The vocabulary's size.

    Returns:
        bool, (vocabulary,).

    Raises:
        TokenizerError: The tokens do not tell.

    Example:
        >>> model = {"type": "WordPiece", "vocab": {"a": 0, "##b": 1}}
        >>> word_starts({"model": {**model, "continuing_subword_prefix": "##"}}, 2).tolist()
        [True, False]
    """
    model = spec["model"]
    begins = _rule(spec)
    vocabulary = model["vocab"]
    if not isinstance(vocabulary, Mapping):
        vocabulary = {token: index for index, (token, _) in enumerate(vocabulary)}
    found = np.ones(size, np.bool_)
    for token, index in vocabulary.items():
        found[index] = begins(token)
    return found


def _rule(spec: Mapping[str, Any]) -> Any:
    model = spec["model"]
    prefix = model.get("continuing_subword_prefix")
    if prefix:
        return lambda token: not token.startswith(prefix)
    if model["type"] == "WordLevel":
        return lambda token: True
    stages = [*_parts(spec.get("pre_tokenizer")), *_parts(spec.get("normalizer"))]
    for stage in stages:
        mark = {"ByteLevel": "Ġ", "Metaspace": "▁"}.get(stage["type"])
        if mark is None and stage.get("content") == "▁":
            mark = "▁"
        if mark is not None:
            return lambda token, mark=mark: token.startswith(mark)
    raise TokenizerError(
        "Words and spans can be masked where tokens show where words begin, by a prefix or by the "
        f"sign of a space. Received: a {model['type']} tokenizer without either. "
        "Mask single tokens instead: mask_unit='tokens'."
    )


def _parts(stage: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """Lists a stage, and what it consists of."""
    if stage is None:
        return
    yield stage
    for key in _INNER:
        for inner in stage.get(key) or ():
            yield from _parts(inner)
